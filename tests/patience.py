"""A busy machine is no dead server: more time for both of them, where a test does not ask how long we wait."""

from __future__ import annotations

import pytest

from omie_control.postgres import database
from omie_control.postgres.recorder import Recorder
from omie_control.valkey import cache, connection, exports, live

_RECORDER = {"patience_seconds": 60.0, "drain_seconds": 60.0}


def with_postgres(patch: pytest.MonkeyPatch) -> None:
    """Give PostgreSQL a minute, whoever asks it; what opens afterwards has it."""
    patch.setattr(database, "_CONNECT_SECONDS", 60.0)
    patch.setattr(database, "_COMMAND_SECONDS", 90.0)
    for limit in ("_STATEMENT_TIMEOUT", "_LOCK_TIMEOUT"):
        patch.setattr(database, limit, "60s")
    for name, seconds in _RECORDER.items():
        patch.setitem(Recorder.__init__.__kwdefaults__, name, seconds)


def with_valkey(patch: pytest.MonkeyPatch, seconds: float = 20.0) -> None:
    """Give Valkey some seconds more; a client keeps those that it was made with."""
    for room in (connection, live, cache):
        patch.setattr(room, "TIMEOUT_SECONDS", seconds)
    patch.setattr(exports, "_TIMEOUT_SECONDS", seconds)
