"""What the simulated Omie knows: companies, and each company's records by noun."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any
from zlib import crc32

from omie_control.simulator.book import Effect, Entry
from omie_control.simulator.clock import BRASILIA

Record = dict[str, Any]
_BLOCK = 100_000_000


@dataclass(slots=True)
class Row:
    """A record and when it was made and last touched."""

    id: int
    code: str
    record: Record
    created_at: datetime
    changed_at: datetime


class Table:
    """The records of one noun, found by Omie's id or by integration code."""

    def __init__(self, noun: str, ids: Iterator[int]) -> None:
        self.noun = noun
        self._ids = ids
        self._rows: dict[int, Row] = {}
        self._by_code: dict[str, int] = {}
        self._indexes: dict[str, dict[Any, list[int]]] = {}

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, record: Record, code: str, at: datetime, id: int | None = None) -> Row:
        """Make a record; its integration code must be free."""
        row = Row(next(self._ids) if id is None else id, code, record, at, at)
        self._rows[row.id] = row
        if code:
            self._by_code[code] = row.id
        for tag, index in self._indexes.items():
            index.setdefault(record.get(tag), []).append(row.id)
        return row

    def where(self, tag: str, value: Any) -> list[Row]:
        """Return the rows whose tag has a value, by an index; only for tags that never change."""
        index = self._indexes.get(tag)
        if index is None:
            index = self._indexes[tag] = {}
            for row in self._rows.values():
                index.setdefault(row.record.get(tag), []).append(row.id)
        return [self._rows[id] for id in index.get(value, ())]

    def get(self, id: int) -> Row | None:
        """Return the row with an Omie id."""
        return self._rows.get(id)

    def with_code(self, code: str) -> Row | None:
        """Return the row with an integration code."""
        id = self._by_code.get(code)
        return None if id is None else self._rows[id]

    def name(self, row: Row, code: str) -> None:
        """Give a row another integration code."""
        self._by_code.pop(row.code, None)
        row.code = code
        if code:
            self._by_code[code] = row.id

    def remove(self, row: Row) -> None:
        """Delete a row."""
        del self._rows[row.id]
        self._by_code.pop(row.code, None)
        for tag, index in self._indexes.items():
            index[row.record.get(tag)].remove(row.id)


@dataclass(slots=True)
class Company:
    """One company of Omie: the pair that opens it, and its tables."""

    app_key: str
    app_secret: str
    name: str
    ids: Iterator[int] = field(default_factory=lambda: count(5_500_000_001))
    seed: int = 1
    founded_at: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=BRASILIA)
    _tables: dict[str, Table] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def next_number(self, noun: str) -> int:
        """Return the next of the numbers that people see, 1, 2, 3 … a noun."""
        self._numbers[noun] = self._numbers.get(noun, 0) + 1
        return self._numbers[noun]

    def table(self, noun: str) -> Table:
        """Return the table of a noun; one with a seeder is filled when it is first asked for, others are empty."""
        found = self._tables.get(noun)
        if found is None:
            found = self._tables[noun] = Table(noun, self.ids)
            self._fill(found)
        return found

    def random(self, noun: str) -> Random:
        """Return dice that always fall the same way for a noun of this company; nothing secret hangs on them."""
        return Random(f"{self.seed}:{self.app_key}:{noun}")  # noqa: S311

    def _fill(self, table: Table) -> None:
        seeder = SEEDERS.get(table.noun)
        if seeder is None:
            return
        # A block of ids of the noun's own: they are the same whatever was asked for before.
        first = _BLOCK * (100 + crc32(table.noun.encode()) % 800) + 1
        for id, (code, record) in enumerate(seeder(self), first):
            table.add(record, code, self.founded_at, id)


# By noun: what its table holds at the beginning, as (integration code, record).
Seeder = Callable[[Company], Iterable[tuple[str, Record]]]
SEEDERS: dict[str, Seeder] = {}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a request is worked on: its company, the instant, and the page of the book it writes on."""

    company: Company
    now: datetime
    entry: Entry

    def add(self, noun: str, record: Record, code: str) -> Row:
        """Make a record, and write it in the book."""
        row = self.company.table(noun).add(record, code, self.now)
        self._note(noun, "create", row)
        return row

    def change(self, noun: str, row: Row, fields: Record) -> None:
        """Change a record's fields, and write it in the book."""
        row.record.update(fields)
        row.changed_at = self.now
        self._note(noun, "update", row)

    def remove(self, noun: str, row: Row) -> None:
        """Delete a record, and write it in the book."""
        self.company.table(noun).remove(row)
        self._note(noun, "delete", row)

    def name(self, noun: str, row: Row, code: str) -> None:
        """Give a record another integration code, and write it in the book."""
        self.company.table(noun).name(row, code)
        row.changed_at = self.now
        self._note(noun, "update", row)

    def _note(self, noun: str, action: str, row: Row) -> None:
        self.entry.effects.append(Effect(noun, action, row.id, row.code))
