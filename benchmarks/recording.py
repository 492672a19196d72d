"""Recording measured: our whole way against the document's own, and what each part of ours costs.

    python -m benchmarks.recording [--quick]

All ways take turns in one run on one PostgreSQL with fsync on; figures are medians of rounds. Compare ratios,
not rates: the machine is shared with its own load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Protocol

import asyncpg
import uvloop
from benchmarks import variants
from benchmarks.document import Document
from benchmarks.ours import Bare, Full
from benchmarks.page import table
from benchmarks.servers import Servers, machine, servers
from benchmarks.workload import Sample, under_load

from omie_control.app.collector import startup_frozen
from omie_control.telemetry import Event, subscribe

CALLERS = (1, 16, 64)
PROCESSES = 4


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often to measure."""

    rounds: int = 5
    seconds: float = 4
    sustained: float = 30
    tax_rounds: int = 5
    tax_seconds: float = 4


QUICK = Effort(rounds=2, seconds=1, sustained=3, tax_rounds=2, tax_seconds=1)


class Way(Protocol):
    """A way of recording."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def run(self, turn: int) -> None: ...


Samples = dict[tuple[str, int], list[Sample]]


async def in_turns(ways: Mapping[str, Way], callers: Sequence[int], rounds: int, seconds: float) -> Samples:
    """Measure every way at every number of callers, one after the other, round by round."""
    samples: Samples = {}
    refused: list[object] = []
    end = subscribe(lambda event, facts: refused.append(facts) if event is Event.ROW_REJECTED else None)
    for _ in range(rounds):
        for count in callers:
            for name, way in ways.items():
                samples.setdefault((name, count), []).append(await under_load(way.run, count, seconds))
                # A figure of rows that were not stored would be worth nothing.
                assert not refused, f"{name}: {refused[0]}"
    end()
    return samples


def rates(samples: Sequence[Sample]) -> str:
    """Write a median rate with its range."""
    found = sorted(sample.rate for sample in samples)
    return f"{median(found):,.0f} ({found[0]:,.0f}-{found[-1]:,.0f})"


def ratio(ours: Sequence[Sample], theirs: Sequence[Sample]) -> str:
    """Write the ratio of the medians with the range of the ratios round by round."""
    found = sorted(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))
    middle = median(a.rate for a in ours) / median(b.rate for b in theirs)
    return f"**{middle:.2f}** ({found[0]:.2f}-{found[-1]:.2f})"


def latencies(samples: Sequence[Sample]) -> str:
    """Write the medians of p50 and p99 in ms."""
    return f"{median(s.p50 for s in samples):.2f} / {median(s.p99 for s in samples):.2f}"


async def against_document(at: Servers, effort: Effort) -> list[str]:
    """Measure the whole of ours against the document's way: in turns, and sustained."""
    theirs_url = await at.database("document", is_ours=False)
    ours_url = await at.database("full")
    theirs, ours = Document(theirs_url, at.valkey_url), Full(ours_url, at.valkey_url, at.home)
    ways: dict[str, Way] = {"document": theirs, "ours": ours}
    for way in ways.values():
        await way.open()
    with startup_frozen():
        samples = await in_turns(ways, CALLERS, effort.rounds, effort.seconds)
        sustained = await in_turns(ways, (64,), 1, effort.sustained)
    for way in ways.values():
        await way.close()
    rows = [
        [
            str(count),
            rates(samples["document", count]),
            latencies(samples["document", count]),
            rates(samples["ours", count]),
            latencies(samples["ours", count]),
            ratio(samples["ours", count], samples["document", count]),
        ]
        for count in CALLERS
    ]
    long_document, long_ours = sustained["document", 64], sustained["ours", 64]
    rows.append(
        [
            f"64, {effort.sustained:.0f} s on end",
            rates(long_document),
            latencies(long_document),
            rates(long_ours),
            latencies(long_ours),
            ratio(long_ours, long_document) + f", p99 {long_ours[0].p99 / long_document[0].p99:.2f}",
        ]
    )
    header = [
        "callers",
        "document: executions/s",
        "p50 / p99 ms",
        "ours: executions/s",
        "p50 / p99 ms",
        "ours / document",
    ]
    return [
        "### Our whole way against the document's\n",
        "Ours: rights, masking, sealing, commitment, guarded end, partitions, histograms and live view; the document: "
        "one INSERT, one SETEX, one UPDATE, one SETEX, one metrics INSERT, one analytics UPSERT, pool of 10. Both in "
        "one process whose startup is frozen, as a server's is (decision 0022).\n",
        table(header, rows),
    ]


async def taxes(at: Servers, effort: Effort) -> list[str]:
    """Measure what each part costs: parts of the schema taken from the recorder alone, the service's from the whole."""
    urls = {
        name: await at.database(name)
        for name in ("base", "plain", "unindexed", "tied", "unrolled", "masked", "unsealed", "unseen", "whole")
    }
    await variants.without_partitions(urls["plain"])
    await variants.without_indexes(urls["unindexed"])
    await variants.with_foreign_key(urls["tied"])
    ways: dict[str, Way] = {
        "recorder alone": Bare(urls["base"], masks=False),
        "without partitions": Bare(urls["plain"], masks=False),
        "without secondary indexes": Bare(urls["unindexed"], masks=False),
        "with a foreign key from calls": Bare(urls["tied"], masks=False),
        "without roll-ups": Bare(urls["unrolled"], masks=False),
        "with masking": Bare(urls["masked"], masks=True),
        "whole, without sealing": Full(urls["unsealed"], at.valkey_url, at.home, seals=False),
        "whole, without the live view": Full(urls["unseen"], at.valkey_url, at.home, is_live=False),
        "whole: masking, sealing, commitment, rights, live view": Full(urls["whole"], at.valkey_url, at.home),
    }
    for name, way in ways.items():
        await way.open()
        if name == "without roll-ups":
            # Its statements are made, and kept by its connection, at the first batches of each shape.
            with variants.WithoutRollups():
                await under_load(way.run, 64, effort.tax_seconds)
    samples = await in_turns(ways, (64,), effort.tax_rounds, effort.tax_seconds)
    for way in ways.values():
        await way.close()
    base = samples["recorder alone", 64]
    rows = [
        [name, rates(samples[name, 64]), latencies(samples[name, 64]), ratio(samples[name, 64], base)] for name in ways
    ]
    return [
        "\n### What each part costs, 64 callers\n",
        table(["variant", "executions/s", "p50 / p99 ms", "/ recorder alone"], rows),
    ]


async def processes(at: Servers, effort: Effort) -> list[str]:
    """Measure four server processes against one, 64 callers in all, and count what they wrote."""
    url = await at.database("processes")
    one: list[float] = []
    four: list[float] = []
    told = 0
    turns = [(1, one), (PROCESSES, four)]
    for _ in range(max(2, effort.rounds)):
        turns.reverse()
        for count, into in turns:
            counted = await asyncio.gather(*(_process(at, url, 64 // count, effort.seconds) for _ in range(count)))
            told += sum(executions for executions, _ in counted)
            into.append(sum(rate for _, rate in counted))
    connection = await asyncpg.connect(url)
    kept = await connection.fetchrow(
        "select (select count(*) from process_executions where status = 'completed') as rows,"
        " (select sum(usage_count) from usage_now) as used, (select count(*) from omie_api_metrics) as calls"
    )
    await connection.close()
    assert kept is not None
    exact = {int(kept["rows"]), int(kept["used"]), int(kept["calls"])} == {told}
    return [
        "\n### Server processes on one database, 64 callers in all\n",
        table(
            ["processes", "executions/s", "/ one"],
            [
                ["1", f"{median(one):,.0f}", "1"],
                [str(PROCESSES), f"{median(four):,.0f}", f"**{median(four) / median(one):.2f}**"],
            ],
        ),
        f"\nAcknowledged {told:,}; rows {kept['rows']:,}, calls {kept['calls']:,}, counted in the roll-ups "
        f"{kept['used']:,}: totals {'exact' if exact else '**NOT exact**'}.",
    ]


async def _process(at: Servers, url: str, callers: int, seconds: float) -> tuple[int, float]:
    environment = {**os.environ, "BENCH_DATABASE": url, "BENCH_VALKEY": at.valkey_url, "BENCH_HOME": str(at.home)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.one_process", str(callers), str(seconds), env=environment, stdout=-1
    )
    out, _ = await process.communicate()
    count, rate = out.split()
    return int(count), float(rate)


async def measure(effort: Effort) -> str:
    """Run everything and return the section."""
    async with servers() as at:
        head = [
            "## Recording\n",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.recording`. {await machine(at)}.\n",
        ]
        parts = await against_document(at, effort) + await taxes(at, effort) + await processes(at, effort)
    return "\n".join(head + parts) + "\n"


def main() -> None:
    """Measure and print the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording")
    parser.add_argument("--quick", action="store_true", help="short rounds: to see that it runs, not to quote")
    given = parser.parse_args()
    sys.stdout.write(uvloop.run(measure(QUICK if given.quick else Effort())))


if __name__ == "__main__":
    main()
