"""Where a server of this home listens, noted for the commands beside it: `--port` is in no setting that they read."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from omie_control.settings import Settings

_PORTS = range(1, 65536)


@contextmanager
def noted(settings: Settings, listener: socket.socket) -> Iterator[Settings]:
    """Yield the settings with the port that was taken, and let `as_noted` find it while the block lasts."""
    port = listener.getsockname()[1]
    note, line = _note(settings), f"{os.getpid()} {port} {settings.host}\n"
    # A server without a home of its own, its data being elsewhere, notes nothing.
    with suppress(OSError):
        fresh = note.with_name(f".{note.name}.{os.getpid()}")
        fresh.write_text(line, encoding="utf-8")
        fresh.replace(note)
    try:
        yield settings.model_copy(update={"port": port})
    finally:
        with suppress(OSError, UnicodeError):
            # The last to start is the one that is noted; another's note stays.
            if note.read_text(encoding="utf-8") == line:
                note.unlink()


def as_noted(settings: Settings) -> Settings:
    """Return the settings with the host and port of the server that runs on this home, if one does."""
    try:
        pid, port, host = _note(settings).read_text(encoding="utf-8").split()
        is_there = psutil.pid_exists(int(pid)) and int(port) in _PORTS
    except (OSError, UnicodeError, ValueError, OverflowError):
        return settings
    return settings.model_copy(update={"host": host, "port": int(port)}) if is_there else settings


def _note(settings: Settings) -> Path:
    return settings.home / "address"
