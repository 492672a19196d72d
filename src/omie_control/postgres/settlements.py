"""Uncertain executions as rows: enrolled with their alert, claimed for a look-up, settled once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from omie_control.domain.executions import Change, Status
from omie_control.domain.metrics import BUCKET_BOUNDS_MS
from omie_control.postgres.executions import change
from omie_control.postgres.queries import Connection, queries

_sql = queries("settlements")


@dataclass(frozen=True, slots=True)
class Due:
    """An execution whose look-up is due, as it was claimed. `status` None: its row is gone."""

    id: UUID
    execution_id: str | None
    company_id: UUID | None
    status: Status | None
    attempt: int | None
    idempotency_key: str | None
    misses: int
    since_miss: timedelta | None
    waiting: timedelta


@dataclass(frozen=True, slots=True)
class Previous:
    """What an end has to build on."""

    commitment: bytes | None
    started_at: datetime


async def enrol(connection: Connection, *, first: timedelta, limit: int = 500) -> list[str]:
    """Take in executions that became uncertain, each with one open alert; returns their names."""
    return [row["execution_id"] for row in await _sql.enrol.fetch(connection, first=first, limit=limit)]


async def claim(connection: Connection, *, lease: timedelta, limit: int) -> list[Due]:
    """Take up to `limit` executions that are due, for as long as the lease."""
    rows = await _sql.claim.fetch(connection, lease=lease, limit=limit)
    return [Due(**{**row, "status": None if row["status"] is None else Status(row["status"])}) for row in rows]


async def postpone(
    connection: Connection, id: UUID, pause: timedelta, reason: str | None, *, is_miss: bool = False
) -> None:
    """Ask again after a pause."""
    await _sql.postpone.run(connection, execution_id=id, pause=pause, is_miss=is_miss, reason=reason)


async def park(connection: Connection, id: UUID, reason: str) -> None:
    """Stop asking and leave it to a person."""
    await _sql.park.run(connection, execution_id=id, reason=reason)


async def forget(connection: Connection, id: UUID) -> None:
    """Strike off an execution that somebody else has ended."""
    await _sql.forget.run(connection, execution_id=id)


async def take_line(connection: Connection, company: UUID, endpoint: str, lease: timedelta) -> int | None:
    """Be the one who asks a method of a company; returns its misses in a row, or None when it is taken or rests."""
    row = await _sql.take_line.one(connection, company_id=company, endpoint=endpoint, lease=lease)
    return None if row is None else int(row["misses"])


async def line_rests(connection: Connection, company: UUID, endpoint: str) -> timedelta:
    """Return how long a method of a company still rests."""
    rest = await _sql.line_rests.value(connection, company_id=company, endpoint=endpoint)
    return rest if isinstance(rest, timedelta) else timedelta()


async def leave_line(connection: Connection, company: UUID, endpoint: str, misses: int, pause: timedelta) -> None:
    """Let others ask after a pause."""
    await _sql.leave_line.run(connection, company_id=company, endpoint=endpoint, misses=misses, pause=pause)


async def previous(connection: Connection, id: UUID) -> Previous | None:
    """Return what is known of an execution that is about to be settled."""
    row = await _sql.previous.one(connection, id=id)
    return None if row is None else Previous(**row)


async def settle(
    connection: Connection,
    id: UUID,
    attempt: int,
    status: Status,
    *,
    endpoint: str | None,
    request: str | None,
    response: str | None,
    error_code: str | None,
    error_message: str | None,
    commitment: bytes | None,
    by: str,
) -> Change | None:
    """End an uncertain execution as it was seen, count it and settle its alert. None: it is not uncertain any more."""
    row = await _sql.settle.one(
        connection,
        id=id,
        attempt=attempt,
        status=status,
        endpoint=endpoint,
        request=request,
        response=response,
        error_code=error_code,
        error_message=error_message,
        commitment=commitment,
        by=by,
        bounds=BUCKET_BOUNDS_MS,
    )
    return None if row is None else change(row)


async def seal(connection: Connection, id: UUID, key_id: UUID, sealed: bytes, hashes: bytes) -> None:
    """Keep the sealed body of a settlement."""
    await _sql.seal.run(connection, execution_id=id, key_id=key_id, sealed=sealed, document_hashes=hashes or None)
