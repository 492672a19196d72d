"""MCP over HTTP by the company's identity provider: a real issuer with real keys, and all that is not its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.conftest import Database, eventually
from tests.mcp_serving import serving, settings_for
from tests.provider import AUDIENCE, Provider, hs256, part, provided, rsa

from omie_control.app import App, open_app
from omie_control.domain.actors import SYSTEM, Role
from omie_control.domain.networks import require_networks
from omie_control.domain.roles import RoleWords
from omie_control.mcp.server import build_mcp_app
from omie_control.services.identities import SEEN_FOR_SECONDS


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with provided() as made:
        yield made


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path, provider: Provider) -> AsyncIterator[App]:
    settings = settings_for(
        database, valkey_url, tmp_path, oidc_issuer=provider.url, oidc_audience=AUDIENCE, trusted_proxies=("127.0.0.1",)
    )
    async with open_app(settings, kind="serve") as opened:
        await opened.services.identities.put(SYSTEM, "financeiro", Role.AGENT)
        yield opened


@pytest.fixture
async def house(app: App) -> AsyncIterator[str]:
    async with serving(build_mcp_app(app)) as url:
        yield f"{url}/mcp"


def client_of(url: str, token: str) -> Client[Any]:
    return Client(StreamableHttpTransport(url, headers={"Authorization": f"Bearer {token}"}))


async def knock(url: str, token: str, address: str = "203.0.113.9") -> httpx2.Response:
    headers = {
        "Authorization": f"Bearer {token}",
        "X-Forwarded-For": address,
        "Accept": "application/json, text/event-stream",
    }
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "teste", "version": "1"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    async with httpx2.AsyncClient(timeout=60) as client:
        return await client.post(url, headers=headers, json=call)


@pytest.mark.parametrize(("kid", "alg"), [("rsa-1", "RS256"), ("rsa-1", "PS256"), ("ec-1", "ES256")])
async def test_whom_the_provider_vouches_for_calls_tools(
    house: str, provider: Provider, conn: asyncpg.Connection, kid: str, alg: str
) -> None:
    async with client_of(house, provider.token(kid, alg)) as client:
        limits = await client.call_tool("meus_limites", {})
    assert limits.structured_content is not None
    assert (limits.structured_content["acesso"], limits.structured_content["papel"]) == ("oidc:ana-7", "agent")
    assert await conn.fetchval("select actor from process_executions") == "oidc:ana-7"


async def test_every_other_token_is_refused_alike_and_on_record(
    house: str, provider: Provider, conn: asyncpg.Connection
) -> None:
    now = int(time.time())
    public = provider.keys["rsa-1"].as_pem(private=False)
    confused = hs256({"alg": "HS256", "kid": "rsa-1"}, provider.claims(), public)
    unsigned = ".".join([part({"alg": "none", "kid": "rsa-1"}), part(provider.claims()), ""])
    honest = provider.token()
    head, body, signature = honest.split(".")
    wrong = {
        "alg none": unsigned,
        "alg None": ".".join([part({"alg": "None"}), part(provider.claims()), signature]),
        "public key as secret": confused,
        "shared secret": jwt.encode({"alg": "HS256"}, provider.claims(), OctKey.generate_key(256)),
        "wrong audience": provider.token(aud="outro-sistema"),
        "no audience": provider.token(aud=...),
        "wrong issuer": provider.token(iss="https://outro.example"),
        "issuer with a slash": provider.token(iss=provider.url + "/"),
        "expired": provider.token(exp=now - 60),
        "no end": provider.token(exp=...),
        "an end that is no number": provider.token(exp=str(now + 300)),
        "future": provider.token(nbf=now + 600),
        "made in the future": provider.token(iat=now + 600),
        "unknown key": provider.token(kid="rsa-9", key=rsa("rsa-9")),
        "known name of another key": provider.token(kid="rsa-1", key=rsa("rsa-1")),
        "key of another kind": provider.token(kid="ec-1", key=provider.keys["rsa-1"]),
        "no subject": provider.token(sub=...),
        "no known group": provider.token(roles=["marketing"]),
        "no group": provider.token(roles=...),
        "changed body": ".".join([head, part(provider.claims(roles=["admin"])), signature]),
        "no signature": f"{head}.{body}.",
        "critical extension": jwt.encode(
            {"alg": "RS256", "kid": "rsa-1", "crit": ["b64"], "b64": True}, provider.claims(), provider.keys["rsa-1"]
        ),
        "no token": "a.b.c",
        "too large": "a" * 20_000 + ".b.c",
    }
    bodies = set()
    for number, (name, token) in enumerate(wrong.items()):
        answer = await knock(house, token, f"203.0.113.{number}")
        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), name
        bodies.add(answer.content)
    assert len(bodies) == 1, "the answer tells nobody why"
    assert (await knock(house, honest)).status_code == 200
    rows = await conn.fetch("select detail, ip_address from audit_events where action = 'identity.refused'")
    assert {row["detail"] for row in rows} == {
        "A assinatura usa um algoritmo que não é aceito.",
        "A assinatura não confere.",
        "O token não é para este sistema.",
        "O token é de outro emissor.",
        "O token expirou, ou não diz quando expira.",
        "O token ainda não vale.",
        "A chave do token não é do provedor de identidade.",
        "O token não diz de quem é.",
        "Nenhum grupo do token tem papel aqui.",
        "O token pede uma extensão que não é conhecida.",
        "O texto não é um token.",
    }
    stored = repr([dict(row) for row in await conn.fetch("select * from audit_events")])
    assert honest not in stored
    assert signature not in stored


async def test_a_group_has_the_rights_it_was_given_and_no_more(house: str, app: App, provider: Provider) -> None:
    reader = await app.services.roles.create(
        SYSTEM, "so-sistema", RoleWords(["execution.run", "company.read"], ["sistema"])
    )
    await app.services.identities.put(SYSTEM, "leitura", reader)
    async with client_of(house, provider.token(roles=["nada", "leitura"])) as client:
        assert (await client.call_tool("meus_limites", {})).structured_content["papel"] == "so-sistema"
        with pytest.raises(ToolError, match="não permite"):
            await client.call_tool("estado_do_sistema", {})
    await app.services.identities.remove(SYSTEM, "leitura")

    async def is_out() -> bool:
        return (await knock(house, provider.token(roles=["leitura"]))).status_code == 401

    assert SEEN_FOR_SECONDS <= 2
    await eventually(is_out)


async def test_our_own_tokens_hold_beside_the_providers(house: str, app: App) -> None:
    _, text = await app.tokens.create(SYSTEM, "claude", Role.AGENT)
    assert (await knock(house, text)).status_code == 200
    assert (await knock(house, "omc_aaaaaaaa_" + "a" * 43)).status_code == 401
    assert (await knock(house, "qualquer")).status_code == 401


async def test_a_token_of_a_network_is_looked_at_behind_our_own_proxy(
    house: str, app: App, conn: asyncpg.Connection
) -> None:
    _, text = await app.tokens.create(SYSTEM, "escritorio", Role.AGENT, networks=require_networks(["203.0.113.0/24"]))
    assert (await knock(house, text, "203.0.113.9")).status_code == 200
    assert (await knock(house, text, "203.0.113.9, 198.51.100.1")).status_code == 401, "whoever forges the first hop"
    elsewhere = await knock(house, text, "198.51.100.1")
    assert (elsewhere.status_code, elsewhere.headers["WWW-Authenticate"][:6]) == (401, "Bearer")
    row = await conn.fetchrow("select detail, ip_address from audit_events where action = 'token.refused'")
    assert (row["detail"], str(row["ip_address"])) == ("O token não pode ser usado deste endereço.", "198.51.100.1")


async def test_a_provider_that_changes_its_keys_is_asked_again(
    house: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this machine takes to make a key, the provider was asked a moment ago.
    monkeypatch.setattr("omie_control.services.identity_provider._ASK_AGAIN_SECONDS", 3_600.0)
    assert (await knock(house, provider.token())).status_code == 200
    provider.keys["rsa-2"] = rsa("rsa-2")
    fresh = provider.token("rsa-2")
    assert (await knock(house, fresh)).status_code == 401, "asked a moment ago"
    assert provider.asked == 1
    monkeypatch.setattr("omie_control.services.identity_provider._ASK_AGAIN_SECONDS", 0.0)
    assert (await knock(house, fresh)).status_code == 200
    assert provider.asked == 2


async def test_a_provider_that_is_away_is_nobodys_fault(database: Database, valkey_url: str, tmp_path: Path) -> None:
    settings = settings_for(database, valkey_url, tmp_path, oidc_issuer="http://127.0.0.1:9", oidc_audience=AUDIENCE)
    stranger = Provider(url="http://127.0.0.1:9")
    async with open_app(settings, kind="serve") as app, serving(build_mcp_app(app)) as url:
        answer = await knock(f"{url}/mcp", stranger.token())
        assert answer.status_code == 503
        assert "provedor de identidade" in answer.text
        _, text = await app.tokens.create(SYSTEM, "claude", Role.AGENT)
        assert (await knock(f"{url}/mcp", text)).status_code == 200
