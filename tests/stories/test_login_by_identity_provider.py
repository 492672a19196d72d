"""The dashboard by the company's identity provider: who gets in, as whom, and everything that gets nobody in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from tests.conftest import Database
from tests.dashboard_house import AWAY, IDENTITY_COOKIE, PASSWORD, REFUSED, UNWELCOME, House, housed, refusals
from tests.mcp_serving import serving, settings_for
from tests.provider import CLIENT_ID, CLIENT_SECRET, Provider, hs256, html, part, provided, rsa

from omie_control.app import open_app
from omie_control.domain.actors import SYSTEM
from omie_control.domain.executions import Origin
from omie_control.domain.outgoing import Outgoing
from omie_control.errors import StorageDown
from omie_control.outgoing import Guard
from omie_control.services.identity_provider import IdentityProvider, Issuer
from omie_control.web import build_web


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with provided() as made:
        yield made


@pytest.fixture
async def house(database: Database, valkey_url: str, tmp_path: Path, provider: Provider) -> AsyncIterator[House]:
    async with housed(database, valkey_url, tmp_path, provider) as made:
        await made.app.services.user_identities.link(SYSTEM, "ana", "ana-7")
        yield made


async def test_whoever_is_linked_enters_and_has_a_session_like_any_other(
    house: House, conn: asyncpg.Connection
) -> None:
    async with house.browser() as client:
        page = (await client.get("/entrar", params={"continuar": "/conta?x=1"})).text
        assert "Entrar com a conta da empresa" in page
        assert 'href="/entrar/oidc?continuar=/conta%3Fx%3D1"' in page
        answer = await house.enter(client, "/conta?x=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/conta?x=1")
        session = next(text for text in answer.headers.get_list("set-cookie") if "sessao" in text)
        assert "HttpOnly" in session
        assert "samesite=lax" in session.lower()
        assert IDENTITY_COOKIE not in client.cookies
        account = (await client.get("/conta")).text
        assert "ana" in account and "operator" in account
        sessions = await house.app.logins.of_person(SYSTEM, "ana")
        assert len(sessions) == 1
        assert (await client.get("/entrar/oidc", params={"continuar": "/conta"})).headers["location"] == "/conta"
        await house.app.logins.end_of_person(SYSTEM, "ana", sessions[0].id)
        assert not await house.is_in(client)
        # The password goes on working, also beside the button.
        assert await house.app.users.authenticate("ana", PASSWORD, Origin("web"))
    row = await conn.fetchrow("select * from audit_events where action = 'login.succeeded' order by at, id limit 1")
    assert row is not None
    assert (row["actor"], row["after"]) == ("user:ana", f'{{"issuer": "{house.provider.url}"}}')
    assert await conn.fetchval("select last_login_at is not null from user_identities")
    # Its documents are asked for once.
    assert (house.provider.discovered, house.provider.asked, house.provider.exchanged) == (1, 1, 1)


async def test_nobody_is_led_elsewhere(house: House) -> None:
    for target in ("//evil.example/", "https://evil.example/", "/\\evil.example", "/entrar", "/" + "a" * 900):
        async with house.browser() as client:
            assert (await house.enter(client, target)).headers["location"] == "/", target


async def test_what_is_sealed_for_the_browser_tells_it_nothing(house: House) -> None:
    async with house.browser() as client:
        start = await client.get("/entrar/oidc")
        sent = parse_qs(urlsplit(start.headers["location"]).query)
        assert sent["redirect_uri"] == [f"{house.url}/entrar/oidc/volta"]
        cookie = next(text for text in start.headers.get_list("set-cookie") if IDENTITY_COOKIE in text)
        assert "HttpOnly" in cookie and "Max-Age=600" in cookie and "samesite=lax" in cookie.lower()
        for name in ("state", "nonce", "code_challenge"):
            assert sent[name][0] not in cookie
        assert start.headers["cache-control"] == "no-store"


async def test_an_answer_counts_in_the_browser_that_began_and_once(house: House, conn: asyncpg.Connection) -> None:
    async with house.browser() as client, house.browser() as thief, house.browser() as other:
        back = await house.leave(client)
        kept = dict(client.cookies)
        # Another browser: without the cookie, or with that of a login of its own.
        assert (await thief.get(back)).status_code == 401
        await house.leave(other)
        assert (await other.get(back)).status_code == 401
        # A cookie that was changed, cut, or of another installation.
        for text in (
            kept[IDENTITY_COOKIE][:-6] + "AAAAAA",
            kept[IDENTITY_COOKIE][:40],
            "mk-x.AAAA",
            "é",
            "a" * 5000,
            ".",
        ):
            assert (await thief.get(back, headers={b"Cookie": f"{IDENTITY_COOKIE}={text}".encode()})).status_code == 401
        assert house.provider.exchanged == 0, "nobody's answer is looked at"
        entered = await client.get(back)
        assert entered.status_code == 303
        # Replayed with everything that it had: also by a copy of the cookie.
        again = await thief.get(back, headers={"Cookie": f"{IDENTITY_COOKIE}={kept[IDENTITY_COOKIE]}"})
        assert again.status_code == 401
        assert house.provider.exchanged == 1
        assert not await house.is_in(thief)
        assert await house.is_in(client)
    assert set(await refusals(conn)) == {
        "A resposta veio sem o cookie da entrada, ou ele não é legível.",
        "O estado da resposta é de outra entrada.",
        "A entrada já tinha sido respondida.",
    }


async def test_two_answers_at_once_open_one_session(house: House) -> None:
    async with house.browser() as client:
        back = await house.leave(client)
        answers = await asyncio.gather(*(client.get(back) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [303, 401, 401, 401, 401]
    assert len(await house.app.logins.of_person(SYSTEM, "ana")) == 1


async def test_an_answer_that_lacks_something_is_refused(house: House, conn: asyncpg.Connection) -> None:
    async def answered(change: Callable[[dict[str, str]], None]) -> httpx2.Response:
        async with house.browser() as client:
            back = urlsplit(await house.leave(client))
            said = {name: values[0] for name, values in parse_qs(back.query).items()}
            change(said)
            return await client.get(back.path, params=said)

    for change, status in (
        (lambda said: said.pop("state"), 401),
        (lambda said: said.update(state="outro"), 401),
        (lambda said: said.update(state="\ud800é".encode(errors="replace").decode()), 401),
        (lambda said: said.pop("code"), 401),
        (lambda said: said.update(code="a" * 5000), 401),
        (lambda said: said.update(code="inventado"), 401),
        (lambda said: said.pop("iss"), 401),
        (lambda said: said.update(iss="https://outro.example"), 401),
        (lambda said: said.update(error="access_denied", error_description="<b>não</b>"), 403),
        (lambda said: said.update(error="temporarily_unavailable"), 503),
        (lambda said: said.update(error="<script>alert(1)</script>"), 503),
    ):
        answer = await answered(change)
        assert answer.status_code == status
        assert "alert(1)" not in answer.text and "<b>não" not in answer.text
        assert not any("sessao" in text for text in answer.headers.get_list("set-cookie"))
        assert {401: REFUSED, 403: UNWELCOME, 503: AWAY}[status] in answer.text
        assert 'name="password"' in answer.text, "the other way in is still there"
    kept = await refusals(conn)
    assert {
        "O estado da resposta é de outra entrada.",
        "A resposta não tem código.",
        "O provedor não aceitou o código.",
        "A resposta é de outro emissor.",
        "O provedor disse não: access_denied.",
        "O provedor de identidade não deu uma resposta que se possa usar.",
    } == set(kept)
    assert "alert(1)" not in repr(await conn.fetch("select * from audit_events"))


async def test_a_login_that_took_too_long_is_over(house: House, conn: asyncpg.Connection) -> None:
    logins = house.app.services.identity_logins
    async with house.browser() as client:
        back = await house.leave(client)
        logins._clock = lambda: time.time() + 601
        answer = await client.get(back)
        assert answer.status_code == 401
    assert await refusals(conn) == ["A entrada começou há tempo demais."]


async def test_every_wrong_id_token_is_refused_alike_and_on_record(house: House, conn: asyncpg.Connection) -> None:
    provider, now = house.provider, int(time.time())
    public = provider.keys["rsa-1"].as_pem(private=False)

    def told(**more: Any) -> Callable[[dict[str, Any]], str]:
        return lambda claims: provider.signed({name: v for name, v in {**claims, **more}.items() if v is not ...})

    wrong: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
        "alg none": (
            "A assinatura usa um algoritmo que não é aceito.",
            lambda claims: ".".join([part({"alg": "none", "kid": "rsa-1"}), part(claims), ""]),
        ),
        "public key as secret": (
            "A assinatura usa um algoritmo que não é aceito.",
            lambda claims: hs256({"alg": "HS256", "kid": "rsa-1"}, claims, public),
        ),
        "client secret as key": (
            "A assinatura usa um algoritmo que não é aceito.",
            lambda claims: jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET.ljust(32, "x"))),
        ),
        "another's key": (
            "A assinatura não confere.",
            lambda claims: provider.signed(claims, key=rsa("rsa-1")),
        ),
        "key of another kind": (
            "A assinatura não confere.",
            lambda claims: jwt.encode({"alg": "RS256", "kid": "ec-1"}, claims, provider.keys["rsa-1"]),
        ),
        "wrong audience": ("O token não é para este sistema.", told(aud="outro-sistema")),
        "audience of callers": ("O token não é para este sistema.", told(aud="omie-control")),
        "no audience": ("O token não é para este sistema.", told(aud=...)),
        "several audiences": ("O token foi dado a outro sistema.", told(aud=[CLIENT_ID, "outro-sistema"])),
        "another's party": ("O token foi dado a outro sistema.", told(azp="outro-sistema")),
        "wrong issuer": ("O token é de outro emissor.", told(iss="https://outro.example")),
        "expired": ("O token expirou, ou não diz quando expira.", told(exp=now - 60)),
        "no end": ("O token expirou, ou não diz quando expira.", told(exp=...)),
        "made in the future": ("O token ainda não vale.", told(iat=now + 600)),
        "valid in the future": ("O token ainda não vale.", told(nbf=now + 600)),
        "no birth": ("O token não diz de quando é.", told(iat=...)),
        "another nonce": ("O token é de outra entrada.", told(nonce="outra")),
        "no nonce": ("O token é de outra entrada.", told(nonce=...)),
        "a nonce that is no text": ("O token é de outra entrada.", told(nonce=["x"])),
        "a nonce of half a letter": ("O token é de outra entrada.", told(nonce="\ud800")),
        "no subject": ("O token não diz de quem é.", told(sub=...)),
        "a subject of half a letter": ("O token não diz de quem é.", told(sub="\ud800")),
        "an endless subject": ("O token não diz de quem é.", told(sub="a" * 256)),
        "no token": ("O texto não é um token.", lambda claims: "a.b.c"),
        "too large": ("O texto não é um token.", lambda claims: "a" * 20_000 + ".b.c"),
    }
    notices = set()
    for number, (name, (_, forge)) in enumerate(wrong.items()):
        provider.forge = forge
        async with house.browser() as client:
            client.headers["X-Forwarded-For"] = f"203.0.113.{number}"
            answer = await house.enter(client)
            assert answer.status_code == 401, (name, answer.text)
            notices.add(REFUSED in answer.text)
            assert not await house.is_in(client), name
    assert notices == {True}, "the page tells nobody why"
    assert set(await refusals(conn)) == {reason for reason, _ in wrong.values()}
    provider.forge = told(aud=[CLIENT_ID, "outro-sistema"], azp=CLIENT_ID)
    async with house.browser() as client:
        assert (await house.enter(client)).status_code == 303


@pytest.mark.parametrize("takes", ["client_secret_post", "client_secret_basic"])
async def test_the_secret_is_shown_as_the_provider_takes_it(house: House, takes: str) -> None:
    house.provider.takes = takes
    async with house.browser() as client:
        assert (await house.enter(client)).status_code == 303


async def test_without_a_secret_pkce_alone_proves_us(
    database: Database, valkey_url: str, tmp_path: Path, provider: Provider
) -> None:
    provider.takes = "none"
    async with housed(database, valkey_url, tmp_path, provider, oidc_client_secret=None) as house:
        await house.app.services.user_identities.link(SYSTEM, "ana", "ana-7")
        async with house.browser() as client:
            assert (await house.enter(client)).status_code == 303


async def test_a_provider_that_talks_nonsense_lets_nobody_in(house: House, conn: asyncpg.Connection) -> None:
    moods: dict[str, Response] = {
        "html": html(),
        "502": html(502),
        "empty": PlainTextResponse(""),
        "list": JSONResponse([]),
        "nothing": JSONResponse({}),
        "a number": JSONResponse({"id_token": 7}),
        "another client": JSONResponse({"error": "invalid_client"}, 401),
        "endless": JSONResponse({"id_token": "a" * 2_000_000}),
        "redirect": RedirectResponse("http://127.0.0.1:9/"),
        "gzip": Response(b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}, media_type="application/json"),
    }
    for name, mood in moods.items():
        house.provider.moods["/token"] = mood
        async with house.browser() as client:
            answer = await house.enter(client)
            assert (answer.status_code, AWAY in answer.text) == (503, True), name
            assert answer.headers["retry-after"] == "5"
            assert not await house.is_in(client), name
    assert await refusals(conn) == ["O provedor de identidade não deu uma resposta que se possa usar."]


async def test_a_slow_provider_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house.browser() as client:
        back = await house.leave(client)
        # Only now: the way there is asked for honestly, however busy this machine is.
        monkeypatch.setattr("omie_control.services.provider_wire._WHOLE_SECONDS", 0.2)
        house.provider.moods["/token"] = 2.0
        assert (await client.get(back)).status_code == 503


async def test_a_provider_that_is_away_is_not_asked_by_everybody(
    database: Database, valkey_url: str, tmp_path: Path, provider: Provider, conn: asyncpg.Connection
) -> None:
    async with housed(database, valkey_url, tmp_path, provider) as house, house.browser() as client:
        provider.moods["/.well-known/openid-configuration"] = html(503)
        answers = await asyncio.gather(*(client.get("/entrar/oidc") for _ in range(5)))
        assert {answer.status_code for answer in answers} == {503}
        assert all(AWAY in answer.text and 'name="password"' in answer.text for answer in answers)
        assert await refusals(conn) == ["O provedor de identidade não respondeu."]
        entered = await house.app.users.authenticate("ana", PASSWORD, Origin("web"))
        assert entered.username == "ana", "the password is the way in when the provider is away"


async def test_what_a_provider_said_before_counts_while_it_is_away(house: House) -> None:
    async with house.browser() as client:
        assert (await house.enter(client)).status_code == 303
    known = house.app.services.identity_logins._provider
    assert known is not None
    known._discovered_at = known._asked_at = float("-inf")
    for path in ("/.well-known/openid-configuration", "/keys"):
        house.provider.moods[path] = html(503)
    async with house.browser() as client:
        assert (await house.enter(client)).status_code == 303


async def test_a_discovery_document_that_cannot_be_right_is_not_used(provider: Provider) -> None:
    wrong: list[dict[str, Any]] = [
        {"issuer": "https://outro.example"},
        {"issuer": provider.url + "/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": ...},
        {"jwks_uri": 7},
    ]
    for said in wrong:
        provider.discovery = said
        guard = Guard(Outgoing().trusting(provider.url))
        with pytest.raises(StorageDown):
            await IdentityProvider(Issuer(provider.url), guard).discovery()
    provider.discovery = {"authorization_endpoint": ...}
    assert (await IdentityProvider(Issuer(provider.url), guard).discovery()).authorization_endpoint is None


async def test_what_the_provider_names_leads_nowhere_inside(
    database: Database, valkey_url: str, tmp_path: Path, provider: Provider
) -> None:
    """The operator trusts the issuer's own address; its documents may not send our secret to another inside."""
    heard: list[str] = []

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            heard.append(scope["path"])
            await JSONResponse({})(scope, receive, send)

    async with serving_quietly(listening) as inside:
        provider.discovery = {"token_endpoint": f"{inside}/token"}
        async with housed(database, valkey_url, tmp_path, provider) as house, house.browser() as client:
            assert (await house.enter(client)).status_code == 503
        assert heard == []
        async with (
            housed(database, valkey_url, tmp_path, provider, outgoing_allowed=("127.0.0.1",)) as house,
            house.browser() as client,
        ):
            assert (await house.enter(client)).status_code == 503, "reached now, and of no use"
        assert heard == ["/token"]


@asynccontextmanager
async def serving_quietly(app: Any) -> AsyncIterator[str]:
    async def with_lifespan(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async with serving(with_lifespan) as url:
        yield url


async def test_without_a_provider_there_is_no_such_way(database: Database, valkey_url: str, tmp_path: Path) -> None:
    async with (
        open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app,
        serving(build_web(app)) as url,
        httpx2.AsyncClient(base_url=url, headers={"Accept": "text/html"}, timeout=60) as client,
    ):
        assert "conta da empresa" not in (await client.get("/entrar")).text
        assert (await client.get("/entrar/oidc")).status_code == 404
        assert (await client.get("/entrar/oidc/volta?code=a&state=b")).status_code == 404


async def test_a_guesser_is_told_to_wait(house: House) -> None:
    async with house.browser() as client:
        statuses = [(await client.get("/entrar/oidc/volta?code=a&state=b")).status_code for _ in range(62)]
        assert statuses[0] == 401
        assert statuses[-1] == 429
