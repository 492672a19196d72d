"""A replica that is read from while it answers; while it is away, whoever reads goes to the primary."""

from __future__ import annotations

import time
from typing import Any

import asyncpg

from omie_control.postgres.faults import Foreign, one_line
from omie_control.telemetry import Event, tell

# How long a replica that did not answer is left alone: each try costs its reader the time of a connection.
_AWAY_SECONDS = 30.0


class Replica:
    """The pool of one replica. It need not be there when the pool is made."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], *, connect_seconds: float) -> None:
        self._pool = pool
        self._connect_seconds = connect_seconds
        self._away_until: float | None = None

    async def borrow(self) -> Any | None:
        """Return a connection to give back, or None while the replica is away.

        Raises TimeoutError when all of them stay in use.
        """
        if self._away_until is not None and time.monotonic() < self._away_until:
            return None
        is_full = self._pool.get_size() == self._pool.get_max_size()
        try:
            connection = await self._pool.acquire(timeout=self._connect_seconds)
        except Foreign as error:
            if isinstance(error, TimeoutError) and is_full:
                # Busy is not away: the primary must not get on top what one replica cannot bear.
                raise
            self.failed(error)
            return None
        if self._away_until is not None:
            self._away_until = None
            tell(Event.REPLICA_BACK)
        return connection

    async def give_back(self, connection: Any) -> None:
        """Return a borrowed connection to the pool."""
        await self._pool.release(connection)

    def failed(self, error: BaseException) -> None:
        """Note that the replica did not answer; only the first note in a row is told."""
        if self._away_until is None:
            tell(Event.REPLICA_LOST, reason=one_line(error))
        self._away_until = time.monotonic() + _AWAY_SECONDS

    def terminate(self) -> None:
        """Cut all connections."""
        self._pool.terminate()
