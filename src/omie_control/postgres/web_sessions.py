"""Browser sessions as they lie in the database: by the hash of their token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from omie_control.domain.actors import Login
from omie_control.postgres.queries import Connection, queries
from omie_control.postgres.users import user_of

_sql = queries("web_sessions")


@dataclass(frozen=True, slots=True)
class WebSession:
    """A session as its owner sees it."""

    id: UUID
    user_agent: str | None
    ip_address: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


async def open_session(
    connection: Connection,
    *,
    id: UUID,
    token_hash: bytes,
    user_id: UUID,
    csrf_token: str,
    user_agent: str | None,
    ip_address: str | None,
    now: datetime | None,
    lifetime: timedelta,
    longest: timedelta,
) -> None:
    """Open a session, and drop those that ended long ago."""
    await _sql.open.run(
        connection,
        id=id,
        token_hash=token_hash,
        user_id=user_id,
        csrf_token=csrf_token,
        user_agent=user_agent,
        ip_address=ip_address,
        now=now,
        lifetime=lifetime,
        longest=longest,
    )
    await _sql.prune.run(connection)


async def find(
    connection: Connection, token_hash: bytes, now: datetime | None, lifetime: timedelta, longest: timedelta
) -> Login | None:
    """Return a session that holds, moving its end when it is in use: by `lifetime`, and to `longest` in all."""
    row = await _sql.find.one(connection, token_hash=token_hash, now=now, longest=longest)
    if row is None:
        return None
    expires_at = row["expires_at"]
    if row["is_stale"]:
        expires_at = await _sql.slide.value(
            connection, id=row["session_id"], now=now, lifetime=lifetime, longest=longest
        )
    return Login(UUID(str(row["session_id"])), user_of(row), row["csrf_token"], expires_at or row["expires_at"])


async def end_by_token(connection: Connection, token_hash: bytes) -> UUID | None:
    """End a session; returns its id, or None when it had ended."""
    row = await _sql.end_by_token.one(connection, token_hash=token_hash)
    return None if row is None else UUID(str(row["id"]))


async def end_one(connection: Connection, id: UUID, user_id: UUID) -> bool:
    """End one session of a person; False when it had ended or is not theirs."""
    return await _sql.end_one.one(connection, id=id, user_id=user_id) is not None


async def end_all(connection: Connection, user_id: UUID) -> int:
    """End every session of a person; returns how many."""
    return len(await _sql.end_all.fetch(connection, user_id=user_id))


async def of_user(connection: Connection, user_id: UUID, now: datetime | None) -> list[WebSession]:
    """Return the sessions of a person that hold, the last used first."""
    rows = await _sql.of_user.fetch(connection, user_id=user_id, now=now)
    return [
        WebSession(
            id=UUID(str(row["id"])),
            user_agent=row["user_agent"],
            ip_address=None if row["ip_address"] is None else str(row["ip_address"]),
            created_at=row["created_at"],
            seen_at=row["seen_at"],
            expires_at=row["expires_at"],
        )
        for row in rows
    ]
