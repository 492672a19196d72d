"""Bad days of a controlled server: the database away, callers without a name, principals of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastmcp import Client, FastMCP
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from tests.conftest import Database, at_database, run_on
from tests.mcp_serving import rows, serving, settings_for

from omie_control.app import DatabaseManager, ProcessController, open_app
from omie_control.mcp import refusals
from omie_control.mcp.control import control
from omie_control.mcp.server import build_server


@pytest.fixture
async def controller(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[ProcessController]:
    made = ProcessController(DatabaseManager(settings_for(database, valkey_url, tmp_path)))
    await made.ready()
    yield made
    await made.close()


@pytest.fixture
def ran() -> list[str]:
    return []


def _server(controller: ProcessController, ran: list[str], **options: Any) -> FastMCP[Any]:
    mcp: FastMCP[Any] = FastMCP("loja", **options)
    mcp.add_middleware(control(controller))

    @mcp.tool
    async def vender(produto: str) -> str:
        ran.append(produto)
        return "vendido"

    return mcp


async def test_with_the_database_away_nothing_runs_and_it_comes_back_by_itself(
    controller: ProcessController, database: Database, ran: list[str]
) -> None:
    maintenance = at_database(database.owner_url, "postgres")
    async with Client(_server(controller, ran)) as client:
        await client.call_tool("vender", {"produto": "café"})
        patience, controller.db.recorder._patience = controller.db.recorder._patience, 5.0
        await run_on(
            maintenance,
            f"alter database {database.name} allow_connections false",
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.name}'",
        )
        with pytest.raises(ToolError, match="banco de dados do controle está fora do ar"):
            await client.call_tool("vender", {"produto": "pão"})
        assert ran == ["café"]
        # Of its own again, so that what has run is not told to have failed for want of its end, and run twice.
        controller.db.recorder._patience = patience
        await run_on(maintenance, f"alter database {database.name} allow_connections true")
        async with asyncio.timeout(180):
            while True:
                try:
                    await client.call_tool("vender", {"produto": "leite"})
                except ToolError:
                    await asyncio.sleep(0.05)
                else:
                    break
    assert ran == ["café", "leite"]


async def test_somebody_elses_principal_gives_the_record_its_name(
    controller: ProcessController, ran: list[str], conn: asyncpg.Connection
) -> None:
    auth = StaticTokenVerifier({"chave": {"client_id": "portal", "scopes": []}})
    server = _server(controller, ran, auth=auth)
    async with serving(server.http_app(path="/mcp")) as url:
        transport = StreamableHttpTransport(f"{url}/mcp", headers={"Authorization": "Bearer chave"})
        async with Client(transport) as client:
            await client.call_tool("vender", {"produto": "café"})
    assert [row["actor"] for row in await rows(conn)] == ["library:portal"]


async def test_refusals_of_nameless_callers_are_recorded_by_sample(
    controller: ProcessController, ran: list[str], conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All of these are of one minute, however long they take here.
    monkeypatch.setattr(refusals, "_MINUTE", 3_600.0)
    async with serving(_server(controller, ran).http_app(path="/mcp")) as url, Client(f"{url}/mcp") as client:
        for number in range(30):
            with pytest.raises(ToolError, match="não existe"):
                await client.call_tool(f"inexistente_{number}", {})
    assert len(await rows(conn)) == 20


async def test_our_tools_mounted_without_their_door_let_nobody_in(
    database: Database, valkey_url: str, tmp_path: Path, conn: asyncpg.Connection
) -> None:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
        outer: FastMCP[Any] = FastMCP("fora")
        outer.mount(build_server(app))
        async with serving(outer.http_app(path="/mcp")) as url, Client(f"{url}/mcp") as client:
            with pytest.raises(ToolError, match="Não foi possível identificar"):
                await client.call_tool("estado_do_sistema", {})
    assert {row["error_code"] for row in await rows(conn)} == {"nao_autenticado"}
