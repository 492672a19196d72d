"""The doors to PostgreSQL: their time zone, their limits, and what their errors become."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.conftest import TIMEZONE, Database
from tests.integration.postgres.recorded import wired

from omie_control.errors import Conflict, InvalidInput, StorageDown
from omie_control.postgres.database import Postgres


@pytest.fixture
async def postgres(database: Database) -> AsyncIterator[Postgres]:
    opened = Postgres(database.app_url, owner_url=database.owner_url, read_url=database.reader_url, timezone=TIMEZONE)
    await opened.open()
    yield opened
    await opened.close()


async def test_every_session_has_the_houses_time_zone(postgres: Postgres) -> None:
    writer, owner = await postgres.connect_writer(), await postgres.connect_owner()
    async with postgres.transaction() as tx, postgres.reading() as reader:
        zones = [await connection.fetchval("show timezone") for connection in (tx, reader, writer, owner)]
    await writer.close()
    await owner.close()
    assert zones == [TIMEZONE] * 4


async def test_the_readers_pool_cannot_write(postgres: Postgres) -> None:
    with pytest.raises(StorageDown):
        async with postgres.reading() as reader:
            await reader.execute("update process_executions set actor = 'x'")


async def test_the_writers_plans_are_pinned_to_index_look_ups(postgres: Postgres) -> None:
    writer = await postgres.connect_writer()
    assert await writer.fetchval("show plan_cache_mode") == "force_generic_plan"
    assert await writer.fetchval("show enable_seqscan") == "off"
    assert await writer.fetchval("show synchronous_commit") == "on"
    await writer.close()


async def test_an_error_rolls_the_transaction_back(postgres: Postgres) -> None:
    insert = "insert into schedules (name, every) values ('x', '1 minute')"
    with pytest.raises(Conflict):
        async with postgres.transaction() as tx:
            await tx.execute(insert)
            await tx.execute(insert)
    async with postgres.reading() as reader:
        assert await reader.fetchval("select count(*) from schedules where name = 'x'") == 0
    assert postgres.is_up


async def test_a_lost_server_is_said_with_the_time_and_a_found_one_too(database: Database) -> None:
    async with wired(database.app_url) as (wire, url):
        postgres = Postgres(url, timezone=TIMEZONE)
        await postgres.open()
        wire.lose_next_request = wire.refuses = True
        for _ in range(2):
            with pytest.raises(StorageDown):
                async with postgres.transaction() as tx:
                    await tx.fetchval("select 1")
        assert not postgres.is_up
        assert postgres.down_since is not None
        wire.refuses = False
        async with postgres.transaction() as tx:
            assert await tx.fetchval("select 1") == 1
        assert postgres.is_up
        await postgres.close()


async def test_a_wrong_address_is_said_without_its_password() -> None:
    postgres = Postgres("postgresql://user:s3cret@[half/x", timezone=TIMEZONE)
    with pytest.raises(InvalidInput) as raised:
        await postgres.open()
    assert "s3cret" not in repr(raised.getrepr(style="native"))


async def test_a_server_that_is_not_there_is_storage_down() -> None:
    postgres = Postgres("postgresql://user:s3cret@127.0.0.1:1/x", timezone=TIMEZONE)
    with pytest.raises(StorageDown) as raised:
        await postgres.open()
    assert "s3cret" not in str(raised.value.__cause__)


async def test_a_server_that_does_not_keep_what_it_confirms_is_refused(
    database: Database, owner_conn: asyncpg.Connection
) -> None:
    await owner_conn.execute(f"alter database {database.name} set synchronous_commit = off")
    postgres = Postgres(database.app_url, timezone=TIMEZONE)
    with pytest.raises(InvalidInput, match="synchronous_commit"):
        await postgres.open()
