"""A replica that is read from: away at the start, lost meanwhile, back again; and a search that takes too long."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.conftest import TIMEZONE, Database, at_database, run_on
from tests.ports import port_of, reserved

from omie_control.errors import Overloaded, StorageDown
from omie_control.postgres import replica
from omie_control.postgres.database import Postgres
from omie_control.telemetry import Event, subscribe


@pytest.fixture
def told() -> Iterator[list[Event]]:
    """Give what was told of the replica and of the primary."""
    heard: list[Event] = []
    about = {Event.REPLICA_LOST, Event.REPLICA_BACK, Event.STORAGE_LOST, Event.STORAGE_BACK}
    end = subscribe(lambda event, facts: heard.append(event) if event in about else None)
    yield heard
    end()


@pytest.fixture
async def other(postgres_server: str, template: Database) -> AsyncIterator[Database]:
    """Give a second database that plays the replica."""
    name = f"{template.name}_{secrets.token_hex(4)}"
    await run_on(postgres_server, f"create database {name} template {template.name}")
    urls = (at_database(url, name) for url in (template.owner_url, template.app_url, template.reader_url))
    yield Database(name, *urls)
    await run_on(postgres_server, f"drop database {name} with (force)")


@asynccontextmanager
async def reader(database: Database, read_url: str, **more: Any) -> AsyncIterator[Postgres]:
    opened = Postgres(database.app_url, owner_url=database.owner_url, read_url=read_url, timezone=TIMEZONE, **more)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def where(postgres: Postgres) -> str:
    async with postgres.reading() as connection:
        return str(await connection.fetchval("select current_database()"))


async def test_a_replica_that_is_not_there_stops_no_start_and_no_reading(database: Database, told: list[Event]) -> None:
    with reserved() as nobody:
        async with reader(database, f"postgresql://u:p@127.0.0.1:{port_of(nobody)}/x") as postgres:
            assert [await where(postgres) for _ in range(3)] == [database.name] * 3
            assert postgres.is_up
            assert await postgres.replica_answers() is False
    assert told == [Event.REPLICA_LOST]


async def test_a_replica_that_is_lost_is_done_without_until_it_is_back(
    database: Database, other: Database, postgres_server: str, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "_AWAY_SECONDS", 3600.0)
    async with reader(database, other.app_url) as postgres:
        assert await where(postgres) == other.name
        assert await postgres.replica_answers() is True
        with pytest.raises(StorageDown):
            async with postgres.reading() as connection:
                pid = await connection.fetchval("select pg_backend_pid()")
                await run_on(
                    postgres_server,
                    f"alter database {other.name} allow_connections false",
                    f"select pg_terminate_backend({pid}, 60000)",
                )
                await connection.fetchval("select 1")
        assert [await where(postgres) for _ in range(3)] == [database.name] * 3
        await run_on(postgres_server, f"alter database {other.name} allow_connections true")
        assert await where(postgres) == database.name, "it is left alone for a while"
        monkeypatch.setattr(replica, "_AWAY_SECONDS", 0.0)
        postgres._replica._away_until = 0.0  # type: ignore[union-attr]
        assert await where(postgres) == other.name
        assert postgres.is_up
    assert told == [Event.REPLICA_LOST, Event.REPLICA_BACK]


async def test_a_replica_whose_connections_are_all_in_use_is_busy_and_not_away(
    database: Database, other: Database, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reader(database, other.app_url, pool_size=1) as postgres:
        async with postgres.reading():
            monkeypatch.setattr(postgres._replica, "_connect_seconds", 0.2)
            with pytest.raises(StorageDown):
                await where(postgres)
        assert await where(postgres) == other.name
    assert told == []


async def test_a_reading_that_takes_too_long_is_told_as_that_and_not_as_an_outage(
    postgres: Postgres, told: list[Event]
) -> None:
    with pytest.raises(Overloaded) as caught:
        async with postgres.reading() as connection, connection.transaction():
            await connection.execute("set local statement_timeout = '50ms'")
            await connection.execute("select pg_sleep(60)")
    assert caught.value.code == "consulta_demorada"
    assert "período" in caught.value.hint
    assert isinstance(caught.value.__cause__, asyncpg.QueryCanceledError)
    assert await where(postgres)
    assert await postgres.replica_answers() is None
    assert told == []


async def test_a_reader_who_leaves_gives_the_replicas_connection_back(database: Database, other: Database) -> None:
    async with reader(database, other.app_url, pool_size=1) as postgres:

        async def long() -> None:
            async with postgres.reading() as connection:
                await connection.execute("select pg_sleep(60)")

        leaving = asyncio.create_task(long())
        while not await _is_asleep(database):
            await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await where(postgres) == other.name


async def _is_asleep(database: Database) -> bool:
    connection = await asyncpg.connect(database.owner_url)
    try:
        return bool(
            await connection.fetchval("select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'")
        )
    finally:
        await connection.close()
