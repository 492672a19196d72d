"""Who people are at the identity provider, as it lies in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from omie_control.domain.actors import User
from omie_control.postgres.queries import Connection, queries
from omie_control.postgres.users import user_of

_sql = queries("user_identities")


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """A person with their address, and who they are at an issuer (None: nobody)."""

    username: str
    email: str | None
    issuer: str | None
    subject: str | None
    linked_by: str | None
    linked_at: datetime | None
    last_login_at: datetime | None


async def find(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the person who is this at an issuer."""
    row = await _sql.find.one(connection, issuer=issuer, subject=subject)
    return None if row is None else user_of(row)


async def find_unlinked(connection: Connection, email: str, issuer: str) -> User | None:
    """Return the person of an address who is nobody at this issuer yet, and hold their row."""
    row = await _sql.find_unlinked.one(connection, email=email, issuer=issuer)
    return None if row is None else user_of(row)


async def add(connection: Connection, *, id: UUID, user_id: UUID, issuer: str, subject: str, by: str) -> bool:
    """Say who a person is at an issuer; False when they are somebody there already, or somebody else is this."""
    row = await _sql.add.one(connection, id=id, user_id=user_id, issuer=issuer, subject=subject, by=by)
    return row is not None


async def remove(connection: Connection, user_id: UUID) -> int:
    """Forget who a person is anywhere; returns how many identities that were."""
    return len(await _sql.remove.fetch(connection, user_id=user_id))


async def everything(connection: Connection) -> list[UserIdentity]:
    """Return everybody who has an address or an identity, by name."""
    return [UserIdentity(**dict(row)) for row in await _sql.everything.fetch(connection)]


async def note_login(connection: Connection, issuer: str, subject: str) -> None:
    """Keep when somebody last came by an issuer."""
    await _sql.note_login.run(connection, issuer=issuer, subject=subject)


async def set_email(connection: Connection, id: UUID, email: str | None) -> bool:
    """Keep a person's address (None: none); False when it is another's."""
    return await _sql.set_email.one(connection, id=id, email=email) is not None


async def spend_state(connection: Connection, state_hash: bytes, expires_at: datetime) -> bool:
    """Note that a login was answered, and drop old notes; False when it was answered before."""
    is_first = await _sql.spend_state.one(connection, state_hash=state_hash, expires_at=expires_at) is not None
    await _sql.prune_states.run(connection)
    return is_first
