"""Sealed bodies as they lie in the database: what a reveal reads, what an erasure and age delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from omie_control.domain.erasures import Hold
from omie_control.domain.executions import uuid7_instant
from omie_control.postgres import legal_holds
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection, queries
from omie_control.postgres.rows import SealedBody

_sql = queries("bodies")
_BATCH = 2000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Owner:
    """The execution that a body belongs to."""

    id: UUID
    execution_id: str
    company_id: UUID | None
    actor: str | None = None
    input_parameters: str | None = None
    request_payload: str | None = None
    response_data: str | None = None

    @property
    def columns(self) -> tuple[str | None, str | None, str | None]:
        """The masked bodies as JSON texts: input, request, response."""
        return self.input_parameters, self.request_payload, self.response_data


async def execution(connection: Connection, execution_id: str, id: UUID | None) -> Owner | None:
    """Return the execution of this name; `id` is its key where the name carries it."""
    row = None if id is None else await _sql.by_id.one(connection, id=id)
    if row is None or row["execution_id"] != execution_id:
        row = await _sql.by_name.one(connection, execution_id=execution_id)
    return None if row is None else Owner(**row)


async def parts(connection: Connection, id: UUID) -> list[SealedBody]:
    """Return the sealed parts of an execution: 0 the input, 1 everything known at the end."""
    rows = await _sql.parts.fetch(connection, execution_id=id)
    return [SealedBody(row["part"], row["key_id"], row["sealed"], row["document_hashes"] or b"") for row in rows]


async def erase(connection: Connection, ids: Sequence[UUID]) -> int:
    """Delete the bodies of executions for good; returns how many parts there were."""
    return await _sql.erase.run(connection, ids=ids)


async def delete_before(postgres: Postgres, before: datetime, *, batch: int = _BATCH) -> int:
    """Delete the bodies of executions older than an instant, a batch at a time; returns how many parts there were.

    What a legal hold keeps stays, also where the hold is set meanwhile: no batch goes while one is being set.
    """
    after, parts = _FIRST, 0
    while True:
        async with postgres.transaction() as tx:
            await legal_holds.lock_erasing(tx)
            holds = await legal_holds.everything(tx, live_only=True)
            rows = await _sql.older.fetch(tx, after=after, before=before, limit=batch)
            if not rows:
                return parts
            parts += await erase(tx, [row["id"] for row in rows if not any(_keeps(hold, row) for hold in holds)])
        after = rows[-1]["id"]


def _keeps(hold: Hold, row: asyncpg.Record) -> bool:
    # Of an execution whose own row is gone, only its id tells when it was.
    at = row["started_at"] or uuid7_instant(row["id"])
    return hold.keeps(row["hashes"] or (), row["company_id"], at)
