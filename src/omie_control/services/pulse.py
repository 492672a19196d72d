"""The heartbeat that the live page shows: the last hour, minute by minute.

Many people may look at once and a page re-reads itself at every hint, so an answer is shared for a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.postgres import pulse as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.pulse import Minute
from omie_control.services.access import Access

__all__ = ["Beat", "Minute", "Pulse"]

MINUTES = 60
_SHARED_SECONDS = 1.0
_MAX_SHARED = 256
_TYPES_SPAN = timedelta(hours=24)
_Scope = frozenset[UUID] | None


@dataclass(frozen=True, slots=True)
class Beat:
    """The last hour: 60 minutes, oldest first, the current one last; and what ran within a day."""

    minutes: tuple[Minute, ...]
    process_types: tuple[str, ...]

    @property
    def total(self) -> int:
        """Executions that ended within the hour."""
        return sum(minute.total for minute in self.minutes)

    @property
    def failed(self) -> int:
        """Those of them that did not complete."""
        return sum(minute.failed for minute in self.minutes)


class Pulse:
    """Reads the pulse for an actor, within the actor's companies."""

    def __init__(
        self, postgres: Postgres, access: Access, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._postgres = postgres
        self._access = access
        self._clock = clock
        self._shared: dict[_Scope, tuple[float, Beat]] = {}

    async def read(self, actor: Actor) -> Beat:
        """Return the last hour, at most a second old. Raises Forbidden, StorageDown."""
        await self._access.require(actor, Right.EXECUTION_READ)
        known = self._shared.get(actor.companies)
        if known is not None and time.monotonic() - known[0] < _SHARED_SECONDS:
            return known[1]
        beat = await self._fresh(actor.companies)
        if len(self._shared) >= _MAX_SHARED:
            self._shared.clear()
        self._shared[actor.companies] = (time.monotonic(), beat)
        return beat

    async def _fresh(self, scope: _Scope) -> Beat:
        this_minute = self._clock().replace(second=0, microsecond=0)
        first = this_minute - timedelta(minutes=MINUTES - 1)
        async with self._postgres.reading() as connection:
            found = await store.minutes(connection, first, None if scope is None else sorted(scope))
            types = await store.process_types(connection, this_minute - _TYPES_SPAN) if scope is None else []
        by_minute = {minute.at: minute for minute in found}
        every = (first + timedelta(minutes=step) for step in range(MINUTES))
        return Beat(tuple(by_minute.get(at) or Minute(at, 0, 0) for at in every), tuple(types))
