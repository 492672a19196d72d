"""The doors to PostgreSQL: pools for the faces, one pinned connection for the recorder, one for the owner.

Every session has the house's time zone and its limits; errors of the driver become ours here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

import asyncpg

from omie_control.errors import InvalidInput, Overloaded
from omie_control.postgres.faults import Foreign, is_away, storage_errors
from omie_control.postgres.health import StorageHealth
from omie_control.postgres.replica import Replica
from omie_control.telemetry import step

_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 20.0
_STATEMENT_TIMEOUT = "15s"
_LOCK_TIMEOUT = "5s"
_IDLE_IN_TRANSACTION_TIMEOUT = "30s"

# A plan made once on a small table and kept would scan it when it has grown: on the writer's connection only
# index look-ups exist, and one plan serves batches of every size.
_PINNED = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "enable_material": "off",
    "jit": "off",
}
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


class Postgres:
    """The pools and connections of one process; `read_url` names a replica for what may be some moments old."""

    pool: asyncpg.Pool[asyncpg.Record]

    def __init__(
        self,
        app_url: str,
        *,
        owner_url: str | None = None,
        read_url: str | None = None,
        timezone: str,
        pool_size: int = 10,
    ) -> None:
        self._app_url = app_url
        self._owner_url = owner_url if owner_url is not None else app_url
        self._read_url = read_url
        self._timezone = timezone
        self._pool_size = pool_size
        self._is_open = False
        self._replica: Replica | None = None
        self.health = StorageHealth()

    @property
    def is_up(self) -> bool:
        """Whether the last thing heard of PostgreSQL was an answer."""
        return self.health.is_up

    @property
    def down_since(self) -> datetime | None:
        """Since when PostgreSQL is away; None while it answers."""
        return self.health.down_since

    async def open(self) -> None:
        """Open the pools. Raises StorageDown, or InvalidInput for a server that does not keep what it acknowledges."""
        await self._require_durable()
        with storage_errors(self.health):
            self.pool = await self._open_pool(self._app_url)
            if self._read_url is not None:
                lazily = await self._open_pool(self._read_url, min_size=0)
                self._replica = Replica(lazily, connect_seconds=_CONNECT_SECONDS)
        self._is_open = True

    async def close(self) -> None:
        """Close the pools; connections still in use are cut."""
        if not self._is_open:
            return
        self._is_open = False
        self.pool.terminate()
        if self._replica is not None:
            self._replica.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Give a connection inside a transaction: committed at the end, rolled back by any error."""
        with storage_errors(self.health), step("postgres transaction"):
            async with self.pool.acquire(timeout=_CONNECT_SECONDS) as connection, connection.transaction():
                yield connection  # type: ignore[misc]  # a proxy with all of a connection's methods

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[asyncpg.Connection]:
        """Give a connection for reading; what it reads may be a replica's, some moments old.

        While the replica is away, it is the primary's. Raises Overloaded for what takes too long to find.
        """
        replica = self._replica
        with step("postgres read"):
            borrowed = None if replica is None else await _borrowed(replica)
            if replica is None or borrowed is None:
                with storage_errors(self.health), _found_in_time():
                    async with self.pool.acquire(timeout=_CONNECT_SECONDS) as connection:
                        yield connection  # type: ignore[misc]  # as above
                return
            try:
                with _of_the_replica(replica), _found_in_time():
                    yield borrowed
            finally:
                await replica.give_back(borrowed)

    async def replica_answers(self) -> bool | None:
        """Say whether the replica can be read from now; None: none is named."""
        if self._replica is None:
            return None
        borrowed = await _borrowed(self._replica)
        if borrowed is not None:
            await self._replica.give_back(borrowed)
        return borrowed is not None

    async def connect_writer(self) -> asyncpg.Connection:
        """Open the recorder's connection: durable commits, pinned plans, no statement cache to invalidate."""
        pinned = {**_PINNED, "synchronous_commit": "on", "application_name": "omie-control writer"}
        connection = await self._connect(self._app_url, pinned, command_timeout=None)
        try:
            _refuse_unsafe(await _settings(connection))
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def connect_owner(self) -> asyncpg.Connection:
        """Open a connection of the owner, for what only the owner may do; without limits of time."""
        return await self._connect(self._owner_url, {"application_name": "omie-control owner"}, command_timeout=None)

    async def _require_durable(self) -> None:
        connection = await self._connect(self._app_url, {}, command_timeout=_COMMAND_SECONDS)
        try:
            with storage_errors(self.health):
                _refuse_unsafe(await _settings(connection))
        finally:
            await connection.close(timeout=_CONNECT_SECONDS)

    async def _open_pool(self, url: str, *, min_size: int = 1) -> asyncpg.Pool[asyncpg.Record]:
        return await asyncpg.create_pool(
            url,
            min_size=min_size,
            max_size=self._pool_size,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings={
                "timezone": self._timezone,
                "application_name": "omie-control",
                "statement_timeout": _STATEMENT_TIMEOUT,
                "lock_timeout": _LOCK_TIMEOUT,
                "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_TIMEOUT,
                # A page's filters are optional: one plan for all of them would fit none.
                "plan_cache_mode": "force_custom_plan",
            },
        )

    async def _connect(
        self, url: str, settings: dict[str, str], *, command_timeout: float | None
    ) -> asyncpg.Connection:
        with storage_errors(self.health):
            try:
                connection = await asyncpg.connect(
                    url,
                    timeout=_CONNECT_SECONDS,
                    command_timeout=command_timeout,
                    server_settings={"timezone": self._timezone, **settings},
                )
            except (ValueError, asyncpg.ClientConfigurationError):
                # The reader of the address quotes it, password and all: the cause must not travel.
                raise InvalidInput(
                    "O endereço do banco de dados não é válido.",
                    hint="Use a forma postgresql://usuario:senha@servidor:5432/banco.",
                    code="bad_setting",
                ) from None
        return connection


async def _borrowed(replica: Replica) -> asyncpg.Connection | None:
    with storage_errors(StorageHealth(is_quiet=True)):
        return await replica.borrow()


@contextmanager
def _of_the_replica(replica: Replica) -> Iterator[None]:
    """Turn errors into ours; a replica that is away says nothing of the primary, where everything is written."""
    with storage_errors(StorageHealth(is_quiet=True)):
        try:
            yield
        except Foreign as exc:
            if is_away(exc):
                replica.failed(exc)
            raise


@contextmanager
def _found_in_time() -> Iterator[None]:
    """Say of what was searched for too long that it was, and not that PostgreSQL is away."""
    try:
        yield
    except asyncpg.QueryCanceledError as exc:
        raise Overloaded(
            "O banco de dados levou tempo demais com esta consulta, e ela foi interrompida.",
            hint="Peça menos de uma vez: um período mais curto, mais um filtro ou uma página menor.",
            code="consulta_demorada",
        ) from exc


async def _settings(connection: asyncpg.Connection) -> dict[str, Any]:
    rows = await connection.fetch("select name, setting from pg_settings where name = any($1::text[])", list(_DURABLE))
    return {row["name"]: row["setting"] for row in rows}


def _refuse_unsafe(settings: dict[str, Any]) -> None:
    off = [name for name in _DURABLE if settings.get(name) == "off"]
    if off:
        raise InvalidInput(
            f"O PostgreSQL está com {', '.join(off)} desligado: o que ele confirma pode se perder.",
            hint="Ligue no postgresql.conf, reinicie o PostgreSQL e tente de novo.",
            code="banco_sem_garantia",
        )
