"""Migrations against a real server: each file once, in order, by one starter at a time."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from tests.conftest import TIMEZONE, Database, eventually

from omie_control.errors import Conflict, InvalidInput, StorageDown
from omie_control.postgres import patience
from omie_control.postgres.migrate import Migration, migrate, migrations, schema_version


async def test_a_second_run_applies_nothing(database: Database) -> None:
    assert await migrate(database.owner_url, timezone=TIMEZONE) == []
    assert await schema_version(database.owner_url) == migrations()[-1].name


async def test_an_empty_database_has_no_version(empty_database: str) -> None:
    assert await schema_version(empty_database) is None


async def test_two_starters_at_once_apply_each_file_once(empty_database: str) -> None:
    runs = await asyncio.gather(*(migrate(empty_database, timezone=TIMEZONE) for _ in range(4)))
    assert sorted(name for run in runs for name in run) == [migration.name for migration in migrations()]


async def test_a_changed_file_is_refused_by_name(database: Database) -> None:
    first, *rest = migrations()
    with pytest.raises(Conflict, match=first.name) as refusal:
        await migrate(database.owner_url, timezone=TIMEZONE, carried=[Migration(first.name, first.sql + "--"), *rest])
    assert refusal.value.code == "migracao_alterada"
    assert "\n" not in refusal.value.for_people()


async def test_a_database_newer_than_the_code_is_refused(database: Database) -> None:
    later = Migration("9999_later.sql", "select 1;")
    await migrate(database.owner_url, timezone=TIMEZONE, carried=[*migrations(), later])
    with pytest.raises(Conflict, match=r"9999_later\.sql") as refusal:
        await migrate(database.owner_url, timezone=TIMEZONE)
    assert refusal.value.code == "banco_mais_novo"


async def test_a_file_that_fails_leaves_nothing_and_can_run_again(database: Database) -> None:
    base = migrations()
    broken = Migration("9000_broken.sql", "create table half (id int); select 1/0;")
    with pytest.raises(StorageDown, match="division by zero"):
        await migrate(database.owner_url, timezone=TIMEZONE, carried=[*base, broken])
    mended = Migration("9000_broken.sql", "create table half (id int);")
    assert await migrate(database.owner_url, timezone=TIMEZONE, carried=[*base, mended]) == ["9000_broken.sql"]


async def test_a_file_without_transaction_may_build_an_index_concurrently_beside_a_waiting_starter(
    database: Database,
) -> None:
    online = Migration(
        "9000_online.sql",
        "-- no transaction\n-- A comment; with a semicolon inside.\n"
        "drop index concurrently if exists idx_online;\n"
        "create index concurrently if not exists idx_online on companies (name);\n",
    )
    carried = [*migrations(), online]
    runs = await asyncio.gather(*(migrate(database.owner_url, timezone=TIMEZONE, carried=carried) for _ in range(2)))
    assert sorted(runs) == [[], ["9000_online.sql"]]


async def test_a_table_in_use_is_waited_for_without_holding_up_its_readers(
    database: Database, owner_conn: asyncpg.Connection, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this test takes, it is not over with its tries.
    monkeypatch.setattr(patience, "_ATTEMPTS", 60)
    change = Migration("9000_change.sql", "alter table companies add column note text;")
    async with owner_conn.transaction():
        await owner_conn.execute("select from companies")
        run = asyncio.create_task(migrate(database.owner_url, timezone=TIMEZONE, carried=[*migrations(), change]))

        async def is_waiting() -> bool:
            return bool(
                await conn.fetchval(
                    "select exists (select from pg_locks where not granted and relation = 'companies'::regclass)"
                )
            )

        await eventually(is_waiting)
        # A reader behind the queued ALTER gets through as soon as that gives up its first try.
        await conn.fetchval("select count(*) from companies", timeout=60)
        assert not run.done()
    assert await run == ["9000_change.sql"]


async def test_the_database_itself_lives_in_our_time_zone(conn: asyncpg.Connection) -> None:
    assert await conn.fetchval("show timezone") == TIMEZONE


async def test_a_server_that_is_away_and_a_wrong_address_are_told_apart() -> None:
    with pytest.raises(StorageDown):
        await migrate("postgresql://nobody:hunter2@127.0.0.1:1/nothing", timezone=TIMEZONE)
    with pytest.raises(InvalidInput) as refusal:
        await migrate("mysql://nobody:hunter2@127.0.0.1/nothing", timezone=TIMEZONE)
    assert "hunter2" not in repr(refusal.value) and refusal.value.__cause__ is None


async def test_what_was_recorded_before_there_were_seals_waits_for_one(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    with_seals = next(migration for migration in migrations() if migration.name.startswith("0005"))
    for migration in migrations():
        if migration.name < with_seals.name:
            await connection.execute(migration.sql)
    ended = await connection.fetchval(
        "insert into process_executions (process_type, execution_id, status) values ('t', 'a', 'failed') returning id"
    )
    await connection.execute("insert into process_executions (process_type, execution_id) values ('t', 'b')")
    event = await connection.fetchval("insert into audit_events (actor, action) values ('a', 'b') returning id")
    await connection.execute(with_seals.sql)
    rows = await connection.fetch("select kind, ids from seal_queue order by kind")
    await connection.close()
    assert [(row["kind"], row["ids"]) for row in rows] == [(1, [ended]), (2, [event])]
