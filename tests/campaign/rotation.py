"""`python -m tests.campaign.rotation --rate 200 --rotations 5`: the master key changes under load, and nobody notices.

Two processes record at a steady pace; the operator's own command changes the key again and again; a process that is
started meanwhile, and one that has run all along, open what was sealed before and just now. At the end everything that
was ever acknowledged is opened with the newest key alone: the old ones can be retired. Saboteurs, which change the
key without letting the others follow, must be caught.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from omie_control.app import App, open_app
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.errors import ControlError
from omie_control.services.keys import FILE_NAME
from omie_control.settings import Settings

HONEST = ("-m", "omie_control")
# `rotation_saboteur.py` says what each does wrong.
SABOTEURS = ("late", "unswept")
_LOADERS = 2
_OPERATOR = Actor(ActorKind.CLI, "campaign", Role.ADMIN)
_OPENED_EACH_TIME = 40
_OPENED_AT_ONCE = 8
_PATIENCE_SECONDS = 240.0
_WARM_SECONDS = 2.0


@dataclass(slots=True)
class Report:
    """What came of it: rotations with the seconds each took, the calls, and whatever went wrong."""

    rate: float
    rotations: list[float] = field(default_factory=list)
    calls: int = 0
    reached: float = 0.0
    opened: int = 0
    failed: list[str] = field(default_factory=list)
    unopened: list[str] = field(default_factory=list)
    not_retired: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nobody noticed."""
        return not (self.failed or self.unopened or self.not_retired)

    def __str__(self) -> str:
        took = ", ".join(f"{seconds:.1f}" for seconds in self.rotations)
        lines = [
            f"{len(self.rotations)} rotations ({took} s)",
            f"calls: {self.calls:,}, {self.reached:.1f} a second ({self.rate:g} asked for), failed: {len(self.failed)}",
            f"bodies opened: {self.opened:,}, not opened: {len(self.unopened)}",
            f"left under an old key: {len(self.not_retired)}",
        ]
        named = (("FAILED", self.failed), ("NOT OPENED", self.unopened), ("NOT RETIRED", self.not_retired))
        return "\n".join([*lines, *(f"{name} {each}" for name, found in named for each in found[:10])])


@dataclass(frozen=True, slots=True)
class Entry:
    """One execution that was acknowledged, and whose CPF its sealed body holds."""

    execution_id: str
    person: str


async def campaign(home: Path, rate: float, rotations: int, program: Sequence[str] = HONEST) -> Report:
    """Load, rotate, open; returns what came of it."""
    report = Report(rate)
    settings = Settings.from_environment(_environment(home))
    # It has the servers running, and is the process that was there all along.
    async with open_app(settings, kind="library") as old:
        books = [home.with_name(f"{home.name}.{number}.book") for number in range(_LOADERS)]
        stop = home.with_name(f"{home.name}.stop")
        async with _loaders(home, books, rate / _LOADERS, stop) as loaders:
            await _until_going(books, loaders, rate)
            for _ in range(rotations):
                began = time.perf_counter()
                await _rotate(home, program, report)
                report.rotations.append(time.perf_counter() - began)
                known = entries(books)
                some = [*known[:_OPENED_EACH_TIME], *known[-_OPENED_EACH_TIME:]]
                await _open(old, some, report)
                await _open_by_a_new_process(settings, some, report)
            stop.touch()
            for loader in loaders:
                assert await asyncio.wait_for(loader.wait(), _PATIENCE_SECONDS) == 0, "a loader died"
        _count(books, report)
        await _retire(old, home, report)
    # Alone with the newest key, after everybody has gone.
    await _open_by_a_new_process(settings, entries(books), report)
    return report


def _environment(home: Path) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("OMIE_CONTROL_")}
    return outer | {"OMIE_CONTROL_HOME": str(home)}


@asynccontextmanager
async def _loaders(
    home: Path, books: Sequence[Path], rate: float, stop: Path
) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    running = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.campaign.rotation_load", str(book), str(rate), str(stop)),
            env=_environment(home),
        )
        for book in books
    ]
    try:
        yield running
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _until_going(books: Iterable[Path], loaders: Sequence[asyncio.subprocess.Process], rate: float) -> None:
    """Wait until every loader has recorded for a moment."""
    enough = _WARM_SECONDS * rate / _LOADERS
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not all(book.exists() and book.read_bytes().count(b'"execution"') > enough for book in books):
        assert all(loader.returncode is None for loader in loaders), "a loader died"
        assert time.monotonic() < deadline, "the loaders do not get going"
        await asyncio.sleep(0.1)


async def _rotate(home: Path, program: Sequence[str], report: Report) -> None:
    """Change the key as an operator does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *program, "key", "rotate", "--json"),
        env=_environment(home),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), _PATIENCE_SECONDS)
    if process.returncode != 0:
        report.failed.append(f"key rotate: {out.decode()}{err.decode()}")


async def _open_by_a_new_process(settings: Settings, some: Sequence[Entry], report: Report) -> None:
    """Open bodies with nothing in memory but what lies in the home and in the database."""
    try:
        async with open_app(settings, kind="cli") as fresh:
            await _open(fresh, some, report)
    except ControlError as error:
        report.unopened.append(f"a new process does not start: {error}")


async def _open(app: App, some: Sequence[Entry], report: Report) -> None:
    left = iter(some)

    async def opener() -> None:
        for entry in left:
            try:
                clear = await app.bodies.reveal(_OPERATOR, entry.execution_id)
            except ControlError as error:
                report.unopened.append(f"{entry.execution_id}: {error}")
                continue
            found = (clear["input"]["cnpj_cpf"], clear["response"]["clientes"][0]["cnpj_cpf"])
            if found != (entry.person, entry.person):
                report.unopened.append(f"{entry.execution_id}: holds something else")
            report.opened += 1

    await asyncio.gather(*(opener() for _ in range(_OPENED_AT_ONCE)))


async def _retire(app: App, home: Path, report: Report) -> None:
    """See that nothing is sealed under an old key any more, and take the old ones away."""
    uses = await app.services.key_rotation.list(_OPERATOR)
    for use in uses:
        left = use.data_keys + use.companies + use.seal_keys + use.configurations
        if left and not use.is_current:
            report.not_retired.append(f"{use.id}: {left} rows")
    path = home / FILE_NAME
    path.write_text(path.read_text(encoding="ascii").split()[-1] + "\n", encoding="ascii")


def entries(books: Iterable[Path]) -> list[Entry]:
    """Return every acknowledged execution, the oldest first."""
    lines = [line for line in _lines(books) if "execution" in line]
    return [Entry(line["execution"], line["person"]) for line in sorted(lines, key=lambda line: line["at"])]


def _count(books: Iterable[Path], report: Report) -> None:
    for line in _lines(books):
        if "failed" in line:
            report.failed.append(line["failed"])
        if "calls" in line:
            report.calls += line["calls"]
            report.reached += line["calls"] / line["seconds"]


def _lines(books: Iterable[Path]) -> list[dict[str, Any]]:
    # The last line of a book that is being written may be half a line.
    return [orjson.loads(line) for book in books for line in book.read_bytes().split(b"\n")[:-1]]


def main() -> None:
    """Read the arguments; somebody who noticed, a pace not kept or a saboteur not caught fails the run."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.rotation")
    parser.add_argument("--rate", type=float, default=200, help="executions a second, of all loaders together")
    parser.add_argument("--rotations", type=int, default=5)
    given = parser.parse_args()
    report = asyncio.run(_in_a_home(given.rate, given.rotations, HONEST))
    sys.stdout.write(f"{report}\n")
    caught = True
    for name in SABOTEURS:
        sabotage = asyncio.run(_in_a_home(given.rate, 1, ("-m", "tests.campaign.rotation_saboteur", name)))
        caught = caught and not sabotage.is_clean
        sys.stdout.write(f"saboteur {name}: {'NOT CAUGHT' if sabotage.is_clean else 'caught'}\n{sabotage}\n")
    if not report.is_clean or report.reached < given.rate * 0.98 or not caught:
        raise SystemExit(1)


async def _in_a_home(rate: float, rotations: int, program: Sequence[str]) -> Report:
    folder = Path(tempfile.mkdtemp(prefix="octl-rot-"))
    try:
        return await campaign(folder / "h", rate, rotations, program)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
