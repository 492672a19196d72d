"""What full control costs a FastMCP tool: the same tool bare and controlled, in turns, in one run.

    python -m benchmarks.mcp_overhead [--seconds 3] [--rounds 5]

In memory at 1 and 16 callers, and over HTTP at 16 (the clients here). Each contestant is a process of its own, as a
server before and after the two lines of `docs/how-to/control-your-own-server.md`. The controlled tool comes twice: as
one that may change something, whose start is committed before it runs, and as one that says of itself that it only
reads, whose start may be committed with its end. Between them and the bare one stand the bare one with its startup
kept out of collections, which our lifespan does as well, and the same with plain inserts in one table instead of us.
Prints markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import uvloop
from benchmarks.mcp_server import (
    BARE,
    CONTROLLED,
    FLOOR_TABLE,
    FROZEN,
    KINDS,
    MAY_CHANGE,
    ONE_INSERT,
    ONLY_READS,
    TWO_INSERTS,
    measure,
)
from benchmarks.page import table
from benchmarks.servers import Servers, servers

_WARM_SECONDS = 0.5
# What is measured, by what it is called on the page.
CONTESTANTS = {
    "bare": (BARE, ONLY_READS),
    "bare, startup frozen": (FROZEN, ONLY_READS),
    "the same and one INSERT": (ONE_INSERT, ONLY_READS),
    "the same and two INSERTs": (TWO_INSERTS, ONLY_READS),
    "controlled, only reads": (CONTROLLED, ONLY_READS),
    "controlled, may change something": (CONTROLLED, MAY_CHANGE),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A transport and a number of callers, with the share of the bare tool's rate that is wanted there."""

    name: str
    callers: int
    goal: float
    is_http: bool = False


SETTINGS = (
    Setting("in memory, 1", 1, 0.5),
    Setting("in memory, 16", 16, 0.75),
    Setting("HTTP, 16", 16, 0.85, is_http=True),
)
# By setting and contestant: calls per second, a round each.
Rates = dict[str, dict[str, list[float]]]


class Contestant:
    """One server process."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._orders, self._answers = process.stdin, process.stdout
        self.url = ""

    async def ready(self) -> None:
        """Wait for its port."""
        self.url = f"http://127.0.0.1:{(await self._answer()):.0f}/mcp"

    async def run(self, setting: Setting, seconds: float, tool: str) -> float:
        """Return its calls per second."""
        if setting.is_http:
            return await measure(self.url, setting.callers, seconds, tool)
        self._orders.write(f"{setting.callers} {seconds} {tool}\n".encode())
        return await self._answer()

    async def close(self) -> None:
        """Let it end by itself."""
        self._orders.close()
        await self._process.wait()

    async def _answer(self) -> float:
        line = await self._answers.readline()
        assert line, "a server under measurement died"
        return float(line)


@asynccontextmanager
async def contestants(at: Servers) -> AsyncIterator[dict[str, Contestant]]:
    """Start a server of each kind."""
    url, floor = await at.database("mcp"), await at.database("mcp_floor", is_ours=False)
    connection = await asyncpg.connect(floor)
    await connection.execute(FLOOR_TABLE)
    await connection.close()
    environment = {
        **os.environ,
        "OMIE_CONTROL_HOME": str(at.home),
        "OMIE_CONTROL_DATABASE_URL": url,
        "OMIE_CONTROL_VALKEY_URL": at.valkey_url,
        "BENCH_OWNER": floor,
    }
    started: dict[str, Contestant] = {}
    try:
        for kind in KINDS:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "benchmarks.mcp_server",
                kind,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=environment,
            )
            started[kind] = Contestant(process)
        for contestant in started.values():
            await contestant.ready()
        yield started
    finally:
        for contestant in started.values():
            await contestant.close()


async def in_turns(running: dict[str, Contestant], rounds: int, seconds: float) -> Rates:
    """Run the contestants round by round, so that a slow minute of the machine hits all alike."""
    rates: Rates = {setting.name: {name: [] for name in CONTESTANTS} for setting in SETTINGS}
    for setting in SETTINGS:
        for kind, tool in CONTESTANTS.values():
            await running[kind].run(setting, min(_WARM_SECONDS, seconds), tool)
        for number in range(rounds):
            order = list(CONTESTANTS.items())
            for name, (kind, tool) in order if number % 2 == 0 else reversed(order):
                rates[setting.name][name].append(await running[kind].run(setting, seconds, tool))
    return rates


def report(rates: Rates, rounds: int, seconds: float) -> str:
    """Write the medians and their ratios as markdown."""
    rows = []
    for setting in SETTINGS:
        found = rates[setting.name]
        bare, frozen = (statistics.median(found[name]) for name in ("bare", "bare, startup frozen"))
        for name, each in found.items():
            middle = statistics.median(each)
            goal = str(setting.goal) if name.startswith("controlled") else ""
            rows.append([setting.name, name, _spread(each), f"**{middle / bare:.2f}**", f"{middle / frozen:.2f}", goal])
    header = ["transport, callers", "the tool", "calls/s", "/ bare", "/ bare, startup frozen", "goal"]
    return "\n".join(
        [
            "## A FastMCP tool, bare and under full control",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.mcp_overhead`: {os.cpu_count()} cores "
            f"({platform.machine()}), Python {platform.python_version()}, {rounds} interleaved rounds of {seconds:g} "
            "s, medians (min-max).",
            "",
            "Controlled is a server with the two lines of the how-to, bare the same server without them. Our lifespan "
            "also keeps what the process loaded out of garbage collections ([decision "
            "0022](decisions/0022-startup-stays-out-of-collections.md)), which a bare server could do for itself: the "
            "last ratio leaves that gain out. The INSERTs are the least that a durable record costs: one plain row "
            "with the answer, or one before the tool and one behind it, by a pool of 10.",
            "",
            table(header, rows),
        ]
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})"


async def bench(rounds: int, seconds: float) -> None:
    """Run everything and print the report."""
    async with servers() as at, contestants(at) as running:
        rates = await in_turns(running, rounds, seconds)
    sys.stdout.write(report(rates, rounds, seconds) + "\n")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    uvloop.run(bench(given.rounds, given.seconds))


if __name__ == "__main__":
    main()
