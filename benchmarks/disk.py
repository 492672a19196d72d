"""What one execution takes on disk, table by table: the document's schema, ours fresh, ours in a month made small.

    python -m benchmarks.disk [--rows 40000]

Each way records the same number of executions with an answer of 2 kB, and nothing hangs on how long that takes: both
are vacuumed each time they have grown by an eighth of the whole, autovacuum stays away, commits need not reach the
disk. (Left alone, a month is vacuumed each time it has grown by a twentieth; `unvacuumed` is one that never was.) A
table counts with its heap, its TOAST and its indexes; months without rows do not count. The month is made small as in
life: its sealed bodies go by age, then it is rewritten, and what is left is sealed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from benchmarks.document import Document
from benchmarks.ours import Full
from benchmarks.page import table
from benchmarks.servers import Servers, servers
from benchmarks.workload import exactly

from omie_control.app import open_app
from omie_control.domain.actors import SYSTEM
from omie_control.domain.damages import Finding
from omie_control.postgres import bodies
from omie_control.settings import Settings

ROWS = 40_000
FRESH_GOAL, SMALL_GOAL = 1.3, 0.6
_STEPS = 8
_CALLERS = 64
# What holds an execution and its bodies: what the goals speak of. Calls and seals are told apart.
_EXECUTION = ("process_executions", "execution_bodies")
_CALLS = "omie_api_metrics"
_SEALS = "seals"

_SIZES = """
select coalesce(parent.relname, t.relname)::text as name, sum(pg_relation_size(t.oid))::bigint as heap,
       sum(pg_table_size(t.oid) - pg_relation_size(t.oid))::bigint as beside,
       sum(pg_indexes_size(t.oid))::bigint as indexes
  from pg_class t
  left join pg_inherits on inhrelid = t.oid
  left join pg_class parent on parent.oid = inhparent
 where t.relkind = 'r' and t.relnamespace = 'public'::regnamespace and pg_relation_size(t.oid) > 0
 group by 1
"""
# Known by what they are on: a month made small has other names. Two on the same columns are one line.
_INDEXES = """
select coalesce(parent.relname, t.relname)::text as name, sum(pg_relation_size(x.indexrelid))::bigint as bytes,
       substring(pg_get_indexdef(x.indexrelid) from '[(]([^)]*)[)]') as columns
  from pg_index x
  join pg_class t on t.oid = x.indrelid
  left join pg_inherits on inhrelid = t.oid
  left join pg_class parent on parent.oid = inhparent
 where t.relkind = 'r' and t.relnamespace = 'public'::regnamespace and pg_relation_size(t.oid) > 0
 group by 1, 3
"""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of one table an execution. `beside`: TOAST, free space map, visibility map."""

    heap: float = 0
    beside: float = 0
    indexes: float = 0

    @property
    def total(self) -> float:
        return self.heap + self.beside + self.indexes


@dataclass(frozen=True, slots=True)
class Stand:
    """How much every table takes an execution, and every index by its table and columns."""

    tables: Mapping[str, Size]
    indexes: Mapping[tuple[str, str], float]

    @property
    def executions(self) -> float:
        """What the goals speak of: executions and their bodies."""
        return sum(self._of(name) for name in _EXECUTION)

    @property
    def whole(self) -> float:
        """The same with the calls and the seals."""
        return self.executions + self._of(_CALLS) + self._of(_SEALS)

    def _of(self, name: str) -> float:
        return self.tables.get(name, Size()).total


async def measure(at: Servers, rows: int) -> tuple[Stand, Stand, Stand, Stand]:
    """Return how the document's schema, ours, ours made small, and ours never vacuumed stand."""
    theirs_url = await at.database("disk_document", is_ours=False)
    await _hurry(theirs_url)
    theirs = Document(theirs_url, at.valkey_url)
    await theirs.open()
    await _fill(theirs.run, theirs_url, rows, _STEPS)
    await theirs.close()
    ours_url, unvacuumed_url = await at.database("disk_ours"), await at.database("disk_unvacuumed")
    for url, steps in ((ours_url, _STEPS), (unvacuumed_url, 1)):
        ours = Full(url, at.valkey_url, _home(at, url))
        await ours.open()
        await _fill(ours.run, url, rows, steps)
        await ours.close()
        await _seal(url, at, make_small=False)
    fresh = await _stand(ours_url, rows)
    await _seal(ours_url, at, make_small=True)
    return await _stand(theirs_url, rows), fresh, await _stand(ours_url, rows), await _stand(unvacuumed_url, rows)


async def _fill(run: Callable[[int], Awaitable[None]], url: str, rows: int, steps: int) -> None:
    await _without_autovacuum(url)
    for step in range(steps):
        await exactly(run, _CALLERS, range(rows * step // steps, rows * (step + 1) // steps))
        await _execute(url, "vacuum")


async def _seal(url: str, at: Servers, *, make_small: bool) -> None:
    """Seal what was recorded; then let the bodies go by age and make the months small."""
    facts: dict[str, Any] = {"database_url": url, "valkey_url": at.valkey_url, "home": _home(at, url)}
    async with open_app(Settings(**facts), kind="cli") as app:
        await app.services.seals.turn()
        if not make_small:
            return
        later = datetime.now(UTC) + timedelta(days=1)
        await bodies.delete_before(app.db.postgres, later)
        for month in {later.date().replace(day=1), (later - timedelta(days=2)).date().replace(day=1)}:
            await app.services.seals.slim(month)
        found: list[Finding] = []

        async def note(finding: Finding) -> None:
            found.append(finding)

        await app.services.trail.verify(SYSTEM, note)
        # A small figure of rows that the audit does not know again would be worth nothing.
        assert not found, found[0]


def _home(at: Servers, url: str) -> Path:
    # The checkpoints of its seals lie there, so each database has its own.
    return at.home / urlsplit(url).path[1:]


async def _stand(url: str, rows: int) -> Stand:
    await _execute(url, "vacuum")
    connection = await asyncpg.connect(url)
    tables, indexes = await connection.fetch(_SIZES), await connection.fetch(_INDEXES)
    kept = await connection.fetchval("select count(*) from process_executions where status = 'completed'")
    await connection.close()
    assert kept == rows, f"{kept} of {rows} rows"
    return Stand(
        {row["name"]: Size(row["heap"] / rows, row["beside"] / rows, row["indexes"] / rows) for row in tables},
        {(row["name"], row["columns"]): row["bytes"] / rows for row in indexes},
    )


async def _hurry(url: str) -> None:
    # Bytes are the same, and the document's six commits an execution would take minutes.
    await _execute(url, f'alter database "{urlsplit(url).path[1:]}" set synchronous_commit = off')


async def _without_autovacuum(url: str) -> None:
    connection = await asyncpg.connect(url)
    for row in await connection.fetch(
        "select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    ):
        await connection.execute(f"alter table {row['name']} set (autovacuum_enabled = false)")
    await connection.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def report(stands: Sequence[Stand], rows: int) -> str:
    """Write the section."""
    theirs, fresh, small, unvacuumed = stands
    lines = [line for name in (*_EXECUTION, _CALLS, _SEALS) for line in _lines(name, stands)]
    lines.append(["**executions and bodies**", *(f"**{stand.executions:,.0f}**" for stand in stands)])
    lines.append(["with calls and seals", *(f"{stand.whole:,.0f}" for stand in stands)])
    return "\n".join(
        [
            "## Bytes on disk",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.disk`: {rows:,} executions each, with a "
            "response of 2 kB, through the whole of either way; bytes an execution after VACUUM. `small` is the month "
            "after its sealed bodies went by age and it was rewritten; `audit verify` finds nothing wrong with it.",
            "",
            f"Ours by the document's: fresh **{fresh.executions / theirs.executions:.2f}** (goal ≤ {FRESH_GOAL}; where "
            f"autovacuum never came {unvacuumed.executions / theirs.executions:.2f}), small "
            f"**{small.executions / theirs.executions:.2f}** (goal ≤ {SMALL_GOAL}); with the calls, and the seals, "
            f"which the document does not have, {fresh.whole / theirs.whole:.2f} and "
            f"{small.whole / theirs.whole:.2f}.",
            "",
            table(["what", "document", "ours, fresh", "ours, small", "ours, unvacuumed"], lines),
            "",
        ]
    )


def _lines(name: str, stands: Sequence[Stand]) -> list[list[str]]:
    """Write a table's heap, what lies beside it, and each of its indexes."""
    sizes = [stand.tables.get(name, Size()) for stand in stands]
    indexes = sorted({columns for stand in stands for of, columns in stand.indexes if of == name})
    return [
        [f"{name}, rows", *(f"{size.heap:,.0f}" for size in sizes)],
        [f"{name}, TOAST and maps", *(f"{size.beside:,.0f}" for size in sizes)],
        *(
            [f"{name}, index ({columns})", *(f"{stand.indexes.get((name, columns), 0):,.0f}" for stand in stands)]
            for columns in indexes
        ),
    ]


async def bench(rows: int) -> str:
    """Measure, and return the section."""
    async with servers() as at:
        return report(await measure(at, rows), rows)


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    sys.stdout.write(uvloop.run(bench(given.rows)))


if __name__ == "__main__":
    main()
