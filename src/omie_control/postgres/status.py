"""How PostgreSQL stands: version, size, durability, schema, and whether the audit is out of the application's reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from omie_control.postgres.migrate import migrations
from omie_control.postgres.queries import Connection, queries

_sql = queries("status")

# Each of these, when off, gives acknowledged rows away in a power cut or leaves a half-written page unnoticed.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """What doctor and the state of the system say about the database; sizes in bytes.

    `months_ahead` are those after this one whose partitions are there; with 0 the next month has no place yet.
    """

    version: str
    now: datetime
    is_replica: bool
    timezone: str
    schema_version: str
    months_ahead: int
    database_bytes: int
    connections: int
    max_connections: int


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """The transaction open the longest; `seconds` since its start."""

    pid: int
    usename: str | None
    application_name: str | None
    state: str | None
    seconds: float


async def read(connection: Connection) -> DatabaseStatus:
    """Return how the server and this database stand now."""
    row = await _sql.read.one(connection)
    if row is None:
        raise LookupError("a select without a table always answers one row")
    return DatabaseStatus(**row)


async def check_durability(connection: Connection) -> list[str]:
    """Name the settings that are off although acknowledged rows depend on them; empty when all is well."""
    rows = await _sql.settings.fetch(connection, names=_DURABLE)
    return [row["name"] for row in rows if row["setting"] == "off"]


async def pending_migrations(connection: Connection) -> list[str]:
    """Name the migrations of this code that the database has not seen."""
    version = await _sql.version.value(connection)
    return [migration.name for migration in migrations() if version is None or migration.name > version]


async def oldest_transaction(connection: Connection) -> OpenTransaction | None:
    """Return the transaction that is open the longest, or None."""
    row = await _sql.oldest_transaction.one(connection)
    return None if row is None else OpenTransaction(**{**row, "seconds": float(row["seconds"])})


async def audit_is_shielded(connection: Connection) -> bool:
    """Say whether this login is unable to change or delete audit events."""
    return bool(await _sql.audit_is_shielded.value(connection))
