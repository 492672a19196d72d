"""Starting programs that outlive us, finding them again, ending them: always one process, never a name."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from omie_control.embedded.accounts import Account

Command = Sequence[str]
_LOCALE = "C" if sys.platform == "darwin" else "C.UTF-8"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": _LOCALE, "TZ": "UTC"}


def launch(
    account: Account, command: Sequence[str | Path], *, log: Path, keep: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that no Ctrl-C reaches it and it holds no pipe of ours.

    `keep` are the only descriptors that it inherits. A thread waits for its end, so that it never stays a zombie.
    """
    drop: dict[str, Any] = {}
    if account.is_dropped:
        drop = {"user": account.uid, "group": account.gid, "extra_groups": []}
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        child = subprocess.Popen(  # noqa: S603 (our own words, no shell)
            [*account.prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(keep),
            cwd="/",
            env=_ENVIRONMENT,
            umask=0o077,
            **drop,
        )
    finally:
        os.close(output)
    threading.Thread(target=child.wait, name=f"reap-{child.pid}", daemon=True).start()
    return child


def find_process(pid: int, owners: frozenset[int], is_meant: Callable[[Command], bool]) -> psutil.Process | None:
    """Return the living process of this number if it is the one meant; a number alone proves nothing."""
    try:
        process = psutil.Process(pid)
        return process if _fits(process, owners, is_meant) else None
    except psutil.Error:
        return None


def find_processes(owners: frozenset[int], is_meant: Callable[[Command], bool]) -> list[psutil.Process]:
    """Return every living process that is meant."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if _fits(process, owners, is_meant):
                found.append(process)
    return found


def children_of(process: psutil.Process) -> list[psutil.Process]:
    """Return every living process that this one started, and those that they started."""
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _fits(process: psutil.Process, owners: frozenset[int], is_meant: Callable[[Command], bool]) -> bool:
    return process.uids().real in owners and is_meant(process.cmdline()) and is_alive(process)


def is_alive(process: psutil.Process) -> bool:
    """Whether this very process still runs (a zombie does not, a successor in its number neither)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def is_frozen(process: psutil.Process) -> bool:
    """Whether somebody has stopped it with SIGSTOP or a debugger."""
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.Error:
        return False


def send(process: psutil.Process, signal: int) -> None:
    """Send a signal to this very process, if it is still there."""
    with suppress(psutil.Error):
        process.send_signal(signal)
