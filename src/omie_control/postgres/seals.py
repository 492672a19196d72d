"""Seals as rows: the chain, the queue before it, the keys that sign, and what each verification found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from omie_control.domain.seals import Kind, Seal
from omie_control.postgres.queries import Connection, queries

_sql = queries("seals")
_LOCK_KEY = 0x7365616C  # "seal": one sealer at a time per database
_KEY_LOCK = 0x7365616B
_VERIFY_LOCK = 0x73656176


@dataclass(frozen=True, slots=True)
class WrappedSigningKey:
    """A signing key, its private part under a master key."""

    id: str
    public_key: bytes
    wrapped: bytes
    master_key_id: str


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification: up to which seal, how many records, what was found."""

    is_full: bool
    started_at: datetime
    ended_at: datetime
    first_sequence: int | None
    last_sequence: int | None
    records: int
    findings: int
    details: Any = None


async def snapshot(connection: Connection) -> None:
    """Make this transaction, which has asked nothing yet, see one state from now on."""
    await connection.execute("set transaction isolation level repeatable read")


async def try_lock(connection: Connection) -> bool:
    """Become the one who seals until the transaction ends. False: another one is at it."""
    return bool(await _sql.try_lock.value(connection, key=_LOCK_KEY))


async def lock(connection: Connection) -> None:
    """Become the one who seals, waiting for whoever is at it."""
    await _sql.wait_lock.run(connection, key=_LOCK_KEY)


async def take(connection: Connection, limit: int) -> list[tuple[Kind, list[UUID]]]:
    """Take up to `limit` rows of the queue."""
    return [(Kind(row["kind"]), row["ids"]) for row in await _sql.take.fetch(connection, limit=limit)]


async def queued(connection: Connection, limit: int, skipped: int) -> list[tuple[Kind, list[UUID]]]:
    """Return rows of the queue, leaving them there."""
    rows = await _sql.queued.fetch(connection, limit=limit, skipped=skipped)
    return [(Kind(row["kind"]), row["ids"]) for row in rows]


async def waits_since(connection: Connection) -> datetime | None:
    """Return since when the oldest record waits for its seal; None when none does."""
    at: datetime | None = await _sql.waits_since.value(connection)
    return at


async def head(connection: Connection) -> Seal | None:
    """Return the last seal, without its leaves."""
    return _seal(await _sql.head.one(connection))


async def by_sequence(connection: Connection, sequence: int) -> Seal | None:
    """Return one seal, without its leaves."""
    return _seal(await _sql.by_sequence.one(connection, sequence=sequence))


async def after(connection: Connection, sequence: int, limit: int) -> list[Seal]:
    """Return the next seals in their order, with their leaves."""
    return [Seal(**row) for row in await _sql.after.fetch(connection, sequence=sequence, limit=limit)]


async def noted(connection: Connection) -> list[Seal]:
    """Return the seals that say something, without their leaves."""
    return [Seal(**row) for row in await _sql.noted.fetch(connection)]


async def last_before(connection: Connection, at: datetime) -> int:
    """Return the number of the last seal before an instant; 0 when there is none."""
    return int(await _sql.before.value(connection, at=at))


async def last_until(connection: Connection, at: datetime) -> int:
    """Return the number of the last seal up to an instant; 0 when there is none."""
    return int(await _sql.until.value(connection, at=at))


async def newest(connection: Connection) -> int:
    """Return the number of the last seal; 0 when there is none."""
    return int(await _sql.newest.value(connection))


async def add(connection: Connection, seal: Seal) -> None:
    """Add a seal to the chain."""
    await _sql.add.run(connection, **asdict(seal))


async def keys(connection: Connection) -> list[WrappedSigningKey]:
    """Return the keys that sign or signed, the oldest first."""
    return [WrappedSigningKey(**row) for row in await _sql.keys.fetch(connection)]


async def add_key(connection: Connection, key: WrappedSigningKey) -> None:
    """Keep a new signing key."""
    await _sql.add_key.run(connection, **asdict(key))


async def lock_keys(connection: Connection) -> None:
    """Be the only one who makes a signing key, until the transaction ends."""
    await _sql.lock_keys.run(connection, key=_KEY_LOCK)


async def note_verification(
    connection: Connection,
    *,
    is_full: bool,
    started_at: datetime,
    first: int | None,
    last: int | None,
    records: int,
    findings: int,
    details: Sequence[Any],
) -> None:
    """Keep what a verification found."""
    await _sql.note_verification.run(
        connection,
        is_full=is_full,
        started_at=started_at,
        first_sequence=first,
        last_sequence=last,
        records=records,
        findings=findings,
        details=orjson.dumps(details).decode(),
    )


async def last_verification(connection: Connection) -> Verification | None:
    """Return the last verification, if there was one."""
    row = await _sql.last_verification.one(connection)
    if row is None:
        return None
    values = dict(row)
    details = values.pop("details")
    return Verification(**values, details=None if details is None else orjson.loads(details))


async def last_full(connection: Connection) -> datetime | None:
    """Return when the whole chain was last verified."""
    at: datetime | None = await _sql.last_full.value(connection)
    return at


async def try_verifying(connection: Connection) -> bool:
    """Become the one who verifies in the background, until `end_verifying` or the end of this connection."""
    return bool(await _sql.try_verifying.value(connection, key=_VERIFY_LOCK))


async def end_verifying(connection: Connection) -> None:
    """Let others verify again."""
    await _sql.end_verifying.value(connection, key=_VERIFY_LOCK)


async def verified_to(connection: Connection) -> int:
    """Return up to which seal a verification went that found nothing; 0 when there was none."""
    return int(await _sql.verified_to.value(connection))


async def raise_alert(connection: Connection, alert_type: str, title: str, message: str, context: Any) -> None:
    """Raise an alert of the audit, unless one of its kind is still open."""
    await _sql.raise_alert.run(
        connection, alert_type=alert_type, title=title[:200], message=message, context=orjson.dumps(context).decode()
    )


def _seal(row: asyncpg.Record | None) -> Seal | None:
    return None if row is None else Seal(**row)
