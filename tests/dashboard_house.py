"""A house for the dashboard's logins by an identity provider: Ana lives in it, and has an account at the provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from pydantic import SecretStr
from tests.conftest import Database
from tests.mcp_serving import serving, settings_for
from tests.provider import CLIENT_ID, CLIENT_SECRET, Provider

from omie_control.app import App, open_app
from omie_control.domain.actors import SYSTEM, Role, User
from omie_control.web import build_web

PASSWORD = "uma-senha-longa-42"
# What the page says, whatever was wrong: not confirmed, no access, no answer.
REFUSED = "Não foi possível confirmar a entrada com a conta da empresa."
UNWELCOME = "Esta conta da empresa não tem acesso a este painel."
AWAY = "O provedor de identidade não responde."
IDENTITY_COOKIE = "omie_control_identidade"


class House:
    """An App that is served, with Ana in it and her provider beside it."""

    def __init__(self, app: App, url: str, provider: Provider, ana: User) -> None:
        self.app, self.url, self.provider, self.ana = app, url, provider, ana

    def browser(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.url, headers={"Accept": "text/html"}, timeout=60)

    async def leave(self, client: httpx2.AsyncClient, target: str = "/") -> str:
        """Go to the provider, consent, and give the address that it sends the browser back to."""
        start = await client.get("/entrar/oidc", params={"continuar": target})
        assert start.status_code == 303, start.text
        async with httpx2.AsyncClient(timeout=60) as elsewhere:
            return str((await elsewhere.get(start.headers["location"])).headers["location"])

    async def enter(self, client: httpx2.AsyncClient, target: str = "/") -> httpx2.Response:
        return await client.get(await self.leave(client, target))

    async def is_in(self, client: httpx2.AsyncClient) -> bool:
        return (await client.get("/conta")).status_code == 200


@asynccontextmanager
async def housed(
    database: Database, valkey_url: str, home: Path, provider: Provider, **more: Any
) -> AsyncIterator[House]:
    given = {
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SecretStr(CLIENT_SECRET),
        **more,
    }
    async with open_app(settings_for(database, valkey_url, home, **given), kind="serve") as app:
        ana = next((user for user in await app.users.list(SYSTEM) if user.username == "ana"), None)
        ana = ana or await app.users.create(SYSTEM, "ana", PASSWORD, Role.OPERATOR)
        async with serving(build_web(app)) as url:
            yield House(app, url, provider, ana)


async def refusals(conn: asyncpg.Connection) -> list[str]:
    rows = await conn.fetch("select detail from audit_events where action = 'login.identity_refused' order by at, id")
    return [row["detail"] for row in rows]
