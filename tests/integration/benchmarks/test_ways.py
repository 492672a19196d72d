"""What the benchmarks measure is recorded as they say: our whole way, and our statement with a part taken away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from benchmarks import disk, variants
from benchmarks.ours import Bare, Full
from benchmarks.servers import servers
from tests import patience
from tests.conftest import Database

from omie_control.valkey import connection


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for the servers than in life: what is measured here is what is recorded, not how fast."""
    patience.with_postgres(monkeypatch)
    patience.with_valkey(monkeypatch)


async def test_without_roll_ups_a_row_is_recorded_and_nothing_is_counted(
    database: Database, conn: asyncpg.Connection
) -> None:
    way = Bare(database.app_url, masks=True)
    await way.open()
    with variants.WithoutRollups():
        await asyncio.gather(*(way.run(turn) for turn in range(3)))
    await way.close()
    assert await conn.fetchval("select count(*) from process_executions where status = 'completed'") == 3
    assert await conn.fetchval("select count(*) from omie_api_metrics") == 3
    assert await conn.fetchval("select count(*) from rollup_deltas") == 0


@pytest.mark.parametrize(("seals", "is_live"), [(True, True), (False, True), (True, False)])
async def test_a_part_of_the_whole_is_taken_away_and_nothing_else(
    database: Database, conn: asyncpg.Connection, valkey_url: str, tmp_path: Path, *, seals: bool, is_live: bool
) -> None:
    way = Full(database.app_url, valkey_url, tmp_path, seals=seals, is_live=is_live)
    await way.open()
    await asyncio.gather(*(way.run(turn) for turn in range(3)))
    await way.close()
    assert await conn.fetchval("select count(*) from process_executions where status = 'completed'") == 3
    assert await conn.fetchval("select count(*) from process_executions where commitment is not null") == 3
    assert await conn.fetchval("select count(*) from execution_bodies") == (3 if seals else 0)
    redis = connection.connect(valkey_url)
    assert len([key async for key in redis.scan_iter("*process:*")]) == (3 if is_live else 0)
    await redis.aclose()


async def test_bytes_are_measured_of_a_month_that_was_really_made_small() -> None:
    async with servers() as at:
        theirs, fresh, small, _ = await disk.measure(at, 160)
    # So few rows say nothing of the goals, but bodies are gone and rows have shrunk.
    assert fresh.tables["execution_bodies"].heap > 0
    assert "execution_bodies" not in small.tables
    assert small.tables["process_executions"].heap < fresh.tables["process_executions"].heap
    assert theirs.tables["process_executions"].heap > 160
