"""Legal holds as rows, and the lock that keeps them and erasures apart."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from omie_control.domain.erasures import Hold, PersonMark
from omie_control.postgres.queries import Connection, queries

_sql = queries("legal_holds")
_LOCK = 0x686F6C64  # "hold"


async def lock_holds(connection: Connection) -> None:
    """Wait until no batch of an erasure is being deleted, and let none begin before the transaction ends."""
    await _sql.lock_holds.run(connection, key=_LOCK)


async def lock_erasing(connection: Connection) -> None:
    """Let no hold be set before the transaction ends."""
    await _sql.lock_erasing.run(connection, key=_LOCK)


async def place(
    connection: Connection,
    *,
    person: PersonMark | None,
    company_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    reason: str,
    set_by: str,
) -> Hold:
    """Set a hold; something of the first four has to be given."""
    row = await _sql.place.one(
        connection,
        person_hash=None if person is None else person.joined,
        company_id=company_id,
        since=since,
        until=until,
        reason=reason,
        set_by=set_by,
    )
    assert row is not None
    return _hold(row)


async def lift(connection: Connection, id: UUID, by: str) -> Hold | None:
    """Lift a hold, or return None when there is none that holds."""
    row = await _sql.lift.one(connection, id=id, lifted_by=by)
    return None if row is None else _hold(row)


async def everything(connection: Connection, *, live_only: bool) -> list[Hold]:
    """Return every hold, or those that hold, the newest first."""
    return [_hold(row) for row in await _sql.everything.fetch(connection, live_only=live_only)]


def _hold(row: asyncpg.Record) -> Hold:
    facts = dict(row)
    joined = facts.pop("person_hash")
    return Hold(person=None if joined is None else PersonMark.from_bytes(joined), **facts)
