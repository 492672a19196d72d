"""Agents over HTTP that call too often: told when to come back, kept by sample, and nobody else is held up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import McpError, ToolError
from tests.conftest import Database
from tests.mcp_serving import MODES, rows, serving, settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY, Actor, ActorKind, Role
from omie_control.mcp.server import STDIO, build_mcp_app, build_server
from omie_control.services.pace import Pace

OWNER = Actor(ActorKind.USER, "dona", Role.ADMIN)


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[App]:
    settings = settings_for(database, valkey_url, tmp_path, trusted_proxies=("127.0.0.1",))
    async with open_app(settings, kind="serve") as opened:
        opened.services.token_pace.pace = Pace(lambda: 0.001, 2000)
        yield opened


@pytest.fixture
async def house(app: App) -> AsyncIterator[str]:
    async with serving(build_mcp_app(app)) as url:
        yield f"{url}/mcp"


async def agent(app: App, house: str, name: str, mode: Any) -> Client[Any]:
    _, secret = await app.tokens.create(LIBRARY, name, Role.AGENT)
    headers = {"Authorization": f"Bearer {secret}", "User-Agent": "agente/1.0", "X-Forwarded-For": "203.0.113.9"}
    return Client(StreamableHttpTransport(house, headers=headers), mode=mode)


@pytest.mark.parametrize("mode", MODES)
async def test_who_calls_too_often_is_told_when_to_come_back(
    app: App, house: str, conn: asyncpg.Connection, mode: Any
) -> None:
    async with await agent(app, house, "apressado", mode) as hasty, await agent(app, house, "calmo", mode) as calm:
        for _ in range(2):
            await hasty.call_tool("meus_limites", {})
        for tool in ("meus_limites", "nao_existe"):
            with pytest.raises(ToolError, match=r"Volte a tentar em \d+ segundos") as refused:
                await hasty.call_tool(tool, {})
            assert "fez pedidos demais" in str(refused.value)
            assert "O que fazer: Espere" in str(refused.value)
        with pytest.raises(McpError, match="fez pedidos demais"):
            await hasty.read_resource("omie://companies")
        await calm.call_tool("meus_limites", {})
    assert [row["status"] for row in await rows(conn)] == ["completed"] * 3
    kept = await conn.fetch("select * from audit_events where action = 'token.throttled'")
    assert [(row["actor"], row["outcome"], str(row["ip_address"]), row["user_agent"]) for row in kept] == [
        ("token:apressado", "refused", "203.0.113.9", "agente/1.0")
    ]


async def test_what_a_token_asked_of_rest_counts_for_its_tools(app: App) -> None:
    """One bucket, whichever face: two faces are not twice as fast."""
    token, _ = await app.tokens.create(LIBRARY, "duas-faces", Role.AGENT)
    assert app.services.token_pace.pace.take(token.id) == 0
    assert app.services.token_pace.pace.take(token.id) == 0
    assert app.services.token_pace.pace.take(token.id) > 0


async def test_the_pace_is_the_configured_one(database: Database, valkey_url: str, tmp_path: Path) -> None:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
        take = app.services.token_pace.pace.take
        assert not any(take("antes") for _ in range(100))
        await app.services.configurations.set(OWNER, "token.per_second", "1")
        assert any(take("depois") for _ in range(100))


async def test_without_a_token_nobody_is_held_up(app: App) -> None:
    async with Client(build_server(app, stdio_actor=STDIO)) as client:
        for _ in range(5):
            await client.call_tool("meus_limites", {})
