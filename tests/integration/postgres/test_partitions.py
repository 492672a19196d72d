"""Months come and go under traffic: nobody waits behind a long reader, nobody deadlocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import asyncpg
from tests.conftest import Database, eventually
from tests.integration.postgres.rows import add_execution

# What a batch does: an execution and its call in one statement.
BATCH = """
with started as (
    insert into process_executions (process_type, execution_id) values ('t', uuid7()::text) returning id
)
insert into omie_api_metrics (endpoint, process_execution_id) select 'a/b/C', id from started
"""


class Traffic:
    """Inserts without a pause. Held up by a lock for longer than any change takes, one fails, and with it the test."""

    def __init__(self) -> None:
        self.done = 0

    async def run(self, connection: asyncpg.Connection) -> None:
        await connection.execute("set lock_timeout = '20s'")
        while True:
            await connection.execute(BATCH)
            self.done += 1


@asynccontextmanager
async def traffic(database: Database) -> AsyncIterator[Traffic]:
    connection = await asyncpg.connect(database.app_url)
    load = Traffic()
    task = asyncio.create_task(load.run(connection))
    try:
        yield load
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        connection.terminate()


@asynccontextmanager
async def long_reader(database: Database) -> AsyncIterator[None]:
    connection = await asyncpg.connect(database.app_url)
    async with connection.transaction():
        await connection.fetch("select count(*) from process_executions")
        await connection.fetch("select count(*) from omie_api_metrics")
        yield
    await connection.close()


async def test_an_old_month_leaves_while_inserts_go_on(
    database: Database, conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    last = datetime.now(UTC).replace(day=1) - timedelta(days=15)
    id, _ = await add_execution(conn, ago=datetime.now(UTC) - last)
    await conn.execute(
        "insert into omie_api_metrics (endpoint, process_execution_id, timestamp) values ('a/b/C', $1, $2)", id, last
    )
    month = f"{last:%Y_%m}"
    async with traffic(database) as load:
        await owner_conn.execute("set lock_timeout = '60s'")
        for parent in ("omie_api_metrics", "execution_bodies", "process_executions"):
            await owner_conn.execute(f"alter table {parent} detach partition {parent}_{month} concurrently")
            await owner_conn.execute(f"drop table {parent}_{month}")
        seen = load.done

        async def goes_on() -> bool:
            return load.done > seen + 10

        await eventually(goes_on)
    assert await conn.fetchval("select count(*) from process_executions where id = $1", id) == 0
    assert await conn.fetchval("select to_regclass($1) is null", f"process_executions_{month}")


async def test_a_month_is_made_behind_a_long_reader_without_holding_up_the_inserts(
    database: Database, conn: asyncpg.Connection
) -> None:
    async with traffic(database) as load, long_reader(database):
        assert await conn.fetchval("select make_partitions('2035-01-01', 2)", timeout=60) == 6
        seen = load.done

        async def goes_on() -> bool:
            return load.done > seen + 10

        await eventually(goes_on)


async def test_two_makers_at_once_make_each_month_once(database: Database, conn: asyncpg.Connection) -> None:
    second = await asyncpg.connect(database.app_url)

    async def make(connection: asyncpg.Connection) -> int:
        while True:
            # The maker does not wait for another one for longer than two seconds.
            with suppress(asyncpg.LockNotAvailableError):
                return int(await connection.fetchval("select make_partitions('2036-01-01', 6)"))

    made = await asyncio.gather(make(conn), make(second))
    await second.close()
    assert sorted(made) == [0, 18]


async def test_a_row_finds_its_month_to_the_millisecond(conn: asyncpg.Connection) -> None:
    await conn.execute("select make_partitions('2034-01-01', 2)")
    for instant, month in (("2034-01-31 23:59:59.999+00", "2034_01"), ("2034-02-01 00:00:00+00", "2034_02")):
        row = await conn.fetchrow(
            "insert into process_executions (id, process_type, execution_id) "
            "values (uuid7($1::text::timestamptz), 't', $1) returning tableoid::regclass::text as place",
            instant,
        )
        assert row is not None and row["place"] == f"process_executions_{month}"
