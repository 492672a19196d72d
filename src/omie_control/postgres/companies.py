"""Companies as they lie in the database: their credentials as ciphertext."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from omie_control.domain.companies import Company
from omie_control.postgres.queries import Connection, queries

_sql = queries("companies")
_SEAL_LETTERS = 16


@dataclass(frozen=True, slots=True)
class StoredCompany:
    """A company with what only the door to Omie may open."""

    company: Company
    credentials: bytes
    credentials_key: str
    base_url: str | None


async def add(connection: Connection, stored: StoredCompany, by: str) -> StoredCompany | None:
    """Add a company; None when its slug is taken."""
    company = stored.company
    row = await _sql.add.one(
        connection,
        id=company.id,
        slug=company.slug,
        name=company.name,
        hint=company.app_key_hint,
        credentials=stored.credentials,
        key=stored.credentials_key,
        base_url=stored.base_url,
        is_demo=company.is_demo,
        by=by,
    )
    return None if row is None else _stored(row)


async def everything(connection: Connection) -> list[StoredCompany]:
    """Return every company, the real ones first."""
    return [_stored(row) for row in await _sql.everything.fetch(connection)]


async def lock(connection: Connection, slug: str) -> StoredCompany | None:
    """Return a company and hold its row until the transaction ends."""
    row = await _sql.lock.one(connection, slug=slug)
    return None if row is None else _stored(row)


async def change(connection: Connection, stored: StoredCompany) -> StoredCompany:
    """Write a locked company as it is now."""
    company = stored.company
    row = await _sql.change.one(
        connection,
        id=company.id,
        name=company.name,
        is_active=company.is_active,
        hint=company.app_key_hint,
        credentials=stored.credentials,
        key=stored.credentials_key,
        base_url=stored.base_url,
    )
    return stored if row is None else _stored(row)


async def end_demo(connection: Connection) -> list[str]:
    """Switch the demonstration companies off; returns which."""
    return [row["slug"] for row in await _sql.end_demo.fetch(connection)]


def _stored(row: asyncpg.Record) -> StoredCompany:
    company = Company(
        id=UUID(str(row["id"])),
        slug=row["slug"],
        name=row["name"],
        app_key_hint=row["app_key_hint"],
        is_demo=row["is_demo"],
        is_active=row["is_active"],
        created_at=row["created_at"],
        # Of the ciphertext, which tells nothing: what was read by other credentials must not be told under these.
        seal=hashlib.sha256(row["credentials"]).hexdigest()[:_SEAL_LETTERS],
    )
    return StoredCompany(company, row["credentials"], row["credentials_key"], row["base_url"])
