"""What a process writes down of its calls while Valkey decides, and what it believes about who decides.

Writing is late by some milliseconds and never by more: while anything older than `lag` is unwritten, nobody enters.
That is what makes a rebuild after a flush exact, without a commit before each call.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from omie_control.domain.gate import Ask, Line, Passage
from omie_control.errors import StorageDown
from omie_control.postgres.gate import PostgresGate, Standing

_LINGER_SECONDS = 0.005
_AGAIN_SECONDS = 0.1
_CANCEL_SECONDS = 0.2
_PRUNE_SECONDS = 60.0
_RECENT_SECONDS = 10.0
_RECENT = 2_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How closely processes follow each other, in real seconds.

    `confirm`: how old the belief about who decides may be; `lag`: how late a call may be written down; `fallback`:
    how long PostgreSQL decides at least; `probe`: how often a lost Valkey is tried; `patience`: how long a caller
    waits for a book that PostgreSQL does not take.
    """

    confirm: float = 0.5
    lag: float = 0.1
    fallback: float = 2.0
    probe: float = 0.5
    patience: float = 5.0

    @property
    def flush_settles(self) -> float:
        """After this long, everything that was let through before a flush is written down."""
        return 2 * self.lag

    @property
    def switch_settles(self) -> float:
        """After this long, nobody acts any more on what was true before a switch."""
        return self.confirm + 2 * self.lag


@dataclass(frozen=True, slots=True)
class _Note:
    """A passage as it stood at `at`; something of this call is unwritten since `since`."""

    since: float
    at: float
    egress: str
    passage: Passage


Moved = Callable[[str, Standing, list[tuple[Ask, Passage]]], Awaitable[None]]


class Book:
    """One a process. `on_moved` hears of a new epoch, with the calls that lately left."""

    def __init__(self, postgres: PostgresGate, pace: Pace, on_moved: Moved) -> None:
        self._postgres = postgres
        self.pace = pace
        self._on_moved = on_moved
        self._notes: dict[str, _Note] = {}
        self._lines: dict[tuple[str, str, str], Line] = {}
        self._writer: asyncio.Task[None] | None = None
        self._written = asyncio.Event()
        self._writing_since: float | None = None
        self._standings: dict[str, tuple[Standing, float]] = {}
        self._asking = asyncio.Lock()
        self._recent: deque[tuple[float, Ask, Passage]] = deque(maxlen=_RECENT)
        self._pruned_at = time.monotonic()

    async def close(self) -> None:
        """Write what still waits, if PostgreSQL takes it soon."""
        if self._writer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.pace.patience):
                    await asyncio.wait([self._writer])
            while not self._writer.done():
                # Python 3.11 and the driver may swallow a cancellation that meets an answer: ask until it ends.
                self._writer.cancel()
                await asyncio.wait([self._writer], timeout=_CANCEL_SECONDS)

    async def standing(self, egress: str) -> Standing:
        """Say who decides, as of `confirm` seconds ago at most. Raises StorageDown; waits while the book lags."""
        await self._caught_up()
        known = self._fresh(egress)
        if known is not None:
            return known
        async with self._asking:
            known = self._fresh(egress)
            if known is None:
                began = time.monotonic()
                known = await self._postgres.standing(egress)
                await self.learn(egress, known, began)
        return known

    def latest(self, egress: str) -> Standing | None:
        """Return the last belief, however old."""
        known = self._standings.get(egress)
        return None if known is None else known[0]

    def is_late(self, egress: str, began: float) -> bool:
        """Say whether what was asked at `began` may be acted on only after looking again."""
        known = self._standings.get(egress)
        now = time.monotonic()
        return now - began > self.pace.lag or known is None or now - known[1] > self.pace.confirm + self.pace.lag

    async def learn(self, egress: str, standing: Standing, began: float) -> None:
        """Take over what PostgreSQL said when it was asked at `began`."""
        before = self._standings.get(egress)
        if before is not None and before[0].epoch > standing.epoch:
            return
        self._standings[egress] = (standing, began)
        if before is not None and before[0].epoch != standing.epoch:
            await self._on_moved(egress, standing, self._lately(egress))

    def forget(self, egress: str) -> None:
        """Look again before the next step."""
        known = self._standings.get(egress)
        if known is not None:
            self._standings[egress] = (known[0], float("-inf"))

    def note(self, egress: str, passage: Passage) -> None:
        """Write a call down soon; the newest note of a call counts."""
        before = self._notes.get(passage.id)
        at = time.monotonic()
        self._notes[passage.id] = _Note(at if before is None else before.since, at, egress, passage)
        self._start()

    def note_left(self, ask: Ask, passage: Passage, line: Line | None) -> None:
        """Write down that a call left, and what its line became."""
        self._recent.append((time.monotonic(), ask, passage))
        if line is not None:
            self._lines[ask.egress, line.app_key, line.endpoint] = line
        self.note(ask.egress, passage)

    async def write_now(self, egress: str, passage: Passage) -> Standing | None:
        """Write a call down before anything else happens; returns who decided when it was."""
        began = time.monotonic()
        standings = await self._postgres.book([(egress, passage)], [], [egress])
        if egress in standings:
            await self.learn(egress, standings[egress], began)
        return standings.get(egress)

    def _fresh(self, egress: str) -> Standing | None:
        known = self._standings.get(egress)
        if known is None or time.monotonic() - known[1] > self.pace.confirm:
            return None
        return known[0]

    def _lately(self, egress: str) -> list[tuple[Ask, Passage]]:
        now = time.monotonic()
        return [
            (ask, _aged(passage, now - at))
            for at, ask, passage in self._recent
            if ask.egress == egress and now - at < _RECENT_SECONDS
        ]

    async def _caught_up(self) -> None:
        deadline = time.monotonic() + self.pace.patience
        while self._oldest() < time.monotonic() - self.pace.lag:
            self._written.clear()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._written.wait()
            except TimeoutError:
                raise StorageDown() from None

    def _oldest(self) -> float:
        waiting = next(iter(self._notes.values())).since if self._notes else float("inf")
        return min(waiting, self._writing_since if self._writing_since is not None else float("inf"))

    def _start(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="gate book")

    async def _write(self) -> None:
        while self._notes or self._lines:
            await asyncio.sleep(_LINGER_SECONDS)
            notes, self._notes = self._notes, {}
            lines, self._lines = self._lines, {}
            self._writing_since = min((note.since for note in notes.values()), default=time.monotonic())
            try:
                await self._write_batch(list(notes.values()), lines)
            except Exception:
                # Nobody enters meanwhile: `standing` waits for this, and fails for its callers when it takes long.
                self._notes = {**notes, **self._notes}
                self._lines = {**lines, **self._lines}
                await asyncio.sleep(_AGAIN_SECONDS)
            finally:
                self._writing_since = None
                self._written.set()

    async def _write_batch(self, notes: list[_Note], lines: dict[tuple[str, str, str], Line]) -> None:
        began = time.monotonic()
        egresses = sorted({note.egress for note in notes})
        passages = [(note.egress, _aged(note.passage, began - note.at)) for note in notes]
        standings = await self._postgres.book(passages, [(key[0], line) for key, line in lines.items()], egresses)
        for egress, standing in standings.items():
            await self.learn(egress, standing, began)
        if began - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = began
            await self._postgres.prune()


def _aged(passage: Passage, seconds: float) -> Passage:
    """Return a passage as it stands `seconds` after it was noted."""
    return replace(
        passage,
        running_for=max(0.0, passage.running_for - seconds),
        counts_for=max(0.0, passage.counts_for - seconds),
        repeats_for=max(0.0, passage.repeats_for - seconds),
    )
