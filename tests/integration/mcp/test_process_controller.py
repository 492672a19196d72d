"""`ProcessController` in anybody's Python: blocks, methods and servers that share one."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from tests.mcp_serving import ended, is_running, rows

from omie_control.app import ProcessController
from omie_control.domain.actors import LIBRARY
from omie_control.errors import Conflict

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_operators_cancel_stops_the_block_and_not_the_task_around_it(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    async def work() -> str:
        with pytest.raises(Conflict, match="manutenção"):
            async with controller.track("fechar_mes"):
                await asyncio.sleep(60)
        async with asyncio.timeout(60):
            return "vivo"

    task = asyncio.create_task(work())
    await is_running(conn, "fechar_mes")
    [row] = await rows(conn, "fechar_mes")
    await (await controller.ready()).executions.cancel(LIBRARY, row["execution_id"], "manutenção")
    assert await task == "vivo"
    assert task.cancelling() == 0
    assert (await ended(conn, "fechar_mes"))["status"] == "cancelled"
