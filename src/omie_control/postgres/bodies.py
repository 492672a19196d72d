"""Sealed bodies as they lie in the database: what a reveal reads, what an erasure and age delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from omie_control.postgres.queries import Connection, queries
from omie_control.postgres.rows import SealedBody

_sql = queries("bodies")
_BATCH = 2000


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


async def delete_before(connection: Connection, before: datetime, *, limit: int = _BATCH) -> int:
    """Delete a batch of bodies older than an instant; returns how many parts. Call again until it is 0."""
    return await _sql.delete_before.run(connection, before=before, limit=limit)
