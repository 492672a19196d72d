"""A server of somebody else's under our control, on a database of the test's own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.tools import ToolResult
from mcp_types import InputRequiredResult, ToolAnnotations
from pydantic import BaseModel
from tests import patience
from tests.conftest import TIMEZONE, Database, at_database, run_on
from tests.mcp_serving import settings_for

from omie_control.app import DatabaseManager, ProcessController
from omie_control.mcp.control import control


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Wait longer for the servers than in life: no test here asks how long."""
    with pytest.MonkeyPatch.context() as patch:
        patience.with_postgres(patch)
        patience.with_valkey(patch)
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home_database(postgres_server: str, template: Database) -> AsyncIterator[Database]:
    """Make one database for all tests of a module: each finds it emptied, which is quicker than another."""
    name = f"{template.name}_{secrets.token_hex(4)}"
    await run_on(postgres_server, f"create database {name} template {template.name}")
    await run_on(postgres_server, f"alter database {name} set timezone = '{TIMEZONE}'")
    owner_url, app_url = at_database(template.owner_url, name), at_database(template.app_url, name)
    yield replace(template, name=name, owner_url=owner_url, app_url=app_url)
    await run_on(postgres_server, f"drop database {name} with (force)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def controller(
    home_database: Database, shared_valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ProcessController]:
    settings = settings_for(home_database, shared_valkey_url, tmp_path_factory.mktemp("home"))
    made = ProcessController(DatabaseManager(settings))
    await made.ready()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def conn(home_database: Database, controller: ProcessController) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to the module's database, without executions."""
    connection = await asyncpg.connect(home_database.owner_url)
    await connection.execute("delete from process_executions")
    yield connection
    await connection.close()


@pytest.fixture
def server(controller: ProcessController) -> FastMCP[Any]:
    mcp: FastMCP[Any] = FastMCP("loja", mask_error_details=True)
    mcp.add_middleware(control(controller))
    _add_plain_tools(mcp)
    _add_tools_with_children(mcp, controller)
    return mcp


class Pedido(BaseModel):
    """What a tool reads from somewhere else, and finds wrong."""

    total: int


def _add_plain_tools(mcp: FastMCP[Any]) -> None:
    @mcp.tool(
        annotations=ToolAnnotations(read_only_hint=True),
        tags={"categoria:financeiro", "complexidade:avancada"},
    )
    async def somar(a: int, b: int) -> int:
        return a + b

    @mcp.tool
    def somar_devagar(a: int) -> int:
        return a + 1

    @mcp.tool
    async def recusar(motivo: str) -> str:
        raise ToolError(motivo)

    @mcp.tool
    async def quebrar(senha: str) -> str:
        raise RuntimeError(f"conexão recusada para {senha}")

    @mcp.tool
    async def ler_pedido(total: str) -> int:
        return Pedido.model_validate({"total": total}).total

    @mcp.tool
    async def responder_erro() -> ToolResult:
        return ToolResult(content="saldo insuficiente", is_error=True)

    @mcp.tool(timeout=0.1)
    async def passar_do_tempo() -> str:
        await asyncio.sleep(30)
        return "tarde"

    @mcp.tool
    async def esperar(segundos: float) -> str:
        await asyncio.sleep(segundos)
        return "pronto"

    @mcp.tool
    async def perguntar() -> InputRequiredResult:
        return InputRequiredResult(result_type="input_required", request_state="passo 1")


def _add_tools_with_children(mcp: FastMCP[Any], controller: ProcessController) -> None:
    @mcp.tool
    async def fechar(ctx: Context) -> str:
        async with controller.track("etapa", {"n": 1}) as run:
            run.result = {"ok": True}
        await ctx.fastmcp.call_tool("somar", {"a": 1, "b": 2})
        return "fechado"

    @mcp.tool
    @controller.process("conciliar_extrato", category="financeiro", complexity="especializada")
    async def conciliar(conta: int) -> dict[str, int]:
        return {"conta": conta}

    @mcp.tool
    async def conciliar_duas() -> str:
        await conciliar(1)
        await conciliar(2)
        return "duas"
