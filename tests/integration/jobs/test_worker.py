"""The worker's background parts beside each other: what waits for somebody holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import Database, eventually
from tests.mcp_serving import settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY
from omie_control.jobs.scheduler import Schedule, Scheduler
from omie_control.jobs.worker import Worker


async def runs(conn: asyncpg.Connection, name: str) -> int:
    return int(await conn.fetchval("select runs from schedules where name = $1", name) or 0)


async def is_at_it(conn: asyncpg.Connection, name: str) -> bool:
    started = "select last_started_at > coalesce(last_ended_at, '-infinity') from schedules where name = $1"
    return bool(await conn.fetchval(started, name))


async def test_an_omie_that_does_not_answer_the_warmer_stops_no_other_work(
    database: Database, valkey_url: str, tmp_path: Path, conn: asyncpg.Connection
) -> None:
    silent = await asyncio.start_server(lambda reader, _: reader.read(), "127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/api/v1/"
    settings = settings_for(database, valkey_url, tmp_path, omie_base_url=base_url)
    async with open_app(settings, kind="worker") as app:
        await app.companies.add(LIBRARY, "padaria", "Padaria", "1234567890", "abcdef0123456789abcdef0123456789")
        async with Worker(app):
            await eventually(lambda: is_at_it(conn, "warm"), within=120)
            for name in ("fold", "seal", "webhooks", "rescue"):
                before = await runs(conn, name)
                await eventually(lambda name=name, before=before: _more(conn, name, before), within=120)  # type: ignore[misc]
            assert await is_at_it(conn, "warm")
    silent.close()


async def _more(conn: asyncpg.Connection, name: str, before: int) -> bool:
    return await runs(conn, name) > before


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="worker") as opened:
        yield opened


async def test_a_worker_forgets_processes_that_are_long_gone(app: App, conn: asyncpg.Connection) -> None:
    """Each command of the command line leaves a row."""
    for name, days in (("old", 31), ("young", 29)):
        await conn.execute(
            "insert into instances (id, kind, host, boot_id, pid, process_started, version, heartbeat_at, stopped_at) "
            "values (gen_random_uuid(), $1, 'here', 'boot', 1, 1, '0.1.0', $2, $2)",
            name,
            datetime.now(UTC) - timedelta(days=days),
        )
    async with Worker(app):
        await eventually(lambda: _more(conn, "instances", 0), within=120)
    kinds = await conn.fetch("select kind from instances order by kind")
    assert [row["kind"] for row in kinds] == ["worker", "young"]


async def test_a_worker_takes_no_turn_of_work_that_it_does_not_know(app: App, conn: asyncpg.Connection) -> None:
    """Workers of two versions run side by side while a new one is brought in."""
    await conn.execute("insert into schedules (name, every) values ('novo', interval '1 hour')")
    done: list[str] = []

    async def work(_: App) -> None:
        done.append("velho")

    await Scheduler(app, (Schedule("velho", timedelta(hours=1), work),)).turn()
    assert done == ["velho"]
    assert await conn.fetchval("select last_started_at from schedules where name = 'novo'") is None
