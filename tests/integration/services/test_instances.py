"""This process among the others of its machine: who is gone is found at once, and nobody else is taken for dead."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import psutil
import pytest
from tests.conftest import Database, eventually
from tests.integration.postgres.rows import add_execution
from tests.mcp_serving import settings_for

from omie_control.app import DatabaseManager
from omie_control.errors import StorageDown
from omie_control.postgres import instances as store
from omie_control.postgres.database import Postgres
from omie_control.services.instances import Instance, boot_id, started_at


async def another(conn: asyncpg.Connection, *, boot: str, pid: int, started: float) -> UUID:
    """Announce a process that carries this machine's name, alive by its heartbeat."""
    id = uuid4()
    await store.register(conn, store.Instance(id, "serve", socket.gethostname(), boot, pid, started, "0.1.0"))
    return id


async def status_of(conn: asyncpg.Connection, execution_id: str) -> str:
    return str(await conn.fetchval("select status from process_executions where execution_id = $1", execution_id))


async def test_who_died_on_this_machine_is_found_at_once(conn: asyncpg.Connection, postgres: Postgres) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = await another(conn, boot=boot_id(), pid=child.pid, started=started_at(psutil.Process(child.pid)))
    _, running = await add_execution(conn, instance_id=dead, attempt=1)
    ours = Instance(postgres, "worker")
    await ours.register()
    assert await status_of(conn, running) == "running"
    child.communicate(b"\n")
    assert await ours.rescue() == 1
    assert await status_of(conn, running) == "timeout"


async def test_who_lives_on_another_machine_or_in_a_container_of_the_same_name_is_left_alone(
    conn: asyncpg.Connection, postgres: Postgres
) -> None:
    """Cloned machines carry one name, and the containers of one host share its boot but not its numbers."""
    free = max(psutil.pids()) + 1
    same_host = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    for boot in (str(uuid4()), f"{same_host}:1"):
        alive = await another(conn, boot=boot, pid=free, started=1.5)
        _, running = await add_execution(conn, instance_id=alive, attempt=1, ago=timedelta(minutes=5))
        assert await Instance(postgres, "worker").rescue() == 0
        assert await status_of(conn, running) == "running"


async def test_a_clock_that_is_set_makes_nobody_look_dead(
    conn: asyncpg.Connection, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel tells the time of the boot by the clock: set by an hour, every process started an hour later."""
    ours = Instance(postgres, "serve")
    await ours.register()
    _, running = await add_execution(conn, instance_id=ours.id, attempt=1, ago=timedelta(minutes=5))
    (tmp_path / "stat").write_text(f"btime {psutil.boot_time() + 3600:.0f}\n", encoding="ascii")
    (tmp_path / str(os.getpid())).symlink_to(f"/proc/{os.getpid()}")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert await ours.rescue() == 0
    assert await status_of(conn, running) == "running"


async def test_a_duty_that_takes_its_time_stops_neither_the_heart_nor_the_others(
    database: Database, valkey_url: str, tmp_path: Path, conn: asyncpg.Connection
) -> None:
    """A frozen replica answers nothing for twenty seconds: as long as it takes to be taken for dead."""
    db = DatabaseManager(settings_for(database, valkey_url, tmp_path))
    await db.initialize()
    begun, failed, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        failed.set()
        raise StorageDown

    async def takes_its_time() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def works() -> None:
        done.set()

    for duty in (fails, takes_its_time, works):
        db.instance.on_beat(duty)
    async with asyncio.timeout(30):
        await asyncio.gather(begun.wait(), failed.wait(), done.wait())
    beat = "select heartbeat_at from instances where id = $1"
    before = await conn.fetchval(beat, db.instance.id)

    async def beats() -> bool:
        return bool(await conn.fetchval(beat, db.instance.id) > before)

    await eventually(beats)
    await db.close()
