"""Fifty equal writes at once under one key, again and again: `python -m tests.campaign.equal_calls --rounds 1000`.

Two installations' processes worth of state (two Apps) share the callers, so that a key is claimed across both. Each
round has one effect in Omie, one execution that did it, and one answer, the same byte for byte for everybody.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import SecretStr
from tests.fixtures_omie import OmieServer, start_omie
from tests.writing import Told, Writer, company_of

from omie_control.app import open_app
from omie_control.app import services as wiring
from omie_control.domain.gate import Limits
from omie_control.embedded import EmbeddedServers
from omie_control.settings import Settings

CALLERS = 50
TIME_SCALE = 60.0
_APPS = 2


@dataclass(slots=True)
class Report:
    """What the rounds saw."""

    rounds: int
    seconds: float = 0.0
    answers: int = 0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        head = f"{self.rounds} rounds of {CALLERS} equal calls in {self.seconds:.0f} s, {self.answers} answers"
        return "\n".join(
            [head, *(f"BROKEN {each}" for each in self.broken[:50]), f"{len(self.broken)} broken promises"]
        )


async def run(
    settings: Settings, omie: OmieServer, *, rounds: int, tell: Callable[[str], None] = lambda line: None
) -> Report:
    """Run so many rounds, then count what Omie has."""
    report, began = Report(rounds), time.monotonic()
    async with _writers(settings, omie) as writers:
        for number in range(rounds):
            told = await asyncio.gather(
                *(writers[caller % _APPS].write(_client(number), key=f"rodada-{number}") for caller in range(CALLERS))
            )
            report.answers += sum(each.written is not None for each in told)
            report.broken += _judge(number, told)
            if number % 100 == 99:
                tell(f"{number + 1:>5} of {rounds} rounds, {len(report.broken)} broken promises")
    table = omie.simulator.companies[omie.company.app_key].table("clientes")
    counted = Counter(str(row.record.get("razao_social")) for row in table)
    wrong = ((number, counted[_client(number)["razao_social"]]) for number in range(rounds))
    report.broken += [f"round {number}: {times} records in Omie" for number, times in wrong if times != 1]
    report.broken += [f"{each.rule}: {each.detail}" for each in omie.simulator.book.violations]
    report.seconds = time.monotonic() - began
    return report


def _client(number: int) -> dict[str, str]:
    return {"razao_social": f"Rodada {number}"}


def _judge(number: int, told: list[Told]) -> list[str]:
    errors = Counter(type(each.error).__name__ for each in told if each.written is None)
    answers = {orjson.dumps(each.written.payload.data) for each in told if each.written is not None}
    firsts = sum(each.written is not None and each.written.repeated_of is None for each in told)
    return [
        *(f"round {number}: {times} × {name}" for name, times in errors.items()),
        *([f"round {number}: {len(answers)} different answers"] if len(answers) != 1 else []),
        *([f"round {number}: {firsts} calls say that they did it"] if firsts != 1 else []),
    ]


@asynccontextmanager
async def _writers(settings: Settings, omie: OmieServer) -> AsyncIterator[list[Writer]]:
    """Open two Apps that go the product's whole way, on Omie's limits and its faster clock."""
    before, wiring.LIMITS = wiring.LIMITS, Limits().scaled(TIME_SCALE)
    try:
        async with AsyncExitStack() as opened:
            apps = [await opened.enter_async_context(open_app(settings, kind="serve")) for _ in range(_APPS)]
            company = await company_of(apps[0], omie.company.app_key, omie.company.app_secret)
            yield [Writer(app.executions, app.calls, app.services.writes, company) for app in apps]
    finally:
        wiring.LIMITS = before


async def _campaign(folder: Path, rounds: int) -> Report:
    """Run on servers of its own."""
    servers = EmbeddedServers(folder / "s")
    endpoints = await servers.start()
    try:
        async with start_omie(time_scale=TIME_SCALE, latency_ms=(20.0, 120.0)) as omie:
            settings = Settings(
                home=folder / "h",
                database_url=SecretStr(endpoints.owner_url),
                valkey_url=SecretStr(endpoints.valkey_url),
                omie_base_url=omie.base_url,
                demo=False,
            )
            return await run(settings, omie, rounds=rounds, tell=_tell)
    finally:
        await servers.stop()


def main() -> int:
    """Run the rounds; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_000)
    choices = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="octl-equal-"))
    try:
        report = asyncio.run(_campaign(folder, choices.rounds))
        _tell(str(report))
        return 1 if report.broken else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
