"""What groups of the identity provider are here, as it lies in the database."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from omie_control.domain.identities import IdentityRole
from omie_control.domain.roles import AnyRole
from omie_control.postgres.own_roles import role_of, stored
from omie_control.postgres.queries import Connection, queries

_sql = queries("identity_roles")


async def everything(connection: Connection) -> list[IdentityRole]:
    """Return every mapping, the oldest first."""
    return [_read(row) for row in await _sql.everything.fetch(connection)]


async def first_of(connection: Connection, claim_values: Iterable[str]) -> IdentityRole | None:
    """Return the oldest mapping of these values."""
    row = await _sql.first_of.one(connection, claim_values=list(claim_values))
    return None if row is None else _read(row)


async def put(
    connection: Connection,
    *,
    id: UUID,
    claim_value: str,
    role: AnyRole,
    companies: Iterable[UUID] | None,
    by: str,
) -> None:
    """Say what a value is here."""
    built_in, own_role_id = stored(role)
    await _sql.put.run(
        connection,
        id=id,
        claim_value=claim_value,
        role=built_in,
        own_role_id=own_role_id,
        companies=None if companies is None else list(companies),
        by=by,
    )


async def remove(connection: Connection, claim_value: str) -> bool:
    """Forget a mapping; False when there was none."""
    return await _sql.remove.one(connection, claim_value=claim_value) is not None


def _read(row: asyncpg.Record) -> IdentityRole:
    companies = row["companies"]
    return IdentityRole(
        claim_value=row["claim_value"],
        role=role_of(row),
        companies=None if companies is None else frozenset(UUID(str(id)) for id in companies),
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
