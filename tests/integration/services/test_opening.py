"""Opening: as often as one likes, in whatever event loop runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.conftest import Database
from tests.mcp_serving import settings_for

from omie_control.app import DatabaseManager, ProcessController
from omie_control.domain.executions import Status


@pytest.fixture
async def controller(database: Database, valkey_url: str, tmp_path: Path) -> ProcessController:
    return ProcessController(DatabaseManager(settings_for(database, valkey_url, tmp_path)))


async def test_a_program_may_open_and_close_in_one_event_loop_after_another(controller: ProcessController) -> None:
    """A module's own controller, and `asyncio.run` for each command or test."""

    async def work() -> list[Status]:
        async def one(number: int) -> str:
            async with controller.track("importar", {"n": number}) as run:
                return run.execution_id

        try:
            done = await asyncio.gather(*(one(number) for number in range(20)))
            return [(await controller.get_process(execution_id)).status for execution_id in done]
        finally:
            await asyncio.gather(controller.close(), controller.close())

    for _ in range(3):
        assert await asyncio.to_thread(asyncio.run, work()) == [Status.COMPLETED] * 20
