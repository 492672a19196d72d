"""Recurring work as rows: what is due by PostgreSQL's clock, and how its last turn ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from omie_control.postgres.queries import Connection, queries

_sql = queries("schedules")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work that comes back every so often."""

    name: str
    every: timedelta
    is_active: bool
    next_run_at: datetime
    last_started_at: datetime | None
    last_ended_at: datetime | None
    last_error: str | None
    runs: int


async def register(connection: Connection, name: str, every: timedelta) -> None:
    """Make sure of a schedule, due at once when new; one that exists keeps its span."""
    await _sql.register.run(connection, name=name, every=every)


async def claim_due(connection: Connection, names: Sequence[str]) -> Schedule | None:
    """Take the one of these that is due the longest, or None; two callers never get the same turn."""
    row = await _sql.claim_due.one(connection, names=names)
    return None if row is None else Schedule(**row)


async def note_outcome(connection: Connection, name: str, error: str | None = None) -> None:
    """Note how a turn ended."""
    await _sql.note_outcome.run(connection, name=name, error=error)


async def all_schedules(connection: Connection) -> list[Schedule]:
    """Return every schedule, by name."""
    return [Schedule(**row) for row in await _sql.all.fetch(connection)]
