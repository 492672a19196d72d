"""Tools that stand for others, mounted from another server or under another name: one record, and our words."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx2
import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.tools import Tool
from tests.mcp_serving import MODES, ended, rows

from omie_control.app import ProcessController
from omie_control.mcp.control import control

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("mode", MODES)]


@pytest.fixture
def branch(controller: ProcessController) -> FastMCP[Any]:
    """Make the server that gets mounted."""
    branch: FastMCP[Any] = FastMCP("filial", mask_error_details=True)

    @branch.tool
    @controller.process("fechar_caixa", category="financeiro", complexity="avancada", writes=True)
    async def fechar(dia: str) -> str:
        return f"fechado: {dia}"

    @branch.tool(timeout=0.1)
    async def passar_do_tempo() -> str:
        await asyncio.sleep(30)
        return "tarde"

    @branch.tool
    async def quebrar() -> str:
        raise RuntimeError("conexão recusada")

    return branch


@pytest.fixture
def server(controller: ProcessController, branch: FastMCP[Any]) -> FastMCP[Any]:
    """Make the server that mounts it, under control."""
    mcp: FastMCP[Any] = FastMCP("matriz", mask_error_details=True)
    mcp.add_middleware(control(controller))
    mcp.mount(branch, namespace="filial")
    return mcp


async def _only_row_is_the_declared(conn: asyncpg.Connection) -> None:
    [row] = await rows(conn)
    assert (row["process_type"], row["status"], row["writes"]) == ("fechar_caixa", "completed", True)
    assert (row["category"], row["complexity"]) == ("financeiro", "avancada")


async def test_a_decorated_tool_that_was_mounted_is_one_execution(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        assert (await client.call_tool("filial_fechar", {"dia": "hoje"})).data == "fechado: hoje"
    await _only_row_is_the_declared(conn)


async def test_a_decorated_tool_under_another_name_is_one_execution(
    server: FastMCP[Any], branch: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    tool = await branch.get_tool("fechar")
    assert tool is not None
    server.add_tool(Tool.from_tool(tool, name="encerrar"))
    async with Client(server, mode=mode) as client:
        assert (await client.call_tool("encerrar", {"dia": "hoje"})).data == "fechado: hoje"
    await _only_row_is_the_declared(conn)


async def test_a_mounted_server_with_control_of_its_own_keeps_its_own_record(
    server: FastMCP[Any], branch: FastMCP[Any], controller: ProcessController, conn: asyncpg.Connection, mode: Any
) -> None:
    branch.add_middleware(control(controller))
    async with Client(server, mode=mode) as client:
        await client.call_tool("filial_fechar", {"dia": "hoje"})
    outer, inner = await rows(conn)
    assert (outer["process_type"], inner["process_type"]) == ("filial_fechar", "fechar_caixa")
    assert inner["parent_id"] == outer["id"]


async def test_the_time_limit_of_a_mounted_tool_ends_it_as_timeout(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match="tempo limite"):
            await client.call_tool("filial_passar_do_tempo", {})
    assert (await ended(conn, "filial_passar_do_tempo"))["status"] == "timeout"


async def test_an_unexpected_exception_of_a_mounted_tool_is_told_in_our_words(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=r"(?s)erro interno.*O que fazer.*execution_id"):
            await client.call_tool("filial_quebrar", {})
    assert (await ended(conn, "filial_quebrar"))["error_message"] == "RuntimeError: conexão recusada"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx2.ReadTimeout("sem resposta"), "não respondeu a tempo"),
        (
            httpx2.HTTPStatusError("429", request=httpx2.Request("GET", "http://x"), response=httpx2.Response(429)),
            "pede que se espere",
        ),
    ],
)
async def test_what_fastmcp_says_of_a_service_behind_a_tool_is_told_in_our_words(
    server: FastMCP[Any], error: Exception, said: str, mode: Any
) -> None:
    """FastMCP tells every caller to retry, in English: also of a tool that may have written."""

    @server.tool
    async def consultar_fora() -> str:
        raise error

    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=f"(?s){said}.*O que fazer") as caught:
            await client.call_tool("consultar_fora", {})
    assert "retry" not in str(caught.value)
