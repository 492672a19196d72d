"""Ingest with millions of executions in the tables against ingest into empty ones.

    python -m benchmarks.scale [--rows 10000000] [--rounds 8]

The rows are real ones: some hundred executions are recorded our whole way, then copied under new ids over the month so
far, with their calls and sealed bodies, in the order of time and with every index in place. A row takes about 2.5 kB of
disk, so ten million want 30 GB free. Both ways then take turns at 64 callers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter

import asyncpg
import uvloop
from benchmarks.ours import Full
from benchmarks.page import table
from benchmarks.recording import latencies, rates, ratio
from benchmarks.servers import Servers, machine, servers
from benchmarks.workload import Sample, exactly, under_load

ROWS = 10_000_000
GOAL = 0.9
_CALLERS = 64
_SECONDS = 4.0
_TEMPLATES = 512
_CHUNK = 50_000
_BYTES_A_ROW = 3_300
# An execution each, so copied together: what makes it this one, and what it takes from its template.
_OWN = {
    "process_executions": {
        "id": "made.id",
        "process_type": "made.kind",
        "execution_id": "made.kind || to_char(made.at, '_YYYYMMDD_HH24MISS_') || right(made.id::text, 26)",
        "started_at": "made.at",
        "completed_at": "made.at + interval '130 ms'",
        "created_at": "made.at",
        "updated_at": "made.at + interval '130 ms'",
    },
    "execution_bodies": {"execution_id": "made.id", "created_at": "made.at"},
    "omie_api_metrics": {
        "endpoint": "'geral/clientes/Metodo' || made.n % 25",
        "process_execution_id": "made.id",
        "timestamp": "made.at",
    },
}
_KEYS = {"process_executions": "id", "execution_bodies": "execution_id", "omie_api_metrics": "process_execution_id"}

_MADE = f"""
select n, at, uuid7(at) as id, 'consultar_tipo_' || lpad((n % 40)::text, 2, '0') as kind, n % {_TEMPLATES} as k
  from (select n, $4::timestamptz + ($5::timestamptz - $4) * (n::float8 / $3::bigint) as at
          from generate_series($1::bigint, $2::bigint - 1) n) t
"""


async def bench(rows: int, rounds: int) -> str:
    """Fill, measure, and return the section."""
    async with servers() as at:
        if (free := shutil.disk_usage(at.home).free) < rows * _BYTES_A_ROW:
            raise SystemExit(f"{rows:,} rows want {rows * _BYTES_A_ROW / 1e9:.0f} GB, {free / 1e9:.0f} GB are free")
        full_url, empty_url = await at.database("filled"), await at.database("empty")
        began = perf_counter()
        await fill(full_url, at, rows)
        took = perf_counter() - began
        ways = {
            "empty": Full(empty_url, at.valkey_url, at.home / "empty"),
            "filled": Full(full_url, at.valkey_url, at.home / "filled"),
        }
        samples: dict[str, list[Sample]] = {name: [] for name in ways}
        for way in ways.values():
            await way.open()
        for way in ways.values():
            await under_load(way.run, _CALLERS, 1.0)
        for turn in range(rounds):
            # Whoever comes second meets what the first one left to be written: so they take turns at that, too.
            for name in sorted(ways, reverse=bool(turn % 2)):
                samples[name].append(await under_load(ways[name].run, _CALLERS, _SECONDS))
        for way in ways.values():
            await way.close()
        return report(samples, rows, await _size(full_url), took, await machine(at))


def report(samples: dict[str, list[Sample]], rows: int, size: int, took: float, where: str) -> str:
    """Write the section."""
    lines = [
        [name, rates(some), latencies(some), ratio(some, samples["empty"]), "" if name == "empty" else f"≥ {GOAL}"]
        for name, some in samples.items()
    ]
    return "\n".join(
        [
            f"## Ingest with {rows:,} executions in the tables",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.scale`: {len(samples['empty'])} "
            f"interleaved rounds of {_SECONDS:g} s at {_CALLERS} callers. The full tables hold {rows:,} executions "
            f"recorded our whole way, as many calls and sealed bodies, {size / 1e9:.1f} GB, made in {took:.0f} s. "
            f"{where}.",
            "",
            table(["tables", "executions/s", "p50 / p99 ms", "/ empty", "goal"], lines),
            "",
        ]
    )


async def fill(url: str, at: Servers, rows: int) -> None:
    """Record some executions our whole way, and copy them over this month so far, in the order of time."""
    way = Full(url, at.valkey_url, at.home / "filled")
    await way.open()
    await exactly(way.run, _CALLERS, range(_TEMPLATES))
    await way.close()
    connection = await asyncpg.connect(url)
    now = datetime.now(UTC)
    since = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for name, key in _KEYS.items():
        await connection.execute(
            f"create table template_{name} as select dense_rank() over (order by {key}) - 1 as k, * from {name};"
            # Nothing of it is vacuumed while it is measured: the empty tables have nothing to be vacuumed either.
            f"alter table {name}_{now:%Y_%m} set (autovacuum_enabled = false)"
        )
    steps = [f"in_{name} as ({await _copying(connection, name, f'{now:%Y_%m}')} returning 1)" for name in _OWN]
    statement = f"with made as materialized ({_MADE}), {', '.join(steps)} select count(*) from in_process_executions"
    done = await connection.fetchval("select count(*) from process_executions")
    chunks = iter([(first, min(first + _CHUNK, rows)) for first in range(done, rows, _CHUNK)])
    began = perf_counter()
    copied = await asyncio.gather(
        *(_copy(url, statement, chunks, rows, (since, now), began) for _ in range(os.cpu_count() or 1))
    )
    for name in _KEYS:
        await connection.execute(f"drop table template_{name}; analyze {name}_{now:%Y_%m}")
    assert done + sum(copied) == rows
    await connection.execute("checkpoint")
    await connection.close()


async def _copying(connection: asyncpg.Connection, name: str, month: str) -> str:
    """Return the insert that copies the templates of a table into its month."""
    columns = await connection.fetch(
        "select attname::text as name from pg_attribute"
        " where attrelid = $1::text::regclass and attnum > 0 and not attisdropped",
        name,
    )
    own = _OWN[name]
    # The number of a call comes from its sequence.
    names = [row["name"] for row in columns if (name, row["name"]) != ("omie_api_metrics", "id")]
    values = ", ".join(own.get(column, f"template.{column}") for column in names)
    return (
        f"insert into {name}_{month} ({', '.join(names)}) select {values} from made"
        f" join template_{name} template using (k) order by made.n"
    )


async def _copy(
    url: str,
    statement: str,
    chunks: Iterator[tuple[int, int]],
    total: int,
    span: tuple[datetime, datetime],
    began: float,
) -> int:
    """Copy chunk after chunk; returns how many executions."""
    copied = 0
    connection = await asyncpg.connect(url)
    await connection.execute("set synchronous_commit = off; set work_mem = '256MB'")
    for first, following in chunks:
        copied += await connection.fetchval(statement, first, following, total, *span)
        took = perf_counter() - began
        left = took * (total - following) / following
        sys.stderr.write(f"\r{following:,} of {total:,} rows, {took:.0f} s, about {left:.0f} s to go ")
        sys.stderr.flush()
    await connection.close()
    return copied


async def _size(url: str) -> int:
    connection = await asyncpg.connect(url)
    size: int = await connection.fetchval("select pg_database_size(current_database())")
    await connection.close()
    return size


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=8)
    given = parser.parse_args()
    sys.stdout.write(uvloop.run(bench(given.rows, given.rounds)))


if __name__ == "__main__":
    main()
