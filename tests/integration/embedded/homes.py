"""What the tests of the embedded servers share: a home's processes, and a second process of ours."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

HOLDER = Path(__file__).with_name("holder.py")


def postmaster_of(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def valkey_of(home: Path) -> int:
    return int((home / "valkey" / "valkey.pid").read_text())


def pids_of(home: Path) -> tuple[int, int]:
    return postmaster_of(home), valkey_of(home)


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process of the home's two servers, children too."""
    leaders = [psutil.Process(pid) for pid in pids_of(home)]
    return [process for leader in leaders for process in (leader, *leader.children(recursive=True))]


def accounts_of(processes: Sequence[psutil.Process]) -> set[int]:
    """Under which accounts those run that still do: a backend may end at any moment."""
    found = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            found.add(process.uids().real)
    return found


def mentioning(home: Path) -> list[psutil.Process]:
    """Every process with the home in its command line."""
    return [p for p in psutil.process_iter(["cmdline"]) if any(str(home) in word for word in p.info["cmdline"] or ())]


def delete(home: Path) -> None:
    """Delete a home while its servers make and remove files of their own in it."""
    deadline = time.monotonic() + 60
    while home.exists():
        assert time.monotonic() < deadline, "the home cannot be deleted"
        shutil.rmtree(home, ignore_errors=True)


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """Kill those that still run; one may end by itself meanwhile."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def left_of(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that still run, and zombies that we forgot to reap (those of the system's first process are its own)."""
    return [process for process in processes if _is_left(process)]


def _is_left(process: psutil.Process) -> bool:
    try:
        is_zombie = process.status() == psutil.STATUS_ZOMBIE
        return process.is_running() and (not is_zombie or process.ppid() == os.getpid())
    except psutil.NoSuchProcess:
        return False


def spawn_holder(home: Path, *, prefix: Sequence[str] = (), **options: Any) -> subprocess.Popen[str]:
    command = [*prefix, sys.executable, str(HOLDER), str(home)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, **options)


def read_endpoints(holder: subprocess.Popen[str]) -> dict[str, str]:
    assert holder.stdout is not None
    line = holder.stdout.readline()
    assert line, "the holder ended before it was ready"
    return dict(json.loads(line))


async def until(condition: Callable[[], bool], *, within: float = 60.0) -> None:
    """Look often, fail when the time is over."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {within} s"
        await asyncio.sleep(0.01)
