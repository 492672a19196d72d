"""How many executions ended minute by minute, from the roll-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from omie_control.postgres.queries import Connection, queries

_sql = queries("pulse")
_SCOPED_ROWS = 20_000
_TYPES = 200


@dataclass(frozen=True, slots=True)
class Minute:
    """What ended in one minute; `failed` is everything that did not complete."""

    at: datetime
    succeeded: int
    failed: int

    @property
    def total(self) -> int:
        """Everything that ended."""
        return self.succeeded + self.failed


async def minutes(connection: Connection, since: datetime, companies: Sequence[UUID] | None = None) -> list[Minute]:
    """Return the minutes in which anything ended since an instant; `companies` None counts all of them."""
    if companies is None:
        rows = await _sql.minutes.fetch(connection, since=since)
    else:
        rows = await _sql.minutes_of.fetch(connection, companies=list(companies), since=since, limit=_SCOPED_ROWS)
    return [Minute(**row) for row in rows]


async def process_types(connection: Connection, since: datetime) -> list[str]:
    """Return the names of what ran since an instant, busiest first."""
    return [row["name"] for row in await _sql.process_types.fetch(connection, since=since, limit=_TYPES)]
