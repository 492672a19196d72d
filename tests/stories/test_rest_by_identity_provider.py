"""REST by tokens of the company's identity provider, and how programs find out that these are taken."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from tests.conftest import Database
from tests.mcp_serving import serving, settings_for
from tests.provider import AUDIENCE, CLIENT_ID, Provider, hs256, part, provided

from omie_control.app import App, open_app
from omie_control.cli.serve import Door
from omie_control.domain.actors import SYSTEM, Role
from omie_control.mcp.server import build_mcp_app
from omie_control.web import build_web

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with provided() as made:
        yield made


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path, provider: Provider) -> AsyncIterator[App]:
    settings = settings_for(
        database,
        valkey_url,
        tmp_path,
        oidc_issuer=provider.url,
        oidc_audience=AUDIENCE,
        oidc_client_id=CLIENT_ID,
        trusted_proxies=("127.0.0.1",),
    )
    async with open_app(settings, kind="serve") as opened:
        await opened.services.identities.put(SYSTEM, "financeiro", Role.VIEWER)
        yield opened


class Whole:
    """Both faces behind one door, as `serve` runs them."""

    def __init__(self, app: App) -> None:
        self._mcp = build_mcp_app(app)
        self._door = Door(build_web(app), self._mcp)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (self._mcp if scope["type"] == "lifespan" else self._door)(scope, receive, send)


@pytest.fixture
async def house(app: App) -> AsyncIterator[str]:
    async with serving(Whole(app)) as url:
        yield url


async def ask(url: str, path: str, token: str | None, method: str = "GET", **more: Any) -> httpx2.Response:
    headers = {"X-Forwarded-For": "203.0.113.9"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    async with httpx2.AsyncClient(timeout=60) as client:
        return await client.request(method, url + path, headers=headers | more.pop("headers", {}), **more)


async def test_whom_the_provider_vouches_for_reads_what_the_group_may(
    house: str, provider: Provider, conn: asyncpg.Connection
) -> None:
    for path in ("/api/v1/system", "/api/v1/executions", "/api/v1/openapi.json", "/metrics"):
        assert (await ask(house, path, provider.token())).status_code == 200, path
    denied = await ask(house, "/api/v1/config/login.hours", provider.token(), "PUT", json={"value": 30})
    assert (denied.status_code, denied.json()["code"]) == (403, "sem_permissao")
    row = await conn.fetchrow("select actor, outcome from audit_events where action = 'config.manage'")
    assert row is not None
    assert tuple(row) == ("oidc:ana-7", "refused")


async def test_every_other_token_is_refused_as_over_mcp(
    house: str, provider: Provider, conn: asyncpg.Connection
) -> None:
    now = int(time.time())
    claims = provider.claims()
    wrong = {
        "alg none": ".".join([part({"alg": "none", "kid": "rsa-1"}), part(claims), ""]),
        "public key as secret": hs256({"alg": "HS256", "kid": "rsa-1"}, claims, provider.keys["rsa-1"].as_pem(False)),
        "wrong audience": provider.token(aud="outro-sistema"),
        "of the dashboard": provider.token(aud=CLIENT_ID, nonce="n"),
        "wrong issuer": provider.token(iss="https://outro.example"),
        "expired": provider.token(exp=now - 60),
        "future": provider.token(nbf=now + 600),
        "no known group": provider.token(roles=["marketing"]),
        "no token": "a.b.c",
        "a token of ours that is none": "omc_aaaaaaaa_" + "a" * 43,
    }
    told = set()
    for name, token in wrong.items():
        over_rest = await ask(house, "/api/v1/system", token)
        over_mcp = await ask(house, "/mcp", token, "POST", json={})
        assert (over_rest.status_code, over_mcp.status_code) == (401, 401), name
        told.add((over_rest.content, over_rest.headers["www-authenticate"]))
    assert len(told) == 1, "the answer tells nobody why"
    rows = await conn.fetch("select action, detail, object_type from audit_events where outcome = 'refused'")
    assert {row["action"] for row in rows} == {"identity.refused", "token.refused"}
    assert len({row["detail"] for row in rows}) == 7 + 1


async def test_programs_find_the_provider(house: str, provider: Provider) -> None:
    for path, resource in (("/api/v1/system", "/api/v1"), ("/mcp", "/mcp")):
        for token in (None, "nada"):
            refused = await ask(house, path, token, "GET" if resource != "/mcp" else "POST")
            assert refused.status_code == 401
            challenge = refused.headers["www-authenticate"]
            assert challenge.startswith("Bearer ")
            found = re.search(r'resource_metadata="([^"]+)"', challenge)
            assert found is not None
            assert found[1] == f"{house}{WELL_KNOWN}{resource}"
            async with httpx2.AsyncClient(timeout=60) as client:
                answer = await client.get(found[1])
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == {
                "resource": house + resource,
                "resource_name": "omie-control",
                "authorization_servers": [provider.url],
                "bearer_methods_supported": ["header"],
            }
    assert (await ask(house, WELL_KNOWN, None)).json()["resource"] == house
    assert (await ask(house, f"{WELL_KNOWN}/outra", None)).status_code == 404
    for path in (WELL_KNOWN, "/mcp", "/api/v1/system"):
        rebound = await ask(house, path, None, "GET", headers={"Host": "evil.example"})
        assert rebound.status_code == 421, path
        assert "evil.example" not in rebound.headers.get("www-authenticate", "")


async def test_the_public_address_is_the_one_that_is_named(
    database: Database, valkey_url: str, tmp_path: Path, provider: Provider
) -> None:
    more = {"oidc_issuer": provider.url, "oidc_audience": AUDIENCE, "public_url": "https://omie.empresa.com.br/"}
    async with (
        open_app(settings_for(database, valkey_url, tmp_path, **more), kind="serve") as app,
        serving(Whole(app)) as url,
    ):
        named = "https://omie.empresa.com.br"
        assert (await ask(url, f"{WELL_KNOWN}/mcp", None)).json()["resource"] == f"{named}/mcp"
        for path, resource in (("/api/v1/system", "/api/v1"), ("/mcp", "/mcp")):
            challenge = (await ask(url, path, None)).headers["www-authenticate"]
            assert f'resource_metadata="{named}{WELL_KNOWN}{resource}"' in challenge


async def test_without_a_provider_nothing_is_announced(
    database: Database, valkey_url: str, tmp_path: Path, provider: Provider
) -> None:
    only_people: dict[str, Any] = {"oidc_issuer": provider.url, "oidc_client_id": CLIENT_ID}
    for more in ({}, only_people):
        async with (
            open_app(settings_for(database, valkey_url, tmp_path, **more), kind="serve") as app,
            serving(Whole(app)) as url,
        ):
            for path in ("", "/mcp", "/api/v1"):
                assert (await ask(url, WELL_KNOWN + path, None)).status_code == 404
            for path in ("/api/v1/system", "/mcp"):
                refused = await ask(url, path, provider.token())
                assert refused.status_code == 401
                assert "resource_metadata" not in refused.headers["www-authenticate"]


async def test_a_provider_that_is_away_is_nobodys_fault(database: Database, valkey_url: str, tmp_path: Path) -> None:
    more = {"oidc_issuer": "http://127.0.0.1:9", "oidc_audience": AUDIENCE}
    async with (
        open_app(settings_for(database, valkey_url, tmp_path, **more), kind="serve") as app,
        serving(Whole(app)) as url,
    ):
        answer = await ask(url, "/api/v1/system", Provider(url="http://127.0.0.1:9").token())
        assert (answer.status_code, answer.json()["code"]) == (503, "identidade_indisponivel")
        _, text = await app.tokens.create(SYSTEM, "programa", Role.VIEWER)
        assert (await ask(url, "/api/v1/system", text)).status_code == 200
