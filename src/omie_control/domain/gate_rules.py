"""The rules of the gate over a given state: what `valkey/lua/gate.lua` says, once more, for the fallback.

A test lets both judge the same histories. Instants are seconds since 1970 on the clock of whoever keeps the state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from omie_control.domain.gate import Admitted, Answer, Ask, Limits, Line, Passage, TurnedAway, Verdict, Wait, Why


@dataclass(frozen=True, slots=True)
class Waiter:
    """One call in the queue; it stands there from `from_in` seconds on."""

    id: str
    line: str
    writes: bool
    company: str
    caller: str
    is_background: bool
    asked_at: float
    from_in: float = 0.0


@dataclass(slots=True)
class _Room:
    places: int
    left: int


@dataclass(slots=True)
class Board:
    """The state of one egress at one instant. `served`: when each company and (company, caller) last entered."""

    limits: Limits
    passages: Sequence[Passage]
    lines: Mapping[str, Line]
    blocked_for: float
    waiters: Sequence[Waiter]
    served: Mapping[tuple[str, ...], float] = field(default_factory=dict)

    def decide(self, id: str, ask: Ask, waiter: Waiter, patience: float) -> Answer:
        """Say whether this call may leave now; `waiter` is itself, should it have to stand in line."""
        answer = self._judge(ask, waiter, patience)
        is_full = len(self.waiters) >= self.limits.most_waiters and all(other.id != id for other in self.waiters)
        if isinstance(answer, Wait) and is_full:
            return TurnedAway(self.limits.waiter_seconds, Why.QUEUE)
        return answer

    def _judge(self, ask: Ask, waiter: Waiter, patience: float) -> Answer:
        if self.blocked_for > 0:
            return TurnedAway(self.blocked_for, Why.BLOCK)
        seconds, why = self.not_before(ask)
        if seconds > patience:
            return TurnedAway(seconds, why)
        if seconds > 0:
            return Wait(seconds, why)
        mine, ahead, before = self._deal(waiter)
        if mine:
            used = sum(1 for each in self._counting(ask.line))
            return Admitted(self.limits.per_method - used - 1, self.limits.held_seconds)
        return self._crowded(ask, ahead, before, patience)

    def not_before(self, ask: Ask) -> tuple[float, Why]:
        """Say for how long this call cannot go, whoever else waits, and why."""
        line = self.lines.get(ask.line)
        repeats = max((p.repeats_for for p in self._of(ask.line) if p.digest == ask.params_digest), default=0.0)
        waits = [(min(repeats, self.limits.held_seconds), Why.REDUNDANT)]
        if line is not None:
            waits.append((line.paused_for, Why.PAUSE))
            if line.errors >= self.limits.errors_open:
                waits.append((line.opens_in if ask.writes or ask.is_known_good else line.patient_in, Why.BREAKER))
        return max(waits, key=lambda wait: wait[0])

    def _crowded(self, ask: Ask, ahead: int, before: int, patience: float) -> Answer:
        rates = [
            _opens_in(self._counting(ask.line), self.limits.per_method, ahead),
            _opens_in(self._counting(None), self.limits.per_egress, before),
        ]
        seconds = max(rates)
        if seconds <= 0:
            return Wait(self.limits.waiter_seconds, Why.CROWD)
        seconds = min(seconds, self.limits.held_seconds)
        return TurnedAway(seconds, Why.RATE) if seconds > patience else Wait(seconds, Why.RATE)

    def _deal(self, me: Waiter) -> tuple[bool, int, int]:
        """Give the free places away in order until it is my turn; how many stand before me in my line and in all."""
        free = self.limits.per_egress - len(self._counting(None))
        rooms: dict[str, _Room] = {}
        ahead = before = 0
        others = [waiter for waiter in self.waiters if waiter.id != me.id]
        for waiter in in_order([*others, me], self.served):
            room = rooms.setdefault(waiter.line, self._room(waiter.line, writes=waiter.writes))
            has_place = free > 0 and room.places > 0 and room.left > 0
            if waiter.id == me.id:
                return has_place, ahead, before
            if has_place:
                free, room.places, room.left = free - 1, room.places - 1, room.left - 1
            before += 1
            ahead += waiter.line == me.line
        return False, ahead, before

    def _room(self, line: str, *, writes: bool) -> _Room:
        limits, standing = self.limits, self.lines.get(line)
        is_lone = writes or (standing is not None and standing.lone_for > 0)
        most = limits.writes_at_once if is_lone else limits.reads_at_once
        errors = standing.errors if standing is not None else 0
        most = 1 if errors >= limits.errors_open else min(most, limits.errors_most - errors)
        running = sum(1 for each in self._of(line) if each.running_for > 0)
        return _Room(most - running, limits.per_method - len(self._counting(line)))

    def _of(self, line: str | None) -> list[Passage]:
        return [each for each in self.passages if line is None or f"{each.app_key}:{each.endpoint}" == line]

    def _counting(self, line: str | None) -> list[float]:
        return sorted(each.counts_for for each in self._of(line) if each.counts_for > 0)


def _opens_in(counting: Sequence[float], most: int, ahead: int) -> float:
    """Say when there is room for one more than `ahead` others; 0: now. Beyond what is known, the last that frees."""
    short = len(counting) - most + ahead
    if short < 0 or not counting:
        return 0.0
    return counting[min(short, len(counting) - 1)]


def in_order(waiters: Sequence[Waiter], served: Mapping[tuple[str, ...], float]) -> list[Waiter]:
    """Put those who wait in the order in which places are theirs.

    Interactive before background; then company by company, the one least lately served first; within a company
    caller by caller, alike; within a caller in order of arrival.
    """

    def last(*name: str) -> float:
        return served.get(name, 0.0)

    ready = [waiter for waiter in waiters if waiter.from_in <= 0]
    nth = _numbered(ready, lambda w: (w.company, w.caller), _older)
    rounds = _numbered(ready, lambda w: (w.company,), lambda w: (nth[w.id], last(w.company, w.caller), *_older(w)))
    return sorted(ready, key=lambda w: (w.is_background, rounds[w.id], last(w.company), *_older(w)))


def _older(waiter: Waiter) -> tuple[float, str]:
    return waiter.asked_at, waiter.id


def _numbered(
    waiters: Sequence[Waiter],
    group: Callable[[Waiter], tuple[str, ...]],
    order: Callable[[Waiter], tuple[float | str, ...]],
) -> dict[str, int]:
    """Number the waiters of each class and group in an order."""
    counts: dict[tuple[bool, tuple[str, ...]], int] = defaultdict(int)
    numbers = {}
    for waiter in sorted(waiters, key=order):
        counts[waiter.is_background, group(waiter)] += 1
        numbers[waiter.id] = counts[waiter.is_background, group(waiter)]
    return numbers


def learnt(line: Line, verdict: Verdict, seconds: float, limits: Limits) -> Line | None:
    """Return what a verdict makes of its line, or None when there was nothing to learn."""
    if verdict is Verdict.NOT_SENT:
        return None
    if verdict is Verdict.DONE:
        if line.errors == 0 and line.busy_runs == 0:
            return None
        return replace(line, errors=0, busy_runs=0, opens_in=0.0, patient_in=0.0)
    if verdict is Verdict.BLOCKED:
        return replace(line, errors=0, opens_in=0.0, patient_in=0.0)
    line = replace(line, errors=line.errors + 1)
    if verdict is Verdict.REFUSED_BUSY:
        rest = limits.busy_again_seconds if line.busy_runs else limits.busy_first_seconds
        pause = max(line.paused_for, rest, seconds + limits.margin_seconds)
        line = replace(line, busy_runs=line.busy_runs + 1, lone_for=limits.lone_seconds, paused_for=pause)
    elif verdict is Verdict.REFUSED_RATE:
        line = replace(line, paused_for=max(line.paused_for, limits.held_seconds, seconds + limits.margin_seconds))
    if line.errors < limits.errors_open:
        return line
    pause = limits.breaker_pause(line.errors)
    return replace(line, opens_in=pause, patient_in=2 * pause)
