"""Idempotency keys as rows: claimed in one commit before a write leaves, answered or freed after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from omie_control.domain.executions import Status
from omie_control.postgres.queries import Connection, queries

_sql = queries("idempotency")
_BATCH = 2000


class KeyState(StrEnum):
    """Where a key stands: claimed by a try, in doubt, answered for good, or free for another try."""

    OPEN = "open"
    UNCERTAIN = "uncertain"
    ANSWERED = "answered"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Claim:
    """A try that wants a key; `request` is what it will send, sealed under `key_id`."""

    id: UUID
    company_id: UUID
    process_type: str
    key: str
    is_derived: bool
    endpoint: str
    digest: bytes
    code: str | None
    execution_id: UUID
    execution_name: str
    lives_for: timedelta
    key_id: UUID
    request: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A claim that was granted. `id` and `code` may be those of an earlier try that came to nothing."""

    id: UUID
    code: str | None
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it lies in the database; `status` is that of its execution, where it was asked for."""

    id: UUID
    company_id: UUID
    process_type: str
    key: str
    state: KeyState
    endpoint: str
    digest: bytes
    code: str | None
    execution_id: UUID
    execution_name: str
    claimed_at: datetime
    is_derived: bool
    key_id: UUID
    request: bytes
    before: bytes | None
    answer: bytes | None
    status: Status | None

    @property
    def scope(self) -> tuple[UUID, str, str]:
        """Return what the key is unique in, which its sealed parts are bound to."""
        return self.company_id, self.process_type, self.key


async def claim(connection: Connection, wanted: Claim) -> Held | None:
    """Take a key, or return None when somebody holds it."""
    row = await _sql.claim.one(
        connection,
        id=wanted.id,
        company_id=wanted.company_id,
        process_type=wanted.process_type,
        key=wanted.key,
        is_derived=wanted.is_derived,
        endpoint=wanted.endpoint,
        digest=wanted.digest,
        code=wanted.code,
        execution_id=wanted.execution_id,
        execution_name=wanted.execution_name,
        lives_for=wanted.lives_for,
        key_id=wanted.key_id,
        request=wanted.request,
    )
    return None if row is None else Held(**row)


async def find(connection: Connection, company_id: UUID, process_type: str, key: str) -> StoredKey | None:
    """Return a key as it stands now, or None."""
    row = await _sql.find.one(connection, company_id=company_id, process_type=process_type, key=key)
    return None if row is None else _stored(row)


async def of_execution(connection: Connection, execution_id: UUID) -> list[StoredKey]:
    """Return the keys that an execution claimed, the oldest first."""
    return [_stored(row) for row in await _sql.of_execution.fetch(connection, execution_id=execution_id)]


async def keep_before(connection: Connection, held: Held | StoredKey, execution_id: UUID, before: bytes) -> None:
    """Keep how things were before the write."""
    await _sql.keep_before.run(connection, **_claim_of(held, execution_id), before=before)


async def still_runs(connection: Connection, execution_id: UUID, attempt: int) -> bool:
    """Say whether an execution stands as it was started: not ended by anybody, not claimed since."""
    return bool(await _sql.still_runs.value(connection, execution_id=execution_id, attempt=attempt))


async def has_moved(connection: Connection, company_id: UUID, since: datetime) -> bool:
    """Say whether a company was given another application of Omie's since then."""
    return bool(await _sql.has_moved.value(connection, company_id=company_id, since=since))


async def doubt(connection: Connection, held: Held | StoredKey, execution_id: UUID) -> None:
    """Note that nobody knows what became of a write."""
    await _sql.doubt.run(connection, **_claim_of(held, execution_id))


async def answer(connection: Connection, held: Held | StoredKey, execution_id: UUID, answer: bytes) -> bool:
    """Keep the first answer. False: this claim of the key is over, or settled already."""
    return await _sql.answer.run(connection, **_claim_of(held, execution_id), answer=answer) == 1


async def free(connection: Connection, held: Held | StoredKey, execution_id: UUID, keep_for: timedelta) -> bool:
    """Free a key whose write was surely not carried out. False: as for `answer`."""
    return await _sql.free.run(connection, **_claim_of(held, execution_id), keep_for=keep_for) == 1


async def known(
    connection: Connection, company_id: UUID, endpoints: Sequence[str], pause: timedelta
) -> StoredKey | None:
    """Take one whose record is known to exist and was not read within `pause`, or None."""
    row = await _sql.known.one(connection, company_id=company_id, endpoints=endpoints, pause=pause)
    return None if row is None else _stored(row)


async def forget_known(connection: Connection, id: UUID) -> None:
    """Never take this one as known again."""
    await _sql.forget_known.run(connection, id=id)


async def prune(connection: Connection, *, limit: int = _BATCH) -> int:
    """Delete a batch of keys that have expired; returns how many."""
    return await _sql.prune.run(connection, limit=limit)


def _claim_of(held: Held | StoredKey, execution_id: UUID) -> dict[str, Any]:
    """Name one claim of a key: the instant tells it from a later one, which the same execution may have made."""
    return {"id": held.id, "execution_id": execution_id, "claimed_at": held.claimed_at}


def _stored(row: asyncpg.Record) -> StoredKey:
    status = row["status"]
    return StoredKey(**{**row, "state": KeyState(row["state"]), "status": None if status is None else Status(status)})
