"""A home that is deleted, moved or replaced under its users: nothing of it stays running, and one line says why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.integration.embedded.homes import delete, kill_all, left_of, pids_of, processes_of, until

from omie_control.embedded import EmbeddedServers
from omie_control.errors import StorageDown
from omie_control.telemetry import Event

Make = Callable[..., EmbeddedServers]
GREETING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "prova", "version": "1"}},
}


@pytest.fixture
def ended() -> Iterator[list[psutil.Process]]:
    """Give a list whose processes are killed at the end; only a failed test leaves any."""
    watched: list[psutil.Process] = []
    yield watched
    kill_all(left_of(watched))


@pytest.mark.parametrize("fate", ["deleted", "moved"])
async def test_the_servers_of_a_vanished_home_are_stopped(
    own_home: Path, ended: list[psutil.Process], fate: str
) -> None:
    servers = EmbeddedServers(own_home)
    await servers.start()
    ended += processes_of(own_home)
    sockets = (own_home / "run").resolve()
    if fate == "deleted":
        delete(own_home)
    else:
        own_home.rename(own_home.with_name("elsewhere"))
    with pytest.raises(StorageDown) as told:
        await servers.stop()
    assert str(own_home) in told.value.message
    assert told.value.code == "pasta_sumiu"
    assert "\n" not in told.value.message
    await until(lambda: not left_of(ended))
    assert not sockets.exists()
    assert not own_home.exists()
    await servers.stop()  # nothing is left to do, nothing is told twice


async def test_a_moved_home_was_stopped_cleanly_and_starts_where_it_lies(
    own_home: Path, ended: list[psutil.Process]
) -> None:
    servers = EmbeddedServers(own_home)
    await servers.start()
    ended += processes_of(own_home)
    there = own_home.with_name("elsewhere")
    own_home.rename(there)
    with pytest.raises(StorageDown):
        await servers.stop()
    log = "".join(path.read_text() for path in (there / "logs").rglob("*.log"))
    assert "database system is shut down" in log
    again = EmbeddedServers(there)
    await again.start()
    await again.stop()


async def test_only_the_last_user_of_a_vanished_home_stops_its_servers(
    own_home: Path, ended: list[psutil.Process]
) -> None:
    first, last = EmbeddedServers(own_home), EmbeddedServers(own_home)
    await first.start()
    await last.start()
    ended += processes_of(own_home)
    leaders = [psutil.Process(pid) for pid in pids_of(own_home)]
    delete(own_home)
    with pytest.raises(StorageDown):
        await first.stop()
    assert left_of(leaders) == leaders
    with pytest.raises(StorageDown):
        await last.stop()
    await until(lambda: not left_of(ended))


async def test_a_new_home_in_the_same_place_keeps_its_own_servers(
    own_home: Path, make_servers: Make, told: list[tuple[Event, dict[str, Any]]], ended: list[psutil.Process]
) -> None:
    old = EmbeddedServers(own_home)
    await old.start()
    ended += processes_of(own_home)
    delete(own_home)
    await make_servers().start()
    fresh = [psutil.Process(pid) for pid in pids_of(own_home)]
    sockets = (own_home / "run").resolve()
    with pytest.raises(StorageDown):
        await old.stop()
    await until(lambda: not left_of(ended))
    assert left_of(fresh) == fresh
    assert sockets.exists()
    assert not [facts for event, facts in told if event is Event.SERVER_ADOPTED]


async def test_an_agents_process_ends_with_one_line_and_leaves_nothing(
    own_home: Path, ended: list[psutil.Process]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "omie_control", "mcp"],
        env={"PATH": "/usr/bin:/bin", "OMIE_CONTROL_HOME": str(own_home), "HOME": str(own_home.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    ended.append(psutil.Process(process.pid))
    # The key is made once the servers serve and the schema stands; whoever greets has begun.
    await until((own_home / "master.key").exists, within=150.0)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{json.dumps(GREETING)}\n")
    process.stdin.flush()
    assert "serverInfo" in process.stdout.readline()
    ended += processes_of(own_home)
    delete(own_home)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 7
    assert [line for line in errors.splitlines() if line.startswith("Erro:")] == [
        f"Erro: A pasta {own_home} foi apagada ou movida enquanto estava em uso."
    ]
    assert "Traceback" not in errors
    await until(lambda: not left_of(ended))
