"""Months: made ahead of time, so that a row always finds its place."""

from __future__ import annotations

from dataclasses import dataclass

from omie_control.postgres.queries import Connection, queries

_sql = queries("partitions")
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Partition:
    """One month (`YYYY_MM`) of one table; sizes in bytes, rows as the planner estimates them."""

    table_name: str
    name: str
    month: str
    total_bytes: int
    estimated_rows: int


async def make_ahead(connection: Connection, months: int = _AHEAD) -> int:
    """Make sure of this month and the ones after it (`months` in all); returns how many partitions were made."""
    made: int = await _sql.make.value(connection, months=months)
    return made


async def all_partitions(connection: Connection) -> list[Partition]:
    """Return every partition, oldest month first."""
    return [Partition(**row) for row in await _sql.all.fetch(connection)]
