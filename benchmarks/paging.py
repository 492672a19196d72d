"""Paging at Omie's published limits: how near we come to 240 calls a minute, and that no limit is broken.

    python -m benchmarks.paging [--pages 2000]

One process; three servers and three workers behind one outgoing address; the same through a Valkey that is killed
and flushed every 20 s of Omie's clock. Real processes on a home with embedded servers, a simulator in a process of
its own whose clock runs faster, and its own log of violations. Prints markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import uvicorn
from benchmarks.paging_process import SLUG
from redis.exceptions import RedisError

from omie_control.app import DatabaseManager, open_app
from omie_control.domain.actors import SYSTEM
from omie_control.settings import Settings
from omie_control.simulator.seed import DEMO_COMPANIES
from omie_control.simulator.server import build_simulator

PER_MINUTE = 240
CALLERS = 16
KILL_EVERY_SECONDS = 20.0
_START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Case:
    """One way to read the pages; `goal` is the part of 240 a minute that must be reached."""

    name: str
    kinds: Sequence[str]
    goal: float
    scale: float
    kills: bool = False


# Our own time (a commit, a hop, a wake-up) counts `scale` times as much as in life, so faster clocks measure the
# machine. How our processes follow each other when Valkey is lost is not scaled either.
CASES = (
    Case("one process", ("serve",), 0.95, 4.0),
    Case("3 servers + 3 workers, one address", ("serve",) * 3 + ("worker",) * 3, 0.95, 4.0),
    Case("the same, Valkey killed and flushed every 20 s", ("serve",) * 3 + ("worker",) * 3, 0.70, 4.0, kills=True),
)


@dataclass(slots=True)
class Report:
    """What one case saw; seconds are Omie's."""

    case: Case
    pages: int
    seconds: float = 0.0
    kills: int = 0
    told: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)

    @property
    def shortest_seconds(self) -> float:
        """The shortest time in which 240 a minute allow so many pages: the first 240 may go at once."""
        return 60.0 * ((self.pages - 1) // PER_MINUTE)

    @property
    def part(self) -> float:
        """How much of what the limit allows was used."""
        return self.shortest_seconds / self.seconds if self.seconds else 0.0

    def row(self) -> str:
        """Write the row of the table."""
        told = ", ".join(f"{count} × {name}" for name, count in sorted(self.told.items()))
        return (
            f"| {self.case.name} | ×{self.case.scale:g} | {self.seconds:.1f} s | {self.shortest_seconds:.0f} s "
            f"| **{self.part:.1%}** | {self.case.goal:.0%} | {sum(self.violations.values())} | {self.kills} | {told} |"
        )


async def measure(case: Case, pages: int, folder: Path) -> Report:
    """Let the processes of a case read so many pages, and ask the simulator what it saw."""
    report = Report(case, pages)
    async with _simulator(case.scale) as omie_url:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OMIE_CONTROL_")},
            "OMIE_CONTROL_HOME": str(folder / "h"),
            "OMIE_CONTROL_OMIE_BASE_URL": f"{omie_url}/api/v1/",
            "OMIE_CONTROL_DEMO": "0",
        }
        settings = Settings(home=folder / "h", omie_base_url=f"{omie_url}/api/v1/", demo=False)
        demo = DEMO_COMPANIES[0]
        async with open_app(settings, kind="cli") as app:
            await app.companies.add(SYSTEM, SLUG, "Páginas", demo.app_key, demo.app_secret)
            processes = await _processes(case, pages, environment)
            try:
                await _read(report, processes, app.db, folder / "h")
            finally:
                await _end(processes)
        async with httpx2.AsyncClient(base_url=omie_url, timeout=30) as client:
            seen = (await client.get("/_sim/violations")).json()
        report.violations = Counter(each["rule"] for each in seen["items"])
    return report


async def _read(report: Report, processes: Sequence[Process], db: DatabaseManager, home: Path) -> None:
    spoiling = asyncio.create_task(_spoil(report, db, home)) if report.case.kills else None
    for process in processes:
        _go_on(process)
    facts = await asyncio.gather(*(_heard(process) for process in processes))
    if spoiling is not None:
        spoiling.cancel()
        await asyncio.gather(spoiling, return_exceptions=True)
    report.seconds = (max(each["ended"] for each in facts) - min(each["began"] for each in facts)) * report.case.scale
    for each in facts:
        report.told.update(each["told"])


async def _spoil(report: Report, db: DatabaseManager, home: Path) -> None:
    """Kill Valkey, and flush it when it is back, again and again; whoever watches restarts it."""
    while True:
        await asyncio.sleep(KILL_EVERY_SECONDS / report.case.scale)
        with suppress(OSError, ValueError):
            os.kill(int((home / "valkey" / "valkey.pid").read_text(encoding="ascii")), signal.SIGKILL)
            report.kills += 1
        is_flushed = False
        while not is_flushed:
            with suppress(RedisError, OSError):
                await db.redis.flushdb()
                is_flushed = True
            await asyncio.sleep(0.02)


async def _processes(case: Case, pages: int, environment: dict[str, str]) -> list[Process]:
    """Start the processes of a case, each with its share of the pages, and wait until all are ready."""
    processes, first, count = [], 0, len(case.kinds)
    for number, kind in enumerate(case.kinds):
        share = pages // count + (number < pages % count)
        words = {"kind": kind, "scale": case.scale, "first": first, "pages": share, "callers": max(4, CALLERS // count)}
        arguments = [text for name, value in words.items() for text in (f"--{name}", str(value))]
        processes.append(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.paging_process", *arguments, stdin=PIPE, stdout=PIPE, env=environment
            )
        )
        first += share
    async with asyncio.timeout(_START_SECONDS):
        await asyncio.gather(*(_heard(process) for process in processes))
    return processes


async def _heard(process: Process) -> dict[str, float | dict[str, int]]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a paging process ended before its time")
    return dict(json.loads(line))


def _go_on(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.write(b"\n")


async def _end(processes: Sequence[Process]) -> None:
    for process in processes:
        with suppress(ConnectionError):
            _go_on(process)
    for process in processes:
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _simulator(scale: float) -> AsyncIterator[str]:
    """Run a simulator in a process of its own; gives its address."""
    # Handed on open: a port that is only named may be somebody else's by then.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.paging", "--simulator", str(number), "--scale", str(scale)),
            pass_fds=[number],
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        deadline = time.monotonic() + _START_SECONDS
        async with httpx2.AsyncClient(base_url=url) as client:
            while True:
                with suppress(httpx2.TransportError):
                    await client.get("/_sim/violations")
                    break
                if process.returncode is not None or time.monotonic() > deadline:
                    raise RuntimeError("the simulator did not start")
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()


def page_of(reports: Sequence[Report]) -> str:
    """Write the section."""
    head = [
        "## Paging at Omie's limits",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.paging`: {reports[0].pages:,} pages of one "
        "method of one company; Omie's clock and the limits run as many times faster as said, seconds are Omie's. "
        "`shortest` is the least time in which 240 a minute allow so many pages.",
        "",
        "| case | clock | took | shortest | of what is allowed | goal | violations | kills | answers |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *(report.row() for report in reports), ""])


async def bench(pages: int, only: str) -> list[Report]:
    """Run every case, each on a home of its own."""
    reports = []
    for case in CASES:
        if only in case.name:
            with tempfile.TemporaryDirectory(prefix="octl-pg-", ignore_cleanup_errors=True) as folder:
                reports.append(await measure(case, pages, Path(folder)))
                sys.stderr.write(reports[-1].row() + "\n")
    return reports


def main() -> None:
    """Read the arguments; a broken limit or a missed goal fails the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--simulator", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--scale", type=float, default=1.0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.simulator:
        app = build_simulator(time_scale=given.scale)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[socket.socket(fileno=given.simulator)])
        return
    reports = asyncio.run(bench(given.pages, given.only))
    sys.stdout.write(page_of(reports))


if __name__ == "__main__":
    main()
