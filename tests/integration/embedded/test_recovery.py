"""Bad days: killed, frozen, robbed of their sockets, and what a power cut or another program leaves behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from tests.integration.embedded.homes import (
    left_of,
    mentioning,
    postmaster_of,
    processes_of,
    spawn_holder,
    until,
    valkey_of,
)

from omie_control.embedded import EmbeddedServers
from omie_control.telemetry import Event

Make = Callable[..., EmbeddedServers]
Told = list[tuple[Event, dict[str, Any]]]
# How a connection tells that its server is gone.
LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@asynccontextmanager
async def watched(servers: EmbeddedServers) -> AsyncIterator[None]:
    watch = asyncio.create_task(servers.watch())
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


def count(told: Told, event: Event, server: str) -> int:
    return sum(1 for happened, facts in told if happened is event and facts["server"] == server)


async def until_started(told: Told, server: str, *, times: int) -> None:
    await until(lambda: count(told, Event.SERVER_STARTED, server) >= times)


class Writer:
    """Writes numbers for as long as the block lasts, and remembers those that were acknowledged."""

    def __init__(self, write: Callable[[int], Any]) -> None:
        self.acknowledged: list[int] = []
        self._write = write
        self._number = 0
        self._is_over = False

    async def run(self) -> None:
        while not self._is_over:
            self._number += 1
            try:
                await self._write(self._number)
                self.acknowledged.append(self._number)
            except (*LOST, RedisError):
                await asyncio.sleep(0.01)

    async def __aenter__(self) -> Writer:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        await self._task

    async def until_more(self, than: int) -> None:
        await until(lambda: len(self.acknowledged) > than)


async def test_a_killed_postgres_comes_back_with_every_acknowledged_row(
    own_home: Path, make_servers: Make, told: Told
) -> None:
    servers = make_servers(valkey=False)
    url = (await servers.start()).owner_url
    pool = await asyncpg.create_pool(url, min_size=0, max_size=4, timeout=60)
    await pool.execute("create table book (n bigint)")

    async def write(number: int) -> None:
        await pool.execute("insert into book values ($1)", number)

    async with watched(servers), Writer(write) as first, Writer(write) as second:
        for kills in (1, 2):
            before = len(first.acknowledged)
            await first.until_more(before + 20)
            os.kill(postmaster_of(own_home), signal.SIGKILL)
            await until_started(told, "PostgreSQL", times=kills + 1)
        await first.until_more(len(first.acknowledged) + 5)
    kept = {row["n"]: row["times"] for row in await pool.fetch("select n, count(*) as times from book group by n")}
    await pool.close()
    for number in {*first.acknowledged, *second.acknowledged}:
        assert kept.get(number, 0) >= (number in first.acknowledged) + (number in second.acknowledged)
    assert count(told, Event.SERVER_DIED, "PostgreSQL") == 2


async def test_a_killed_valkey_comes_back_with_every_acknowledged_write(
    own_home: Path, make_servers: Make, told: Told
) -> None:
    servers = make_servers(postgres=False)
    valkey = Redis.from_url((await servers.start()).valkey_url, socket_timeout=60, retry=Retry(NoBackoff(), 0))

    async def write(number: int) -> None:
        await valkey.rpush("book", number)

    async with watched(servers), Writer(write) as writer:
        for kills in (1, 2, 3):
            await writer.until_more(len(writer.acknowledged) + 50)
            os.kill(valkey_of(own_home), signal.SIGKILL)
            await until_started(told, "Valkey", times=kills + 1)
        await writer.until_more(len(writer.acknowledged) + 5)
    kept = {int(number) for number in await valkey.lrange("book", 0, -1)}
    await valkey.aclose()
    assert set(writer.acknowledged) <= kept


async def test_a_torn_tail_and_a_spoilt_log_do_not_keep_valkey_down(own_home: Path, make_servers: Make) -> None:
    for spoil in (b"*3\r\n$3\r\nSET\r\n$1\r\n", b"\0" * 100):
        servers = make_servers(postgres=False)
        valkey = Redis.from_url((await servers.start()).valkey_url)
        await valkey.set("a", "1")
        await valkey.aclose()
        await servers.stop()
        log = next((own_home / "valkey" / "appendonlydir").glob("*.incr.aof"))
        with log.open("ab") as file:
            file.write(spoil)
        again = make_servers(postgres=False)
        valkey = Redis.from_url((await again.start()).valkey_url)
        assert await valkey.set("b", "2")
        await valkey.aclose()
        await again.stop()


async def test_a_frozen_server_is_told_of_once_and_left_alone(own_home: Path, make_servers: Make, told: Told) -> None:
    servers = make_servers()
    await servers.start()
    valkey = psutil.Process(valkey_of(own_home))
    async with watched(servers):
        valkey.suspend()
        await until(lambda: count(told, Event.SERVER_FROZEN, "Valkey") == 1)
        os.kill(postmaster_of(own_home), signal.SIGKILL)
        await until_started(told, "PostgreSQL", times=2)
        assert count(told, Event.SERVER_FROZEN, "Valkey") == 1
        assert count(told, Event.SERVER_DIED, "Valkey") == 0
        assert valkey.status() == psutil.STATUS_STOPPED
    await servers.stop()  # wakes it up, so that it can leave in order
    assert not left_of([valkey])


async def test_a_cleaned_temporary_folder_is_made_anew(own_home: Path, make_servers: Make, told: Told) -> None:
    servers = make_servers()
    endpoints = await servers.start()
    async with watched(servers):
        shutil.rmtree((own_home / "run").resolve())
        await until_started(told, "PostgreSQL", times=2)
        await until_started(told, "Valkey", times=2)
    connection = await asyncpg.connect(endpoints.owner_url)
    await connection.close()


async def test_numbers_of_other_programs_in_stale_files_are_not_believed(own_home: Path, make_servers: Make) -> None:
    servers = make_servers()
    await servers.start()
    stale = (own_home / "postgres" / "postmaster.pid").read_text().splitlines()
    await servers.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (own_home / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger.pid), *stale[1:], ""]))
    (own_home / "valkey" / "valkey.pid").write_text(f"{stranger.pid}\n")
    again = make_servers()
    await again.start()
    assert stranger.pid not in (postmaster_of(own_home), valkey_of(own_home))
    await again.stop()
    assert stranger.poll() is None
    stranger.communicate(b"\n")


async def test_a_busy_orphan_of_a_killed_postmaster_does_not_stop_the_next_start(
    own_home: Path, make_servers: Make, told: Told
) -> None:
    servers = make_servers(valkey=False)
    url = (await servers.start()).owner_url
    busy = await asyncpg.connect(url)
    backend = psutil.Process(await busy.fetchval("select pg_backend_pid()"))
    work = asyncio.create_task(busy.fetchval("select count(*) from generate_series(1, 1e12::bigint)"))
    # A session runs for a moment while it only prepares, too: what it has used says that it counts.
    await until(lambda: backend.cpu_times().user > 0.5)
    os.kill(postmaster_of(own_home), signal.SIGKILL)
    async with watched(servers):
        await until(lambda: not left_of([backend]))
        await until_started(told, "PostgreSQL", times=2)
    # How it hears of the end depends on what it waited for just then.
    with suppress(*LOST):
        await work
    await make_servers(valkey=False).start()


async def test_a_kill_in_the_middle_of_the_first_start_leaves_nothing_half_made(
    own_home: Path, make_servers: Make
) -> None:
    holder = spawn_holder(own_home)
    await until(lambda: any(own_home.glob("postgres.new-*/data/base")))
    holder.kill()
    holder.wait()
    servers = make_servers()
    endpoints = await servers.start()
    assert not list(own_home.glob("postgres.new-*"))
    connection = await asyncpg.connect(endpoints.owner_url)
    await connection.close()
    running = processes_of(own_home)
    await servers.stop()
    assert not left_of(running)


async def test_a_cancelled_start_leaves_no_process(own_home: Path, make_servers: Make) -> None:
    servers = make_servers()
    start = asyncio.create_task(servers.start())
    await until(lambda: any(own_home.glob("postgres.new-*/data/base")))
    start.cancel()
    with suppress(asyncio.CancelledError):
        await start
    assert start.cancelled()
    await until(lambda: not mentioning(own_home))
    assert not list(own_home.glob("postgres.new-*"))
