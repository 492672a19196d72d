"""Second factors as they lie in the database: the secret sealed, the recovery codes hashed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from omie_control.postgres.queries import Connection, queries

_sql = queries("second_factors")


@dataclass(frozen=True, slots=True)
class StoredFactor:
    """A secret as it is kept."""

    sealed: bytes
    key_id: UUID
    is_confirmed: bool

    def __repr__(self) -> str:
        return "StoredFactor(•••)"


async def of_user(connection: Connection, user_id: UUID) -> StoredFactor | None:
    """Return the secret of a person, confirmed or waiting for its first code."""
    row = await _sql.of_user.one(connection, user_id=user_id)
    if row is None or row["totp_sealed"] is None:
        return None
    return StoredFactor(row["totp_sealed"], UUID(str(row["totp_key_id"])), row["totp_confirmed_at"] is not None)


async def set_secret(connection: Connection, user_id: UUID, sealed: bytes, key_id: UUID) -> bool:
    """Keep a secret that waits for its first code; False while another is in force."""
    return await _sql.set_secret.one(connection, user_id=user_id, sealed=sealed, key_id=key_id) is not None


async def confirm(connection: Connection, user_id: UUID, recovery: Iterable[bytes]) -> None:
    """Ask for codes from now on, and keep the hashes of the recovery codes."""
    await _sql.confirm.run(connection, user_id=user_id)
    await _sql.drop_recovery.run(connection, user_id=user_id)
    await _sql.add_recovery.run(connection, user_id=user_id, hashes=list(recovery))


async def remove(connection: Connection, user_id: UUID) -> None:
    """Ask for codes no more."""
    await _sql.remove.run(connection, user_id=user_id)
    await _sql.drop_recovery.run(connection, user_id=user_id)


async def spend_step(connection: Connection, user_id: UUID, step: int) -> bool:
    """Use up a step of 30 seconds; False when it was used up."""
    return await _sql.spend_step.one(connection, user_id=user_id, step=step) is not None


async def spend_recovery(connection: Connection, user_id: UUID, code_hash: bytes) -> bool:
    """Use a recovery code up; False when there is none."""
    return await _sql.spend_recovery.one(connection, user_id=user_id, code_hash=code_hash) is not None


async def recovery_left(connection: Connection, user_id: UUID) -> int:
    """Count the recovery codes that a person has left."""
    return int(await _sql.recovery_left.value(connection, user_id=user_id))
