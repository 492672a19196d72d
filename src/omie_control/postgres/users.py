"""People as they lie in the database, and the logins that failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from omie_control.domain.actors import AnyRole, User
from omie_control.postgres.own_roles import role_of, stored
from omie_control.postgres.queries import Connection, queries

_sql = queries("users")


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A person with the hash of their password."""

    user: User
    password_hash: str

    def __repr__(self) -> str:
        return f"StoredUser({self.user.username}, •••)"


async def add(
    connection: Connection,
    *,
    id: UUID,
    username: str,
    password_hash: str,
    role: AnyRole,
    companies: Iterable[UUID] | None,
    by: str,
) -> User | None:
    """Add a person; None when the name is taken."""
    built_in, own_role_id = stored(role)
    row = await _sql.add.one(
        connection,
        id=id,
        username=username,
        password_hash=password_hash,
        role=built_in,
        own_role_id=own_role_id,
        companies=None if companies is None else list(companies),
        by=by,
    )
    return None if row is None else user_of(row)


async def everything(connection: Connection) -> list[User]:
    """Return everybody, by name."""
    return [user_of(row) for row in await _sql.everything.fetch(connection)]


async def find(connection: Connection, username: str) -> StoredUser | None:
    """Return one person."""
    row = await _sql.find.one(connection, username=username)
    return None if row is None else StoredUser(user_of(row), row["password_hash"])


async def lock(connection: Connection, username: str) -> User | None:
    """Return one person and hold their row until the transaction ends."""
    row = await _sql.lock.one(connection, username=username)
    return None if row is None else user_of(row)


async def has_admin(connection: Connection) -> bool:
    """Say whether there is an administrator."""
    return bool(await _sql.has_admin.value(connection))


async def set_password(connection: Connection, id: UUID, password_hash: str) -> None:
    """Store a new hash."""
    await _sql.set_password.run(connection, id=id, password_hash=password_hash)


async def set_active(connection: Connection, id: UUID, *, is_active: bool) -> None:
    """Let a person in, or no longer."""
    await _sql.set_active.run(connection, id=id, is_active=is_active)


async def set_role(connection: Connection, id: UUID, role: AnyRole, companies: Iterable[UUID] | None) -> None:
    """Give a person another role, on other companies."""
    built_in, own_role_id = stored(role)
    await _sql.set_role.run(
        connection,
        id=id,
        role=built_in,
        own_role_id=own_role_id,
        companies=None if companies is None else list(companies),
    )


async def note_login(connection: Connection, id: UUID) -> None:
    """Keep when a person last came in."""
    await _sql.note_login.run(connection, id=id)


async def admit_attempt(
    connection: Connection,
    subject: bytes,
    now: datetime | None,
    *,
    free: int,
    base: timedelta,
    cap: timedelta,
    window: timedelta,
) -> datetime | None:
    """Count a login attempt; None lets it through, an instant says until when the subject has to wait."""
    await _sql.make_attempt_row.run(connection, subject=subject)
    admitted = await _sql.admit_attempt.one(
        connection, subject=subject, now=now, free=free, base=base, cap=cap, window=window
    )
    if admitted is not None:
        return None
    until: datetime | None = await _sql.blocked_until.value(connection, subject=subject)
    return until


async def give_back_attempt(connection: Connection, subject: bytes, *, free: int) -> None:
    """Take an attempt that went well out of the count again."""
    await _sql.give_back_attempt.run(connection, subject=subject, free=free)


async def clear_attempts(connection: Connection, subject: bytes, now: datetime | None) -> None:
    """Forget the failures of somebody who came in, and those of before yesterday. `now` None: PostgreSQL's own."""
    await _sql.clear_attempts.run(connection, subject=subject, now=now)


def user_of(row: asyncpg.Record) -> User:
    """Read a person from a row."""
    companies = row["companies"]
    return User(
        id=UUID(str(row["id"])),
        username=row["username"],
        role=role_of(row),
        companies=None if companies is None else frozenset(UUID(str(id)) for id in companies),
        is_active=row["is_active"],
        created_at=row["created_at"],
        last_login_at=row["last_login_at"],
        has_totp=row["has_totp"],
    )
