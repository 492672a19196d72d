"""Data keys as they lie in the database: wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from omie_control.postgres.queries import Connection, queries

_sql = queries("keys")
_ROTATION_LOCK = 0x6D6B6579  # "mkey": one rotation at a time per database


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key of one company and month, under a master key."""

    id: UUID
    company_id: UUID
    month: date
    wrapped: bytes
    master_key_id: str


@dataclass(frozen=True, slots=True)
class WrappedIndexKey:
    """The key that hashes documents, under a master key."""

    wrapped: bytes
    master_key_id: str


@dataclass(frozen=True, slots=True)
class MasterUse:
    """A master key, and how many rows are still sealed under it."""

    id: str
    is_current: bool
    created_at: datetime
    retired_at: datetime | None
    data_keys: int
    companies: int
    seal_keys: int
    configurations: int


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


async def current_master(connection: Connection) -> str | None:
    """Name the master key in force; None before the first start."""
    id: str | None = await _sql.current_master.value(connection)
    return id


async def note_master(connection: Connection, id: str) -> None:
    """Note the first master key."""
    await _sql.note_master.run(connection, id=id)


async def lock_masters(connection: Connection) -> None:
    """Be the only one who rotates, until the transaction ends."""
    await _sql.lock_masters.run(connection, key=_ROTATION_LOCK)


async def put_in_force(connection: Connection, id: str) -> None:
    """Put a master key in force in the place of the one before."""
    await _sql.put_in_force.run(connection, id=id)
    await _sql.mark_current.run(connection, id=id)


async def masters_used(connection: Connection) -> list[MasterUse]:
    """Return every master key there ever was, the oldest first, with what is still sealed under it."""
    return [MasterUse(**row) for row in await _sql.masters_used.fetch(connection)]


async def index_key(connection: Connection) -> WrappedIndexKey | None:
    """Return the index key, if it was made."""
    row = await _sql.index_key.one(connection)
    return None if row is None else WrappedIndexKey(**row)


async def claim_index_key(connection: Connection, wrapped: bytes, master_key_id: str) -> WrappedIndexKey:
    """Keep the index key, or return the one that another process kept before."""
    await _sql.claim_index_key.run(connection, wrapped=wrapped, master_key_id=master_key_id)
    return await index_key(connection) or WrappedIndexKey(wrapped, master_key_id)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A kind of row that is sealed under a master key: `place` says what each is bound to."""

    one: str
    many: str
    place: str

    async def under(self, connection: Connection, master_key_id: str) -> list[tuple[str, bytes]]:
        """Return id and ciphertext of every row under a master key, held until the transaction ends."""
        statement = getattr(_sql, f"{self.many}_under")
        rows = await statement.fetch(connection, master_key_id=master_key_id)
        return [(row["id"], row["sealed"]) for row in rows]

    async def rewrap(self, connection: Connection, id: str, sealed: bytes, master_key_id: str) -> None:
        """Keep one row under another master key."""
        await getattr(_sql, f"rewrap_{self.one}").run(connection, id=id, sealed=sealed, master_key_id=master_key_id)


# Everything that a master key seals; whatever is sealed by a later feature joins here, or a rotation forgets it.
SHELVES = (
    Shelf("data_key", "data_keys", "data_keys/{}"),
    Shelf("company", "companies", "companies.credentials/{}"),
    Shelf("configuration", "configurations", "system_configurations/{}"),
    Shelf("seal_key", "seal_keys", "seal_keys/{}"),
    Shelf("index_key", "index_keys", "{}"),
)
