"""One-time secrets of people as they lie in the database: by their hash."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from omie_control.postgres.queries import Connection, queries

_sql = queries("user_links")
INVITATION, RESET, LOGIN = "invitation", "reset", "login"


@dataclass(frozen=True, slots=True)
class UserLink:
    """A secret that holds."""

    id: UUID
    purpose: str
    username: str


async def add(
    connection: Connection,
    *,
    id: UUID,
    user_id: UUID,
    purpose: str,
    token_hash: bytes,
    by: str,
    now: datetime | None,
    lifetime: timedelta,
) -> None:
    """Add a secret, and drop those that ended long ago."""
    await _sql.add.run(
        connection,
        id=id,
        user_id=user_id,
        purpose=purpose,
        token_hash=token_hash,
        by=by,
        now=now,
        lifetime=lifetime,
    )
    await _sql.prune.run(connection)


async def find(
    connection: Connection, token_hash: bytes, purposes: Collection[str], now: datetime | None
) -> UserLink | None:
    """Return the secret of this hash while it holds and its person may enter."""
    row = await _sql.find.one(connection, token_hash=token_hash, purposes=list(purposes), now=now)
    return None if row is None else UserLink(UUID(str(row["link_id"])), row["purpose"], row["username"])


async def spend(connection: Connection, id: UUID) -> bool:
    """Use a secret up; False when somebody was faster."""
    return await _sql.spend.one(connection, id=id) is not None


async def spend_all(connection: Connection, user_id: UUID, purposes: Collection[str]) -> None:
    """Use up every secret of a person for these purposes."""
    await _sql.spend_all.run(connection, user_id=user_id, purposes=list(purposes))
