"""When nothing can be recorded, nothing runs, and the caller is told why: even of a refusal."""

from __future__ import annotations

from typing import Any, NoReturn, cast

import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError

from omie_control.app import ProcessController
from omie_control.errors import ControlError, Overloaded, StorageDown
from omie_control.mcp.control import control
from omie_control.settings import Settings


class NoRoom:
    """A controller whose recorder takes nothing."""

    def __init__(self, error: ControlError) -> None:
        self.db = self
        self.executions = self
        self.settings = Settings()
        self._error = error

    async def ready(self) -> NoRoom:
        return self

    async def begin(self, request: object) -> NoReturn:
        raise self._error

    async def refuse(self, request: object, error: ControlError) -> NoReturn:
        raise self._error


@pytest.mark.parametrize(("error", "said"), [(Overloaded(), "no limite"), (StorageDown(), "fora do ar")])
@pytest.mark.parametrize("tool", ["vender", "inexistente"])
async def test_nothing_runs_that_cannot_be_recorded(error: ControlError, said: str, tool: str) -> None:
    ran: list[str] = []
    server: FastMCP[Any] = FastMCP("loja")
    server.add_middleware(control(cast("ProcessController", NoRoom(error))))

    @server.tool
    async def vender() -> str:
        ran.append("vendido")
        return "vendido"

    async with Client(server) as client:
        with pytest.raises(ToolError, match=said):
            await client.call_tool(tool, {})
    assert ran == []
