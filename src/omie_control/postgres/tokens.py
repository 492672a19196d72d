"""API tokens as they lie in the database: by the hash of their text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from omie_control.domain.actors import AnyRole, Token
from omie_control.domain.networks import Network
from omie_control.postgres.own_roles import role_of, stored
from omie_control.postgres.queries import Connection, queries

_sql = queries("tokens")


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A token by its hash, as verification needs it."""

    token: Token
    token_hash: bytes
    is_unseen: bool


async def add(
    connection: Connection,
    *,
    id: UUID,
    name: str,
    prefix: str,
    token_hash: bytes,
    role: AnyRole,
    companies: Iterable[UUID] | None,
    default_company: UUID | None,
    networks: Iterable[Network],
    by: str,
    not_before: datetime | None,
    expires_at: datetime | None,
) -> Token:
    """Add a token."""
    built_in, own_role_id = stored(role)
    row = await _sql.add.one(
        connection,
        id=id,
        name=name,
        prefix=prefix,
        token_hash=token_hash,
        role=built_in,
        own_role_id=own_role_id,
        companies=None if companies is None else list(companies),
        default_company=default_company,
        networks=list(networks) or None,
        by=by,
        not_before=not_before,
        expires_at=expires_at,
    )
    assert row is not None, "an insert without conflict clause returns its row"
    return _token_of(row)


async def everything(connection: Connection) -> list[Token]:
    """Return every token, the newest first."""
    return [_token_of(row) for row in await _sql.everything.fetch(connection)]


async def called(connection: Connection, name: str, length: int) -> list[Token]:
    """Return the tokens that go, or ever went, by a name of which records keep so many letters."""
    return [_token_of(row) for row in await _sql.called.fetch(connection, name=name, length=length)]


async def by_hash(connection: Connection, token_hash: bytes) -> FoundToken | None:
    """Return the token of this hash, whether it holds or not."""
    row = await _sql.by_hash.one(connection, token_hash=token_hash)
    return None if row is None else FoundToken(_token_of(row), row["token_hash"], row["is_unseen"])


async def note_use(connection: Connection, id: UUID) -> None:
    """Keep that a token is in use."""
    await _sql.note_use.run(connection, id=id)


async def named(connection: Connection, reference: str) -> list[Token]:
    """Return the tokens that hold and go by this id, name or prefix."""
    return [_token_of(row) for row in await _sql.named.fetch(connection, reference=reference)]


async def revoke(connection: Connection, id: UUID) -> Token | None:
    """End a token; None when it had ended."""
    row = await _sql.revoke.one(connection, id=id)
    return None if row is None else _token_of(row)


def _token_of(row: asyncpg.Record) -> Token:
    companies, default = row["companies"], row["default_company"]
    return Token(
        id=UUID(str(row["id"])),
        name=row["name"],
        prefix=row["prefix"],
        role=role_of(row),
        companies=None if companies is None else frozenset(UUID(str(id)) for id in companies),
        default_company=None if default is None else UUID(str(default)),
        created_by=row["created_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
        not_before=row["not_before"],
        networks=tuple(row["networks"] or ()),
    )
