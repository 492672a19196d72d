"""`ProcessController` in anybody's Python: blocks, methods and servers that share one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.mcp_serving import ended, is_running, rows

from omie_control.app import ProcessController
from omie_control.domain.actors import LIBRARY
from omie_control.errors import Conflict

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_block_in_a_generator_that_nobody_reads_to_its_end_is_ended(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    """The event loop closes such a generator later, in a task and a context of its own."""

    async def lines() -> AsyncIterator[int]:
        async with controller.track("ler_linhas"):
            yield 1
            yield 2

    async def read_one() -> None:
        async for _ in lines():
            break

    await asyncio.create_task(read_one())
    row = await ended(conn, "ler_linhas")
    assert (row["status"], row["error_code"]) == ("cancelled", "cliente_desistiu")


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


async def test_servers_that_share_a_controller_close_it_with_the_last(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    async with controller.lifespan():
        async with controller.lifespan():
            pass
        assert controller.db.is_open
        async with controller.track("depois"):
            pass
    assert not controller.db.is_open
    await controller.ready()
    assert [row["status"] for row in await rows(conn, "depois")] == ["completed"]
