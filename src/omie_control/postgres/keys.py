"""Data keys as they lie in the database: wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from omie_control.postgres.queries import Connection, queries

_sql = queries("keys")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key of one company and month, under a master key."""

    id: UUID
    company_id: UUID
    month: date
    wrapped: bytes
    master_key_id: str


async def claim(connection: Connection, key: WrappedKey) -> WrappedKey:
    """Store a new data key, or return the one that another process stored before."""
    row = await _sql.claim.one(
        connection,
        id=key.id,
        company_id=key.company_id,
        month=key.month,
        wrapped=key.wrapped,
        master_key_id=key.master_key_id,
    )
    if row is None:
        row = await _sql.of_month.one(connection, company_id=key.company_id, month=key.month)
    return key if row is None else WrappedKey(**row)


async def of_month(connection: Connection, company_id: UUID, month: date) -> WrappedKey | None:
    """Return the data key of a company and month, if there is one."""
    row = await _sql.of_month.one(connection, company_id=company_id, month=month)
    return None if row is None else WrappedKey(**row)


async def find(connection: Connection, id: UUID) -> WrappedKey | None:
    """Return one data key, if it is there."""
    row = await _sql.find.one(connection, id=id)
    return None if row is None else WrappedKey(**row)


async def masters(connection: Connection) -> list[str]:
    """Name every master key that something is sealed under."""
    return [row["master_key_id"] for row in await _sql.masters.fetch(connection)]
