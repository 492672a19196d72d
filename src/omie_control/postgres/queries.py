"""The SQL of this system by noun: `queries("alerts").open.fetch(connection, limit=10)` runs `open` of `sql/alerts.sql`.

Files are read by aiosql; what is added here are types, and a loud error for a parameter that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import aiosql
import asyncpg
from aiosql.adapters.asyncpg import AsyncPGAdapter
from asyncpg.pool import PoolConnectionProxy

# What a query may run on: a connection of one's own or one lent by a pool.
Connection = asyncpg.Connection | PoolConnectionProxy


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement: its SQL with numbered parameters, their names in that order, the sentence above it."""

    name: str
    sql: str
    names: tuple[str, ...]
    sentence: str

    async def fetch(self, connection: Connection, **parameters: Any) -> list[asyncpg.Record]:
        """Run it and return every row."""
        rows: list[asyncpg.Record] = await connection.fetch(self.sql, *self._ordered(parameters))
        return rows

    async def one(self, connection: Connection, **parameters: Any) -> asyncpg.Record | None:
        """Run it and return its first row, or None."""
        return await connection.fetchrow(self.sql, *self._ordered(parameters))

    async def value(self, connection: Connection, **parameters: Any) -> Any:
        """Run it and return the first value of its first row, or None."""
        return await connection.fetchval(self.sql, *self._ordered(parameters))

    async def run(self, connection: Connection, **parameters: Any) -> int:
        """Run it and return how many rows it touched."""
        status = await connection.execute(self.sql, *self._ordered(parameters))
        last = status.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    def _ordered(self, parameters: dict[str, Any]) -> list[Any]:
        if len(parameters) != len(self.names):
            raise TypeError(f"{self.name} takes {', '.join(self.names)}; got {', '.join(parameters)}")
        return [parameters[name] for name in self.names]


class Statements:
    """The statements of one noun, each an attribute."""

    def __init__(self, noun: str, by_name: dict[str, Statement]) -> None:
        self._noun = noun
        self._by_name = by_name

    def __getattr__(self, name: str) -> Statement:
        try:
            return self._by_name[name]
        except KeyError:
            raise AttributeError(f"sql/{self._noun}.sql has no statement {name!r}") from None

    def __iter__(self) -> Any:
        return iter(self._by_name.values())


@cache
def queries(noun: str) -> Statements:
    """Load `sql/<noun>.sql`, once per process."""
    text = (files("omie_control.postgres") / "sql" / f"{noun}.sql").read_text(encoding="utf-8")
    return parse(noun, text)


def parse(noun: str, text: str) -> Statements:
    """Read statements from the text of a file; each needs its name with its parameters."""
    adapter = AsyncPGAdapter()  # type: ignore[no-untyped-call]  # aiosql types its public face only
    loaded = aiosql.from_str(text, lambda: adapter)
    by_name = {}
    for name in loaded.available_queries:
        if name.endswith("_cursor"):
            continue
        query = getattr(loaded, name)
        by_name[name] = Statement(name, query.sql, tuple(adapter.var_sorted[name]), query.__doc__ or "")
    return Statements(noun, by_name)


def nouns() -> list[str]:
    """Name every file of statements."""
    folder = files("omie_control.postgres") / "sql"
    return sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql"))
