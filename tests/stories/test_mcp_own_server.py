"""Somebody else's server, controlled in two lines, over stdio: `examples/own_server.py` as a real process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from tests.conftest import Database
from tests.mcp_serving import MODES, ended, is_running, rows, settings_for

from omie_control.app import open_app

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_server.py"


@pytest.fixture
def transport(database: Database, valkey_url: str, tmp_path: Path) -> StdioTransport:
    environment = {
        **os.environ,
        "OMIE_CONTROL_HOME": str(tmp_path),
        "OMIE_CONTROL_DATABASE_URL": database.app_url,
        "OMIE_CONTROL_DATABASE_OWNER_URL": database.owner_url,
        "OMIE_CONTROL_VALKEY_URL": valkey_url,
    }
    return StdioTransport(sys.executable, [str(EXAMPLE)], env=environment, keep_alive=False)


@pytest.mark.parametrize("mode", MODES)
async def test_every_end_of_a_call_is_on_record(transport: StdioTransport, conn: asyncpg.Connection, mode: Any) -> None:
    async with Client(transport, mode=mode) as client:
        price = await client.call_tool("consultar_preco", {"produto": "café"})
        assert price.data == {"produto": "café", "preco": "18.90"}
        with pytest.raises(ToolError, match="não encontrado"):
            await client.call_tool("consultar_preco", {"produto": "chá"})
        assert (await client.call_tool("fechar_caixa", {"dia": "hoje"})).data == "Caixa de hoje fechado."
        with pytest.raises(ToolError, match="tempo limite"):
            await client.call_tool("fechar_caixa", {"dia": "ontem", "segundos": 30})
        call = asyncio.create_task(client.call_tool("esperar", {"segundos": 180}))
        await is_running(conn, "esperar")
        call.cancel()
        await ended(conn, "esperar")
    found = await rows(conn)
    assert [(row["process_type"], row["status"]) for row in found] == [
        ("consultar_preco", "completed"),
        ("consultar_preco", "failed"),
        ("fechar_caixa", "completed"),
        ("somar_vendas", "completed"),
        ("fechar_caixa", "timeout"),
        ("somar_vendas", "cancelled"),
        ("esperar", "cancelled"),
    ]
    assert found[3]["parent_id"] == found[2]["id"]
    assert len({row["fastmcp_session_id"] for row in found if row["process_type"] != "somar_vendas"}) == 1


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_leaves_ends_what_it_had_running(
    transport: StdioTransport, conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(transport, mode=mode) as client:
        call = asyncio.create_task(client.call_tool("esperar", {"segundos": 180}))
        await is_running(conn, "esperar")
    call.cancel()
    assert (await ended(conn, "esperar"))["status"] == "cancelled"


async def test_a_killed_server_leaves_nothing_running(
    transport: StdioTransport, conn: asyncpg.Connection, database: Database, valkey_url: str, tmp_path: Path
) -> None:
    async with Client(transport) as client:
        call = asyncio.create_task(client.call_tool("esperar", {"segundos": 180}))
        await is_running(conn, "esperar")
        pid = await conn.fetchval("select pid from instances order by started_at desc limit 1")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Exception):  # noqa: B017 - how a broken pipe is told is the client's affair
            await call
    # Whoever comes next on this machine finds the dead process and ends what it had running.
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="worker"):
        assert (await ended(conn, "esperar"))["status"] == "timeout"
