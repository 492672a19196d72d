"""Processes in PostgreSQL: alive by heartbeat, and what the dead leave running is ended once and honestly."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from tests.conftest import TIMEZONE, Database, eventually
from tests.integration.postgres.rows import add_company, add_execution

from omie_control.domain.executions import Status
from omie_control.domain.metrics import bucket_of
from omie_control.postgres import executions, instances
from omie_control.postgres.rollups import fold
from omie_control.postgres.rows import FinishRow

LOST_AFTER = timedelta(seconds=8)


@pytest.fixture(autouse=True)
async def server_that_has_been_up(conn: asyncpg.Connection) -> None:
    """Nobody is taken for dead while PostgreSQL itself is younger than the silence that makes one so."""

    async def is_old_enough() -> bool:
        up = "select clock_timestamp() - pg_postmaster_start_time() > $1::interval"
        return bool(await conn.fetchval(up, LOST_AFTER))

    await eventually(is_old_enough, within=LOST_AFTER.total_seconds() + 60)


async def announce(conn: asyncpg.Connection, *, host: str = "here", silent: timedelta = -timedelta(hours=1)) -> UUID:
    """Announce a process. Unless it is silent it beats ahead of time, so that no busy machine makes it a dead one."""
    id = uuid4()
    await instances.register(conn, instances.Instance(id, "serve", host, "boot", 1234, 1.5, "0.1.0"))
    await conn.execute("update instances set heartbeat_at = now() - $2::interval where id = $1", id, silent)
    return id


async def test_a_process_lives_by_its_heartbeat(conn: asyncpg.Connection) -> None:
    young, old = await announce(conn), await announce(conn, silent=timedelta(minutes=1))
    assert [instance.id for instance in await instances.alive(conn, LOST_AFTER)] == [young]
    assert await instances.heartbeat(conn, old)
    assert {instance.id for instance in await instances.alive(conn, timedelta(seconds=50))} == {young, old}
    await instances.stop(conn, old)
    assert not await instances.heartbeat(conn, old)
    assert not await instances.heartbeat(conn, uuid4())
    assert [instance.id for instance in await instances.on_host(conn, "here")] == [young]
    assert await instances.on_host(conn, "elsewhere") == []


async def test_a_dead_process_leaves_timeouts_of_reads_and_uncertain_writes_with_an_alert_each(
    conn: asyncpg.Connection,
) -> None:
    dead = await announce(conn, silent=timedelta(minutes=1))
    company = await add_company(conn, "padaria")
    _, read = await add_execution(conn, instance_id=dead, attempt=1, ago=timedelta(seconds=90))
    write_id, write = await add_execution(
        conn,
        process_type="incluir_cliente",
        instance_id=dead,
        attempt=1,
        writes=True,
        company_id=company,
        omie_endpoint="geral/clientes/IncluirCliente",
        ago=timedelta(seconds=30),
    )
    changes = {change.execution_id: change for change in await instances.rescue(conn, LOST_AFTER)}
    assert {name: change.status for name, change in changes.items()} == {
        read: Status.TIMEOUT,
        write: Status.UNCERTAIN,
    }
    assert changes[write].company_id == company
    ended = await executions.find(conn, read)
    assert ended is not None and ended.error_code == "instance_lost" and ended.completed_at is not None
    assert ended.duration_ms is not None and 90_000 <= ended.duration_ms < 600_000
    assert "chame de novo" in (ended.error_message or "")
    unclear = await executions.find(conn, write)
    assert unclear is not None and "Não repita" in (unclear.error_message or "")
    (alert,) = await conn.fetch("select * from integration_alerts")
    assert (alert["alert_type"], alert["severity"]) == ("execution_uncertain", "critical")
    assert (alert["process_execution_id"], alert["endpoint"]) == (write_id, "geral/clientes/IncluirCliente")
    assert json.loads(alert["context_data"])["execution_id"] == write
    (delta,) = await conn.fetch("select * from rollup_deltas")
    assert (delta["name"], delta["count"], delta["error_count"]) == ("consultar_clientes", 1, 1)
    assert delta["bucket"] == bucket_of(ended.duration_ms)
    assert await instances.rescue(conn, LOST_AFTER) == []


async def test_only_running_rows_of_dead_processes_are_touched(conn: asyncpg.Connection) -> None:
    alive, dead = await announce(conn), await announce(conn, silent=timedelta(minutes=1))
    await add_execution(conn, instance_id=alive, ago=timedelta(hours=9))
    await add_execution(conn, ago=timedelta(days=9))  # written by hand: of no process
    await add_execution(conn, instance_id=dead, status="queued")
    await add_execution(conn, instance_id=dead, status="completed")
    # Its process is only now being announced.
    await add_execution(conn, instance_id=uuid4(), ago=-timedelta(hours=1))
    assert await instances.rescue(conn, LOST_AFTER) == []
    _, orphan = await add_execution(conn, instance_id=uuid4(), ago=timedelta(minutes=1))
    assert [change.execution_id for change in await instances.rescue(conn, LOST_AFTER)] == [orphan]


async def test_a_process_known_to_be_gone_or_that_said_goodbye_is_not_waited_for(conn: asyncpg.Connection) -> None:
    gone, left = await announce(conn), await announce(conn)
    _, first = await add_execution(conn, instance_id=gone, ago=timedelta(seconds=2))
    _, second = await add_execution(conn, instance_id=left, ago=timedelta(seconds=1))
    assert await instances.rescue(conn, LOST_AFTER) == []
    await instances.stop(conn, left)
    changes = await instances.rescue(conn, LOST_AFTER, gone=[gone])
    assert {change.execution_id for change in changes} == {first, second}


async def test_a_rescue_takes_no_more_than_its_limit_and_the_oldest_first(conn: asyncpg.Connection) -> None:
    dead = await announce(conn, silent=timedelta(minutes=1))
    names = [(await add_execution(conn, instance_id=dead, ago=timedelta(minutes=n)))[1] for n in (3, 2, 1)]
    assert {change.execution_id for change in await instances.rescue(conn, LOST_AFTER, limit=2)} == set(names[:2])
    assert [change.execution_id for change in await instances.rescue(conn, LOST_AFTER, limit=2)] == names[2:]


async def test_two_rescuers_at_once_share_the_work(conn: asyncpg.Connection, database: Database) -> None:
    dead = await announce(conn, silent=timedelta(minutes=1))
    for _ in range(60):
        await add_execution(conn, instance_id=dead, writes=True, ago=timedelta(minutes=1))
    second = await asyncpg.connect(database.app_url)

    async def all_of(connection: asyncpg.Connection) -> list[str]:
        found: list[str] = []
        while some := await instances.rescue(connection, LOST_AFTER, limit=7):
            found += [change.execution_id for change in some]
        return found

    first_found, second_found = await asyncio.gather(all_of(conn), all_of(second))
    await second.close()
    assert len(first_found) + len(second_found) == 60 == len({*first_found, *second_found})
    assert await conn.fetchval("select count(*) from integration_alerts") == 60


async def test_a_row_that_its_process_ends_meanwhile_keeps_its_own_end(
    conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    dead = await announce(conn, silent=timedelta(minutes=1))
    id, _ = await add_execution(conn, instance_id=dead, attempt=1, ago=timedelta(minutes=1))
    async with owner_conn.transaction():
        await owner_conn.execute("update process_executions set status = 'completed' where id = $1", id)
        assert await instances.rescue(conn, LOST_AFTER) == []
    assert await conn.fetchval("select status::text from process_executions where id = $1", id) == "completed"


async def test_the_forgotten_are_those_long_gone_that_left_nothing_running(conn: asyncpg.Connection) -> None:
    month = timedelta(days=30)
    await announce(conn, silent=month)
    busy, young = await announce(conn, silent=month), await announce(conn)
    await add_execution(conn, instance_id=busy)
    assert await instances.prune(conn, timedelta(days=7)) == 1
    assert {row["id"] for row in await conn.fetch("select id from instances")} == {busy, young}


async def test_a_process_taken_for_dead_has_the_last_word_on_what_it_was_running(conn: asyncpg.Connection) -> None:
    alive_after_all = await announce(conn, silent=timedelta(minutes=1))
    row = await add_execution(conn, instance_id=alive_after_all, writes=False)
    (change,) = await instances.rescue(conn, LOST_AFTER)
    assert change.status is Status.TIMEOUT
    found = await executions.find(conn, change.execution_id)
    assert found is not None
    end = FinishRow(found.id, found.attempt, Status.COMPLETED, datetime.now(UTC), 12, response_data='{"ok": true}')
    assert await executions.correct_lost(conn, end)
    assert not await executions.correct_lost(conn, end), "only once"
    after = await executions.find(conn, change.execution_id)
    assert after is not None
    assert (after.status, after.response_data, after.error_code) == (Status.COMPLETED, {"ok": True}, None)
    counts = "select sum(count), sum(success_count), sum(error_count) from rollup_deltas where subject = 'tool'"
    assert tuple(await conn.fetchrow(counts)) == (1, 1, 0)
    assert row is not None


async def test_a_late_last_word_is_counted_in_the_minute_of_the_rescue_and_can_be_folded(
    conn: asyncpg.Connection,
) -> None:
    alive_after_all = await announce(conn, silent=timedelta(minutes=1))
    await add_execution(conn, instance_id=alive_after_all, attempt=1, writes=False)
    (change,) = await instances.rescue(conn, LOST_AFTER)
    found = await executions.find(conn, change.execution_id)
    assert found is not None
    await fold(conn, ZoneInfo(TIMEZONE))
    later = datetime.now(UTC) + timedelta(hours=2)
    end = FinishRow(found.id, found.attempt, Status.COMPLETED, later, 12)
    assert await executions.correct_lost(conn, end)
    await fold(conn, ZoneInfo(TIMEZONE))
    for table in ("rollup_minutes", "rollup_hours"):
        counts = await conn.fetch(f"select count, success_count, error_count from {table} where subject = 'tool'")
        assert [tuple(row) for row in counts] == [(1, 1, 0)]
    used = await conn.fetch("select usage_count, success_count, error_count, success_rate from tool_usage_analytics")
    assert [tuple(row) for row in used] == [(1, 1, 0, 100)]
