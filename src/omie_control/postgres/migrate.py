"""Bring a database to the schema of this code: plain SQL files in order, each exactly once, forward only.

Two starters at once are safe (one waits), a file that changed after it ran is refused, and a statement
that cannot get its lock within seconds gives up and tries again instead of holding up the traffic.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from omie_control.errors import Conflict, ControlError, InvalidInput, StorageDown
from omie_control.postgres.patience import LOCK_TIMEOUT, patiently
from omie_control.postgres.roles import READERS, apply_grants, make_roles
from omie_control.telemetry import Event, tell

_NO_TRANSACTION = "-- no transaction"
_LOCK_KEY = 0x6F6D6965  # "omie": one migrator at a time per database
_LOCK_POLL_SECONDS = 0.1
_MINIMUM_VERSION = 170000
_JOURNAL = """
create table if not exists schema_migrations (
    name varchar(100) primary key,
    checksum varchar(64) not null,
    applied_at timestamptz not null default now())
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `migrations/`."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Fingerprint of the text that ran."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def is_transactional(self) -> bool:
        """Say whether the file runs as one transaction (the rule) or statement by statement (its header says so)."""
        return not self.sql.startswith(_NO_TRANSACTION)

    @property
    def statements(self) -> list[str]:
        """The statements of a file without transaction: each ends with a semicolon at the end of a line."""
        parts = (part.strip() for part in re.split(r";[ \t]*(?:\n|$)", self.sql))
        return [part for part in parts if re.sub(r"--[^\n]*", "", part).strip()]


def migrations() -> list[Migration]:
    """List the migrations that this code carries, in order."""
    folder = files("omie_control.postgres") / "migrations"
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return sorted((Migration(e.name, e.read_text(encoding="utf-8")) for e in found), key=lambda m: m.name)


def newest_migration() -> str:
    """Name the last migration that this code carries."""
    return migrations()[-1].name


async def migrate(
    owner_url: str,
    *,
    timezone: str,
    logins: Mapping[str, str] | None = None,
    readers: Collection[str] = READERS,
    carried: Sequence[Migration] | None = None,
) -> list[str]:
    """Apply what is missing, then roles, grants and time zone; return the names applied now.

    `logins` are login roles to make sure of (name → password); those named in `readers` may only read.
    What the owner has no right to do (roles, time zone) is told as an event and left to the administrator.
    Raises Conflict when a file changed or the database is newer than this code, StorageDown when it is away.
    """
    async with _connected(owner_url, timezone) as connection, _alone(connection):
        await _require_fit(connection)
        applied = await _apply(connection, migrations() if carried is None else carried)
        await _set_timezone(connection, timezone)
        await make_roles(connection, logins or {}, readers)
        await _patiently(lambda: apply_grants(connection))
    return applied


async def schema_version(url: str) -> str | None:
    """Return the name of the last migration of a database, or None for one never migrated."""
    async with _connected(url, "UTC") as connection:
        if await connection.fetchval("select to_regclass('public.schema_migrations')") is None:
            return None
        version: str | None = await connection.fetchval("select max(name) from schema_migrations")
        return version


@asynccontextmanager
async def _connected(url: str, timezone: str) -> AsyncIterator[asyncpg.Connection]:
    settings = {"search_path": "public", "timezone": timezone, "application_name": "omie-control migrate"}
    try:
        connection = await asyncpg.connect(url, server_settings=settings, timeout=30)
    except (ValueError, asyncpg.InterfaceError):
        # The reader of the address quotes it, password and all: the cause must not travel.
        raise InvalidInput(
            "O endereço do banco de dados não é válido.",
            hint="Use a forma postgresql://usuario:senha@servidor:5432/banco.",
            code="bad_setting",
        ) from None
    except (OSError, asyncpg.PostgresError) as exc:
        raise StorageDown(f"Não foi possível entrar no banco de dados: {_one_line(exc)}.") from exc
    try:
        yield connection
    except ControlError:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        raise StorageDown(f"A migração do banco de dados parou: {_one_line(exc)}.") from exc
    finally:
        await connection.close(timeout=5)


@asynccontextmanager
async def _alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    # Polled, not awaited inside PostgreSQL: a waiter in there holds a snapshot, and CREATE INDEX CONCURRENTLY
    # of the one who works would wait for that snapshot for ever.
    while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK_KEY):  # noqa: ASYNC110 - the event is in PostgreSQL
        await asyncio.sleep(_LOCK_POLL_SECONDS)
    await connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("select pg_advisory_unlock($1)", _LOCK_KEY)


async def _require_fit(connection: asyncpg.Connection) -> None:
    version = int(await connection.fetchval("select current_setting('server_version_num')"))
    if version < _MINIMUM_VERSION:
        raise Conflict(
            f"O PostgreSQL {version // 10000} é antigo demais.",
            hint="Use o PostgreSQL 17 ou mais novo.",
            code="banco_antigo",
        )
    encoding = await connection.fetchval("select current_setting('server_encoding')")
    if encoding != "UTF8":
        raise Conflict(
            f"O banco de dados usa a codificação {encoding}.", hint="Crie-o com UTF8.", code="banco_sem_utf8"
        )


async def _apply(connection: asyncpg.Connection, carried: Sequence[Migration]) -> list[str]:
    await connection.execute(_JOURNAL)
    rows = await connection.fetch("select name, checksum from schema_migrations")
    known = {row["name"]: row["checksum"] for row in rows}
    _require_same_history(carried, known)
    pending = [migration for migration in carried if migration.name not in known]
    for migration in pending:
        await _patiently(lambda migration=migration: _run(connection, migration))  # type: ignore[misc]
        tell(Event.MIGRATION_APPLIED, name=migration.name)
    return [migration.name for migration in pending]


def _require_same_history(carried: Sequence[Migration], known: Mapping[str, str]) -> None:
    newer = sorted(known.keys() - {migration.name for migration in carried})
    if newer:
        raise Conflict(
            f"O banco de dados é mais novo que este programa: {newer[-1]} já foi aplicada.",
            hint="Instale a versão mais nova do omie-control.",
            code="banco_mais_novo",
        )
    for migration in carried:
        if known.get(migration.name, migration.checksum) != migration.checksum:
            raise Conflict(
                f"A migração {migration.name} mudou depois de aplicada.",
                hint="Reinstale o omie-control; uma migração aplicada nunca se altera.",
                code="migracao_alterada",
            )


async def _run(connection: asyncpg.Connection, migration: Migration) -> None:
    note = "insert into schema_migrations (name, checksum) values ($1, $2)"
    if not migration.is_transactional:
        # A failure half-way leaves what was done: such a file says `if [not] exists` in every statement.
        for statement in migration.statements:
            await connection.execute(statement)
        await connection.execute(note, migration.name, migration.checksum)
        return
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(note, migration.name, migration.checksum)


async def _patiently(step: Callable[[], Awaitable[None]]) -> None:
    await patiently(
        step,
        message="A migração não conseguiu a tabela: uma transação longa a ocupa.",
        hint="Espere a transação terminar (doctor mostra qual é) e rode omie-control migrate de novo.",
    )


async def _set_timezone(connection: asyncpg.Connection, timezone: str) -> None:
    # CURRENT_DATE of a query written by hand must meet date_key, whoever connects.
    current = await connection.fetchval(
        "select s.setting from pg_db_role_setting r, unnest(r.setconfig) as s(setting) "
        "where r.setrole = 0 and r.setdatabase = (select oid from pg_database where datname = current_database()) "
        "and s.setting ilike 'timezone=%'"
    )
    if current is not None and current.partition("=")[2] == timezone:
        return
    name = await connection.fetchval("select quote_ident(current_database())")
    zone = await connection.fetchval("select quote_literal($1::text)", timezone)
    try:
        await connection.execute(f"alter database {name} set timezone = {zone}")
    except asyncpg.InsufficientPrivilegeError as exc:
        tell(Event.MIGRATION_LIMITED, step="timezone", reason=_one_line(exc))


def _one_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0].strip().rstrip(".") or type(exc).__name__
