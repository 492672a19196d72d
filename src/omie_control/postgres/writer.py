"""The recorder's one connection: sends a batch, and can prove what became of one whose answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from omie_control.errors import StorageDown
from omie_control.postgres.batches import Batch
from omie_control.postgres.faults import Foreign
from omie_control.postgres.statements import EVIDENCE, PARENTS, Part, Tables, statement

Connect = Callable[[], Awaitable[asyncpg.Connection]]

_BACKEND_GONE_SECONDS = 5.0
# Until it is open nobody can hang up from outside: a server that greets and then freezes would be waited for for ever.
_OPEN_SECONDS = 15.0
_CLOSE_SECONDS = 2.0
_SLOW_SECONDS = 0.25
_WHO = """
select pg_backend_pid() as pid, a.backend_start, pg_postmaster_start_time() as server_start
  from pg_stat_activity a where a.pid = pg_backend_pid()
"""
_STILL_THERE = """
select pg_terminate_backend(a.pid)
  from pg_stat_activity a where a.pid = $1 and a.backend_start = $2
"""


class Backend(NamedTuple):
    """Which process of PostgreSQL serves a connection; the start tells it from a later one with the same pid."""

    pid: int
    backend_start: datetime
    server_start: datetime


class Writer:
    """One connection with its prepared statements; not shared, one batch at a time."""

    def __init__(self, connection: asyncpg.Connection, backend: Backend) -> None:
        self._connection = connection
        self._statements: dict[tuple[Part, Tables], Any] = {}
        self._clock = asyncio.get_running_loop().time
        self._needs_new_plans = False
        self.backend = backend

    @classmethod
    async def open(cls, connect: Connect) -> Writer:
        """Connect and learn which backend it is. Raises what connecting raises, StorageDown when nobody answers."""
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                connection = await connect()
                try:
                    (who,) = await connection.fetch(_WHO)
                except BaseException:
                    connection.terminate()
                    raise
        except TimeoutError as exc:
            raise StorageDown() from exc
        return cls(connection, Backend(who["pid"], who["backend_start"], who["server_start"]))

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return bool(self._connection.is_closed())

    async def send(self, batch: Batch, tables: Tables) -> list[int]:
        """Commit a batch; return the numbers (from 1) of the finishes that ended their execution."""
        parts, arguments = batch.arguments()
        if self._needs_new_plans:
            self._needs_new_plans = False
            await self._connection.execute("discard plans")
        prepared = self._statements.get((parts, tables)) or await self._prepared(parts, tables)
        begun = self._clock()
        ended = [record[0] for record in await prepared.fetch(*arguments)]
        # A plan made while a table held a handful of rows may read all of it ever after. Whatever made this batch
        # slow, new plans cost little.
        self._needs_new_plans = self._clock() - begun > _SLOW_SECONDS
        return ended

    async def _prepared(self, parts: Part, tables: Tables) -> Any:
        try:
            prepared = await self._connection.prepare(statement(parts, tables))
        except asyncpg.UndefinedTableError:
            # Nobody has made this month's partitions yet; the parents say so row by row.
            if tables == PARENTS:
                raise
            prepared = await self._prepared(parts, PARENTS)
        self._statements[parts, tables] = prepared
        return prepared

    async def outlive(self, lost: Backend) -> None:
        """Return once a lost backend is gone for sure: what it has not committed by then, it never will."""
        if lost.server_start != self.backend.server_start:
            return
        deadline = asyncio.get_running_loop().time() + _BACKEND_GONE_SECONDS
        while await self._connection.fetchval(_STILL_THERE, lost.pid, lost.backend_start) is not None:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError("the lost backend does not go away")
            await asyncio.sleep(0.02)

    async def was_committed(self, batch: Batch) -> list[int] | None:
        """Look for the batch's own rows. None: not committed; else the numbers of the finishes that ended theirs.

        Ask only when the backend that had the batch is gone. One statement is atomic: any row of it proves all.
        """
        (found,) = await self._connection.fetch(EVIDENCE, *batch.evidence_arguments())
        ended: list[int] = found["ended"] or []
        new = len(batch.starts) + len(batch.wholes)
        is_there = ended or found["has_calls"] or (new and len(found["started"] or ()) == new)
        return ended if is_there else None

    async def make_partitions(self) -> None:
        """Make the partitions of this month and the next, should nobody have made them ahead."""
        await self._connection.execute(
            "select make_partitions((now() at time zone 'UTC' - interval '1 month')::date, 3)"
        )

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._connection.execute("select")

    def terminate(self) -> None:
        """Cut the connection without waiting for anybody."""
        self._connection.terminate()

    async def close(self) -> None:
        """Take leave of PostgreSQL, or cut the line when it does not answer."""
        try:
            await self._connection.close(timeout=_CLOSE_SECONDS)
        except Foreign:
            self._connection.terminate()
