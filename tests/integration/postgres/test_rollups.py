"""Roll-ups: what every process appended is folded exactly once, and the views show it before and after alike."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from tests.conftest import TIMEZONE, Database
from tests.integration.postgres.recorded import TYPE, call, finish_row, recording, start_row

from omie_control.domain.executions import Status
from omie_control.domain.metrics import bucket_of
from omie_control.postgres.rollups import AT_ONCE, fold

ZONE = ZoneInfo(TIMEZONE)
ROOT = Path(__file__).parents[3]


async def record(url: str, durations: list[int], *, status: Status = Status.COMPLETED, at: datetime) -> None:
    async with recording(url) as recorder:
        for duration in durations:
            row = start_row()
            await recorder.start(row)
            end = finish_row(row, status=status, duration_ms=duration, completed_at=at, calls=(call(at=at),))
            assert await recorder.finish(end)


async def usage(conn: asyncpg.Connection, source: str) -> list[tuple[Any, ...]]:
    rows = await conn.fetch(
        "select tool_name, category, usage_count, total_execution_time_ms, success_count, error_count,"
        f" avg_response_time_ms, success_rate, date_key, hour_key from {source} order by date_key, hour_key"
    )
    return [tuple(row) for row in rows]


async def test_repeated_folds_keep_averages_and_rates_right(database: Database, conn: asyncpg.Connection) -> None:
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    local = at.astimezone(ZONE)
    await record(database.app_url, [100, 201], at=at)
    assert await fold(conn, ZONE) > 0
    await record(database.app_url, [300], status=Status.FAILED, at=at)
    await fold(conn, ZONE)
    assert await fold(conn, ZONE) == 0
    expected = (TYPE, "comercial", 3, 601, 2, 1, 200, Decimal("66.67"), local.date(), local.hour)
    assert await usage(conn, "tool_usage_analytics") == [expected]


async def test_the_views_show_the_same_before_and_after_a_fold(database: Database, conn: asyncpg.Connection) -> None:
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    await record(database.app_url, [1, 50, 4000], at=at)
    views = ("usage_now", "rollup_minutes_now", "rollup_hours_now")
    before = [await conn.fetch(f"select * from {view} order by 1, 2, 3") for view in views]
    await fold(conn, ZONE)
    assert [await conn.fetch(f"select * from {view} order by 1, 2, 3") for view in views] == before
    assert await conn.fetchval("select count(*) from rollup_deltas") == 0
    (minute,) = await conn.fetch("select * from rollup_minutes where subject = 'tool'")
    assert minute["minute"] == at
    assert {name: minute[name] for name in minute.keys() if name[0] == "b" and minute[name]} == {  # noqa: SIM118
        f"b{bucket_of(duration):02}": 1 for duration in (1, 50, 4000)
    }


async def test_hours_and_dates_are_those_of_the_zone(database: Database, conn: asyncpg.Connection) -> None:
    # 01:30 in UTC is still the evening before in São Paulo.
    at = datetime.now(UTC).replace(hour=1, minute=30, second=0, microsecond=0)
    await record(database.app_url, [10], at=at)
    await fold(conn, ZONE)
    local = at.astimezone(ZONE)
    (found,) = await usage(conn, "tool_usage_analytics")
    assert found[-2:] == (local.date(), 22)


async def add_delta(conn: asyncpg.Connection, minute: datetime, *, count: int, succeeded: int, failed: int) -> None:
    await conn.execute(
        "insert into rollup_deltas (subject, name, minute, bucket, count, success_count, error_count, total_ms)"
        " values ('tool', $1, $2, 0, $3, $4, $5, 10 * $3)",
        TYPE,
        minute,
        count,
        succeeded,
        failed,
    )


async def test_an_hour_that_comes_twice_is_one_hour_of_usage(conn: asyncpg.Connection) -> None:
    # When the clocks go back, 01:30 is there twice; one fold often holds both.
    zone = ZoneInfo("America/New_York")
    first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert first.astimezone(zone).replace(tzinfo=None) == second.astimezone(zone).replace(tzinfo=None)
    for minute in (first, second):
        await add_delta(conn, minute, count=1, succeeded=1, failed=0)
    assert await fold(conn, zone) == 2
    expected = (TYPE, None, 2, 20, 2, 0, 10, Decimal("100.00"), first.astimezone(zone).date(), 1)
    assert await usage(conn, "tool_usage_analytics") == [expected]
    assert await conn.fetchval("select count(*) from rollup_hours") == 2


async def test_a_correction_that_is_folded_alone_moves_an_error_to_the_successes(conn: asyncpg.Connection) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    local = minute.astimezone(ZONE)
    await add_delta(conn, minute, count=1, succeeded=0, failed=1)
    assert await fold(conn, ZONE) == 1
    await add_delta(conn, minute, count=0, succeeded=1, failed=-1)
    assert await fold(conn, ZONE) == 1
    expected = (TYPE, None, 1, 10, 1, 0, 10, Decimal("100.00"), local.date(), local.hour)
    assert await usage(conn, "tool_usage_analytics") == [expected]


async def test_a_correction_that_comes_before_what_it_corrects_is_kept_until_then(conn: asyncpg.Connection) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    await add_delta(conn, minute, count=0, succeeded=1, failed=-1)
    assert await fold(conn, ZONE) == 1
    await add_delta(conn, minute, count=0, succeeded=-1, failed=1)
    assert await fold(conn, ZONE) == 1
    ((*_, average, rate, _, _),) = await usage(conn, "tool_usage_analytics")
    assert (average, rate) == (None, None)
    await add_delta(conn, minute, count=1, succeeded=1, failed=0)
    assert await fold(conn, ZONE) == 1
    ((*_, average, rate, _, _),) = await usage(conn, "tool_usage_analytics")
    assert (average, rate) == (10, Decimal("100.00"))


async def test_a_backlog_is_folded_piece_by_piece(conn: asyncpg.Connection) -> None:
    # One statement over all that a day without a folder leaves would never end within its time.
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await conn.execute(
        "insert into rollup_deltas (subject, name, minute, bucket, count, success_count, error_count, total_ms)"
        " select 'tool', 'tipo_' || n % 7, $1, n % 40, 1, 1, 0, 2 from generate_series(1, $2::integer) as n",
        at,
        AT_ONCE + 10,
    )
    assert await fold(conn, ZONE) == AT_ONCE
    assert await fold(conn, ZONE) == 10
    assert await fold(conn, ZONE) == 0
    for table in ("rollup_minutes", "rollup_hours"):
        sums = await conn.fetchrow(f"select sum(count), sum(total_ms) from {table}")
        assert sums is not None and tuple(sums) == (AT_ONCE + 10, 2 * (AT_ONCE + 10))


async def test_only_one_folder_works_at_a_time(database: Database, conn: asyncpg.Connection) -> None:
    await record(database.app_url, [10], at=datetime.now(UTC))
    other = await asyncpg.connect(database.app_url)
    async with conn.transaction():
        assert await fold(conn, ZONE) > 0
        assert await fold(other, ZONE) == 0
    await other.close()
    assert await conn.fetchval("select sum(usage_count) from tool_usage_analytics") == 1


async def test_four_processes_on_one_database_lose_and_double_nothing(
    database: Database, conn: asyncpg.Connection
) -> None:
    callers, each, processes = 8, 25, 4
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    script = str(Path(__file__).with_name("server_process.py"))
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, script, database.app_url, str(callers), str(each), env=environment, stdout=-1
        )
        for _ in range(processes)
    ]
    answers = await asyncio.gather(*(process.communicate() for process in running))
    assert [int(out) for out, _ in answers] == [callers * each] * processes
    await fold(conn, ZONE)
    total = callers * each * processes
    failed = callers * processes * len(range(0, each, 5))
    totals = await conn.fetchrow(
        "select sum(usage_count), sum(success_count), sum(error_count), sum(total_execution_time_ms)"
        " from tool_usage_analytics"
    )
    assert totals is not None
    assert tuple(totals) == (total, total - failed, failed, callers * processes * sum(range(each)))
    for grain in ("minutes", "hours"):
        sums = await conn.fetch(f"select subject, sum(count) from rollup_{grain} group by 1 order by 1")
        assert [tuple(row) for row in sums] == [("endpoint", total * 2), ("tool", total)]
    assert await conn.fetchval("select count(*) from omie_api_metrics") == total * 2
    assert await conn.fetchval("select count(*) from execution_bodies") == total
    assert await conn.fetchval("select count(*) from process_executions where status = 'running'") == 0
