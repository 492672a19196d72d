"""Writes with a fault on each third: `python -m tests.campaign.writes --writes 10000`, then a saboteur to be caught.

Faults: no answer after Omie executed, and before; 8020 and a broken answer, both with and without effect; a cut
answer, a lost connection; and kill -9 of our process after Omie executed and before we had kept it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from tests.campaign.writer import TIME_SCALE
from tests.fixtures_omie import OmieServer, start_omie

from omie_control.embedded import EmbeddedServers
from omie_control.simulator.book import Entry
from omie_control.simulator.envelope import Request
from omie_control.simulator.faults import FaultPlans, Move, Plan

WRITER = ("-m", "tests.campaign.writer")
CARELESS = ("-m", "tests.campaign.careless_writer")
CALL = "IncluirCliente"
MOVES = (
    (Move.TIMEOUT_AFTER, True),
    (Move.TIMEOUT_BEFORE, False),
    (Move.REPEATED, False),
    (Move.BROKEN, True),
    (Move.REPEATED, True),
    (Move.BROKEN, False),
    (Move.CUT_JSON, True),
    (Move.RESET, True),
)
_LOOKS_SECONDS = 0.01
_PATIENCE_SECONDS = 300.0
_START_SECONDS = 180.0
_SETTLED_SECONDS = 300.0


class EachThird(FaultPlans):
    """Spoils each third write, in turn by every move; each ninth spoiled one is for a kill."""

    def __init__(self) -> None:
        super().__init__()
        self._moves = itertools.cycle([*MOVES, None])
        self._count = 0
        self.faults: Counter[str] = Counter()
        self.is_killing = False

    def take(self, request: Request) -> Plan | None:
        """Return the fault of this request, or None."""
        if request.call != CALL:
            return super().take(request)
        self._count += 1
        if self._count % 3:
            return None
        move = next(self._moves)
        if move is None:
            self.is_killing = True
            self.faults["kill"] += 1
            return Plan(Move.TIMEOUT_AFTER, executes=True)
        self.faults[f"{move[0]}{' after' if move[1] else ' before'}"] += 1
        return Plan(move[0], executes=move[1])


class Patience:
    """How long all lives together may take: a build that sends again and again would be killed and begin anew for ever.

    It counts from the first write, for until then it is the machine that takes its time to start a process.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + _START_SECONDS + seconds
        self._counts = False

    def is_over(self, *, has_begun: bool) -> bool:
        """Say whether it has been long enough."""
        if has_begun and not self._counts:
            self._counts, self._until = True, time.monotonic() + self._seconds
        return time.monotonic() > self._until


@dataclass(slots=True)
class Report:
    """What a campaign saw."""

    writes: int
    seconds: float = 0.0
    kills: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    settled_after: float = 0.0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        faults = ", ".join(f"{count} × {name}" for name, count in sorted(self.faults.items()))
        told = ", ".join(f"{count} × {name}" for name, count in sorted(self.told.items()))
        return "\n".join(
            [
                f"{self.writes} writes in {self.seconds:.0f} s, {self.kills} kills; faults: {faults}",
                f"told: {told}",
                f"the last end came {self.settled_after:.1f} s after Omie was well (its clock: ×{TIME_SCALE:g})",
                *(f"BROKEN {each}" for each in self.broken[:50]),
                f"{len(self.broken)} broken promises",
            ]
        )


async def run(
    folder: Path,
    environment: dict[str, str],
    owner_url: str,
    *,
    writes: int,
    program: tuple[str, ...] = WRITER,
    patience: float = _PATIENCE_SECONDS,
    tell: Callable[[str], None] = lambda line: None,
) -> Report:
    """Let processes write until all is answered and settled, killing them on the way; then compare the books."""
    report, began = Report(writes), time.monotonic()
    keys = [f"k{number}" for number in range(writes)]
    book = folder / "answers.jsonl"
    book.touch()
    async with start_omie(time_scale=TIME_SCALE, latency_ms=(1.0, 5.0)) as omie:
        faults = omie.simulator.faults = EachThird()
        seen = _entries_of(omie)
        given = environment | {
            "OMIE_CONTROL_OMIE_BASE_URL": omie.base_url,
            "OMIE_CONTROL_HOME": str(folder / "h"),
            "OMIE_CONTROL_DEMO": "0",
            "CAMPAIGN_APP_KEY": omie.company.app_key,
            "CAMPAIGN_APP_SECRET": omie.company.app_secret,
        }
        waiting = Patience(patience)
        while await _one_life(folder, given, program, _unanswered(keys, book), faults, seen, waiting, report):
            report.kills += 1
            tell(f"{report.kills:>4} kills, {len(keys) - len(_unanswered(keys, book))} of {writes} answered")
        report.faults = dict(faults.faults)
        answers = _read(book)
        report.told = dict(Counter(each.get("error", "answer") for each in answers if "key" in each))
        report.settled_after = max((each["settled_after"] for each in answers if "settled_after" in each), default=0.0)
        report.broken += _late(report.settled_after)
        report.broken += [*_doubled(omie, keys), *_different(answers, keys), *_impolite(omie)]
        report.broken += await _untrue(owner_url, keys)
    report.seconds = time.monotonic() - began
    return report


async def _one_life(
    folder: Path,
    environment: dict[str, str],
    program: tuple[str, ...],
    keys: list[str],
    faults: EachThird,
    seen: list[Entry],
    waiting: Patience,
    report: Report,
) -> bool:
    """Run one process until it is done (False) or killed (True)."""
    work = folder / "work"
    work.write_text("\n".join(keys), encoding="utf-8")
    with (folder / "screen").open("ab") as screen:
        process = subprocess.Popen(
            [sys.executable, *program, str(work), str(folder / "answers.jsonl")],
            env={name: value for name, value in os.environ.items() if not name.startswith("OMIE_CONTROL_")}
            | environment,
            stdout=screen,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while process.poll() is None:
            if faults.is_killing and seen and seen[-1].is_executed and seen[-1].move == Move.TIMEOUT_AFTER:
                faults.is_killing = False
                return True
            if waiting.is_over(has_begun=bool(seen)):
                report.broken.append(f"{len(_unanswered(keys, folder / 'answers.jsonl'))} keys never got an answer")
                return False
            await asyncio.sleep(_LOOKS_SECONDS)
        if process.returncode:
            report.broken.append(f"the writer ended with {process.returncode}: {_last_words(folder / 'screen')}")
        return False
    finally:
        process.kill()
        process.wait()


def _last_words(screen: Path) -> str:
    return screen.read_text(encoding="utf-8", errors="replace")[-2000:]


def _entries_of(omie: OmieServer) -> list[Entry]:
    """Collect the writing requests as they come in."""
    seen: list[Entry] = []
    book = omie.simulator.book
    honest = book.open

    def noting(*given: Any, writes: bool) -> Entry:
        entry = honest(*given, writes=writes)
        if writes:
            seen.append(entry)
        return entry

    book.open = noting  # type: ignore[method-assign]
    return seen


def _read(book: Path) -> list[dict[str, Any]]:
    """Read the callers' book; a line that was cut by a kill acknowledged nothing."""
    return list(_lines(book))


def _lines(book: Path) -> Iterator[dict[str, Any]]:
    for line in book.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _unanswered(keys: list[str], book: Path) -> list[str]:
    answered = {each["key"] for each in _lines(book) if "answer" in each}
    return [key for key in keys if key not in answered]


def _late(seconds: float) -> list[str]:
    """Nothing stays without an end for longer than five minutes, on Omie's clock, after Omie is well."""
    return [f"everything had its end only after {seconds:.1f} s"] if seconds > _SETTLED_SECONDS / TIME_SCALE else []


def _doubled(omie: OmieServer, keys: list[str]) -> list[str]:
    """Every key has exactly one record in Omie."""
    table = omie.simulator.companies[omie.company.app_key].table("clientes")
    counted = Counter(str(row.record.get("razao_social")) for row in table)
    wrong = ((key, counted[f"Campanha {key}"]) for key in keys)
    return [f"{key}: {times or 'no'} records in Omie" for key, times in wrong if times != 1]


def _different(answers: list[dict[str, Any]], keys: list[str]) -> list[str]:
    """Whoever asked with one key was told the same."""
    told: dict[str, set[str]] = defaultdict(set)
    for each in answers:
        if "answer" in each:
            told[each["key"]].add(json.dumps(each["answer"]))
    return [f"{key}: {len(told[key])} different answers" for key in keys if len(told[key]) != 1]


def _impolite(omie: OmieServer) -> list[str]:
    """Neither writes nor look-ups broke any limit of Omie's."""
    rules = Counter(each.rule for each in omie.simulator.book.violations)
    return [f"{times} × {rule}" for rule, times in rules.items()]


async def _untrue(owner_url: str, keys: list[str]) -> list[str]:
    """Nothing without an end; for each key one execution that did it; no alert left, none twice."""
    connection = await asyncpg.connect(owner_url)
    try:
        endless = await connection.fetch(
            "select execution_id from process_executions where status in ('running', 'uncertain')"
        )
        done = await connection.fetch(
            "select input_parameters ->> 'razao_social' as name, count(*) as times from process_executions"
            " where process_type = 'escrever' and status = 'completed'"
            "   and coalesce(response_data ->> 'repetida_de', '') = '' group by 1"
        )
        alerts = await connection.fetchval(
            "select count(*) from integration_alerts where not is_resolved and alert_type = 'execution_uncertain'"
        )
        twice = await connection.fetchval(
            "select count(*) from (select from integration_alerts group by process_execution_id having count(*) > 1) t"
        )
    finally:
        await connection.close()
    times = {row["name"]: row["times"] for row in done}
    counted = ((key, times.get(f"Campanha {key}", 0)) for key in keys)
    return [
        *(f"{row['execution_id']}: no end" for row in endless),
        *(f"{key}: {count} executions say they did it" for key, count in counted if count != 1),
        *([f"{alerts} alerts left open"] if alerts else []),
        *([f"{twice} executions with more than one alert"] if twice else []),
    ]


async def _campaign(folder: Path, writes: int, program: tuple[str, ...], **choices: Any) -> Report:
    """Run on servers of its own."""
    servers = EmbeddedServers(folder / "s")
    endpoints = await servers.start()
    environment = {
        "OMIE_CONTROL_DATABASE_URL": endpoints.owner_url,
        "OMIE_CONTROL_VALKEY_URL": endpoints.valkey_url,
    }
    try:
        return await run(folder, environment, endpoints.owner_url, writes=writes, program=program, **choices)
    finally:
        await servers.stop()


def main() -> int:
    """Run both; 0 when every write was made exactly once and the saboteur was caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--patience", type=float, default=4 * 3600.0, help="seconds that all may take")
    choices = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="octl-writes-"))
    try:
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        report = asyncio.run(_campaign(folder / "a", choices.writes, WRITER, tell=_tell, patience=choices.patience))
        _tell(str(report))
        sabotage = asyncio.run(_campaign(folder / "b", 60, CARELESS, patience=30.0))
        verdict = f"caught, {len(sabotage.broken)} broken promises" if sabotage.broken else "NOT CAUGHT"
        _tell(f"saboteur (claims the key after the call): {verdict}")
        return 0 if not report.broken and sabotage.broken else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
