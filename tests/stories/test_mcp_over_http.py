"""Agents over HTTP: whatever ends their call, its record ends right; in both protocol eras."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import orjson
import pytest
from fastmcp import Client, FastMCP
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from tests.conftest import Database
from tests.mcp_serving import MODES, ended, is_running, rows, serving, settings_for

from omie_control.app import App, DatabaseManager, ProcessController, open_app
from omie_control.domain.actors import LIBRARY, Role
from omie_control.mcp.control import control
from omie_control.mcp.server import build_mcp_app


@pytest.fixture
async def controller(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[ProcessController]:
    made = ProcessController(
        DatabaseManager(settings_for(database, valkey_url, tmp_path, trusted_proxies=("127.0.0.1",)))
    )
    await made.ready()
    yield made
    await made.close()


@pytest.fixture
def release() -> asyncio.Event:
    """Let those go on who wait in the shop."""
    return asyncio.Event()


@pytest.fixture
async def loja(controller: ProcessController, release: asyncio.Event) -> AsyncIterator[str]:
    mcp: FastMCP[Any] = FastMCP("loja")
    mcp.add_middleware(control(controller))

    @mcp.tool
    async def vender(produto: str) -> str:
        if produto == "nada":
            raise ToolError("Produto em falta.")
        return f"vendido: {produto}"

    @mcp.tool(timeout=0.1)
    async def passar_do_tempo() -> str:
        await asyncio.sleep(30)
        return "tarde"

    @mcp.tool
    async def esperar(segundos: float) -> str:
        async with asyncio.timeout(segundos):
            await release.wait()
        return "pronto"

    async with serving(mcp.http_app(path="/mcp")) as url:
        yield f"{url}/mcp"


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as opened:
        yield opened


@pytest.fixture
async def house(app: App) -> AsyncIterator[str]:
    async with serving(build_mcp_app(app)) as url:
        yield f"{url}/mcp"


def client_of(url: str, mode: Any, **headers: str) -> Client[Any]:
    return Client(StreamableHttpTransport(url, headers=headers), mode=mode)


@pytest.mark.parametrize("mode", MODES)
async def test_success_failure_and_timeout_each_end_right(loja: str, conn: asyncpg.Connection, mode: Any) -> None:
    headers = {"X-Omie-Session": "fechamento-1", "User-Agent": "agente/1.0", "X-Forwarded-For": "203.0.113.9"}
    async with client_of(loja, mode, **headers) as client:
        await client.call_tool("vender", {"produto": "café"})
        with pytest.raises(ToolError, match="em falta"):
            await client.call_tool("vender", {"produto": "nada"})
        with pytest.raises(ToolError, match="tempo limite"):
            await client.call_tool("passar_do_tempo", {})
    found = await rows(conn)
    assert [row["status"] for row in found] == ["completed", "failed", "timeout"]
    for row in found:
        assert row["fastmcp_session_id"] == "fechamento-1"
        assert row["user_agent"] == "agente/1.0"
        assert str(row["ip_address"]) == "203.0.113.9"


@pytest.mark.parametrize("mode", MODES)
async def test_a_cancelled_client_leaves_a_finished_record(loja: str, conn: asyncpg.Connection, mode: Any) -> None:
    async with client_of(loja, mode) as client:
        call = asyncio.create_task(client.call_tool("esperar", {"segundos": 180}))
        await is_running(conn, "esperar")
        call.cancel()
        assert (await ended(conn, "esperar"))["status"] == "cancelled"
        assert (await client.call_tool("vender", {"produto": "pão"})).data == "vendido: pão"


@pytest.mark.parametrize("mode", MODES)
async def test_a_broken_connection_leaves_a_finished_record(
    loja: str, conn: asyncpg.Connection, mode: str, release: asyncio.Event
) -> None:
    headers = MODERN_HEADERS if mode == "auto" else await _legacy_session(loja)
    writer = await _post_without_waiting(loja, _call(180), headers)
    await is_running(conn, "esperar")
    writer.transport.abort()
    if mode == "legacy":
        # A legacy client may come back for its answer, so its call goes on to its own end: not at once.
        await asyncio.sleep(1)
        assert [row["status"] for row in await rows(conn, "esperar")] == ["running"]
        release.set()
    row = await ended(conn, "esperar")
    assert row["status"] == ("cancelled" if mode == "auto" else "completed")


def _call(seconds: float) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {
            "name": "esperar",
            "arguments": {"segundos": seconds},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }


ACCEPT = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
MODERN_HEADERS = {
    **ACCEPT,
    "MCP-Protocol-Version": "2026-07-28",
    "MCP-Method": "tools/call",
    "MCP-Name": "esperar",
}


async def _legacy_session(url: str) -> dict[str, str]:
    opening = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "antigo", "version": "1"},
        },
    }
    async with httpx2.AsyncClient(headers=ACCEPT, timeout=60) as http:
        answer = await http.post(url, json=opening)
        headers = {"MCP-Session-Id": answer.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert (await http.post(url, json=ready, headers=headers)).status_code == 202
    return ACCEPT | headers


async def _post_without_waiting(url: str, message: dict[str, Any], headers: dict[str, str]) -> asyncio.StreamWriter:
    """Send a call on a connection of our own, so that it can be broken."""
    at, body = urlsplit(url), orjson.dumps(message)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    lines = [f"{name}: {value}" for name, value in (headers | {"Host": at.netloc}).items()]
    head = "\r\n".join([f"POST {at.path} HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
    writer.write(head.encode() + body)
    await writer.drain()
    return writer


async def test_without_a_valid_token_there_is_no_way_in(house: str, conn: asyncpg.Connection) -> None:
    async with httpx2.AsyncClient(timeout=60) as http:
        for headers in ({}, {"Authorization": "Bearer errado"}):
            answer = await http.post(house, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=headers)
            assert answer.status_code == 401
    assert await rows(conn) == []


async def test_another_sites_page_cannot_reach_us(house: str) -> None:
    async with httpx2.AsyncClient(timeout=60) as http:
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        assert (await http.post(house, json=ping, headers={"Host": "evil.com"})).status_code == 421
        assert (await http.post(house, json=ping, headers={"Origin": "http://evil.com"})).status_code == 403


async def test_what_has_no_form_of_a_request_is_said_to_have_none(app: App, house: str) -> None:
    """And not by an error of Python's own."""
    _, secret = await app.tokens.create(LIBRARY, "claude", Role.AGENT)
    async with httpx2.AsyncClient(headers={**ACCEPT, "Authorization": f"Bearer {secret}"}, timeout=30) as http:
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        opened = await http.post(house, json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
        http.headers["Mcp-Session-Id"] = opened.headers["mcp-session-id"]
        for method, params in (
            ("prompts/get", {"name": "conciliacao", "arguments": {"conta": 5}}),
            ("prompts/get", {}),
            ("resources/read", {"uri": 5}),
            ("tools/call", {"name": 5}),
        ):
            answer = await http.post(house, json={"jsonrpc": "2.0", "id": 2, "method": method, "params": params})
            told = next(line for line in answer.text.splitlines() if line.startswith("data:"))
            error = orjson.loads(told.removeprefix("data:"))["error"]
            assert (error["code"], error["message"]) == (-32602, "Invalid request parameters"), method


async def test_a_thirty_megabyte_argument_is_refused_and_the_next_call_works(app: App, house: str) -> None:
    _, secret = await app.tokens.create(LIBRARY, "claude", Role.AGENT)
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, timeout=30) as http:
        big = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"' + b"a" * 30_000_000 + b'"}}'
        answer = await http.post(house, content=big, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert "2 MB" in answer.text
        broken = await http.post(house, content=b'{"a":"\xff"}', headers={"Content-Type": "application/json"})
        assert broken.status_code == 400
    async with client_of(house, "auto", Authorization=f"Bearer {secret}") as client:
        assert (await client.call_tool("estado_do_sistema", {})).structured_content["pronto"] is True


@pytest.mark.parametrize("mode", MODES)
async def test_a_token_is_the_actor_of_what_it_calls(app: App, house: str, conn: asyncpg.Connection, mode: Any) -> None:
    _, secret = await app.tokens.create(LIBRARY, "claude", Role.AGENT)
    async with client_of(house, mode, Authorization=f"Bearer {secret}") as client:
        await client.call_tool("estado_do_sistema", {})
        found = await client.call_tool("buscar_execucoes", {"tipo": "estado_do_sistema"})
        [line] = found.structured_content["execucoes"]
        shown = await client.call_tool("mostrar_execucao", {"execution_id": line["execution_id"]})
        assert shown.structured_content["ator"] == "token:claude"
    assert {row["actor"] for row in await rows(conn)} == {"token:claude"}
    assert secret not in str(await rows(conn))
