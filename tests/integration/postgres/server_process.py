"""One server process of the four: records so many executions from so many callers, and folds meanwhile.

Run as `python server_process.py <database url> <callers> <executions each>`; prints how many ends were its own.
"""

from __future__ import annotations

import asyncio
import sys
from zoneinfo import ZoneInfo

import pytest
from tests import patience
from tests.conftest import TIMEZONE
from tests.integration.postgres.recorded import call, finish_row, recording, start_row

from omie_control.domain.executions import Status
from omie_control.postgres.database import Postgres
from omie_control.postgres.rollups import fold


async def main(url: str, callers: int, each: int) -> None:
    patience.with_postgres(pytest.MonkeyPatch())
    postgres = Postgres(url, timezone=TIMEZONE, pool_size=1)
    await postgres.open()
    async with recording(url) as recorder:

        async def caller(number: int) -> int:
            ours = 0
            for turn in range(each):
                row = start_row(process_type=f"tipo_{number % 3}")
                await recorder.start(row)
                status = Status.FAILED if turn % 5 == 0 else Status.COMPLETED
                ours += await recorder.finish(finish_row(row, status=status, duration_ms=turn, calls=(call(), call())))
            return ours

        is_over = asyncio.Event()
        folding = asyncio.create_task(_fold_until(is_over, postgres))
        ours = await asyncio.gather(*(caller(number) for number in range(callers)))
        # Not cancelled: the driver may swallow a cancellation that meets an answer, and it would fold for ever.
        is_over.set()
        await folding
    await postgres.close()
    print(sum(ours))


async def _fold_until(is_over: asyncio.Event, postgres: Postgres) -> None:
    while not is_over.is_set():
        async with postgres.transaction() as connection:
            await fold(connection, ZoneInfo(TIMEZONE))
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
