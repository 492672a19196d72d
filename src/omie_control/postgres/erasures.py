"""Erasures as rows, and the scan that finds a person in sealed bodies by keyed hash."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from omie_control.domain.erasures import Erasure, PersonMark
from omie_control.domain.executions import Status
from omie_control.postgres.database import Postgres
from omie_control.postgres.idempotency import KeyState
from omie_control.postgres.queries import Connection, queries

_sql = queries("erasures")
SCAN_BATCH = 10_000
_FIRST = UUID(int=0)
_WRITES_BATCH = 200


@dataclass(frozen=True, slots=True)
class BodyOwner:
    """The execution that a sealed body belongs to."""

    id: UUID
    execution_id: str
    process_type: str
    company_id: UUID | None
    status: Status
    started_at: datetime
    actor: str | None


@dataclass(frozen=True, slots=True)
class SealedWrite:
    """What an idempotency key keeps, sealed under the data key `key_id`."""

    id: UUID
    company_id: UUID
    process_type: str
    key: str
    state: KeyState
    execution_id: UUID
    execution_name: str
    claimed_at: datetime
    key_id: UUID
    request: bytes
    before: bytes | None
    answer: bytes | None

    @property
    def scope(self) -> tuple[UUID, str, str]:
        """Return what its sealed parts are bound to."""
        return self.company_id, self.process_type, self.key

    @property
    def is_settled(self) -> bool:
        """Say whether nobody needs its clear content any more."""
        return self.state in (KeyState.ANSWERED, KeyState.FREE)


async def request(connection: Connection, erasure: Erasure) -> bool:
    """Put an erasure on the list. False: it is there."""
    row = await _sql.request.one(
        connection,
        id=erasure.id,
        person_hash=erasure.person.joined,
        company_id=erasure.company_id,
        reason=erasure.reason,
        requested_by=erasure.requested_by,
        requested_at=erasure.requested_at,
    )
    return row is not None


async def everything(connection: Connection) -> list[Erasure]:
    """Return every erasure, the newest first."""
    return [_erasure(row) for row in await _sql.everything.fetch(connection)]


async def note(connection: Connection, id: UUID, *, executions: int, writes: int, events: int, is_done: bool) -> None:
    """Add what an erasure has taken away; not done means that something of it is still needed."""
    await _sql.note.run(connection, id=id, executions=executions, writes=writes, events=events, is_done=is_done)


async def scan(
    postgres: Postgres, people: Sequence[PersonMark], since: UUID, before: UUID, *, batch: int = SCAN_BATCH
) -> AsyncIterator[list[tuple[UUID, bytes]]]:
    """Give the bodies between two keys whose hashes may hold one of these people, a batch at a time.

    `(execution, hashes)`; a hash that begins where none can begin is among them: `PersonMark.is_among` tells.
    """
    shorts, longs = [person.short for person in people], [person.long for person in people]
    after, part = since, -1
    while True:
        async with postgres.transaction() as connection:
            rows = await _sql.scan.fetch(
                connection, after=after, part=part, before=before, shorts=shorts, longs=longs, limit=batch
            )
        if not rows:
            return
        yield [(row["execution_id"], row["document_hashes"] or b"") for row in rows]
        after, part = rows[-1]["execution_id"], rows[-1]["part"]


async def owners(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, BodyOwner]:
    """Return the executions that are there, by id."""
    rows = await _sql.owners.fetch(connection, ids=ids)
    return {row["id"]: BodyOwner(**{**row, "status": Status(row["status"])}) for row in rows}


async def writes(postgres: Postgres) -> AsyncIterator[list[SealedWrite]]:
    """Give every idempotency key, a batch at a time."""
    after = _FIRST
    while True:
        async with postgres.transaction() as connection:
            rows = await _sql.writes.fetch(connection, after=after, limit=_WRITES_BATCH)
        if not rows:
            return
        yield [SealedWrite(**{**row, "state": KeyState(row["state"])}) for row in rows]
        after = rows[-1]["id"]


async def mask_write(
    connection: Connection, seen: SealedWrite, request: bytes, before: bytes | None, answer: bytes | None
) -> bool:
    """Replace what a settled write keeps. False: it has changed since it was read."""
    touched = await _sql.mask_write.run(
        connection,
        id=seen.id,
        execution_id=seen.execution_id,
        seen=seen.request,
        request=request,
        before=before,
        answer=answer,
    )
    return touched == 1


def _erasure(row: asyncpg.Record) -> Erasure:
    facts = dict(row)
    return Erasure(person=PersonMark.from_bytes(facts.pop("person_hash")), **facts)
