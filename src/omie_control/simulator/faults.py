"""Faults on request: which call fails, how, and whether it is executed first.

A plan is one object of `POST /_sim/faults`:
`{"match": {"call", "service", "app_key", "nth", "every"}, "move": …, "times": 1, "delay": 0, "executes": …}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omie_control.simulator.envelope import Request


class Move(StrEnum):
    """What the simulator does instead of answering well."""

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    SILENT = "silent"
    SLOW = "slow"
    HTML = "html"
    EMPTY = "empty"
    CUT_JSON = "cut_json"
    BROKEN = "broken"
    REPEATED = "8020"
    BLOCK = "425"
    RATE = "429"
    ERROR = "500"
    RESET = "reset"
    GZIP_BOMB = "gzip_bomb"
    LATIN1 = "latin1"
    HUGE = "huge"


# Those that spoil an answer need one; the others happen instead of the work unless the plan says otherwise.
_EXECUTING = frozenset({Move.TIMEOUT_AFTER, Move.SLOW, Move.CUT_JSON, Move.GZIP_BOMB, Move.LATIN1, Move.HUGE})


class BadPlan(ValueError):
    """The plan cannot be followed."""


@dataclass(slots=True)
class Plan:
    """One fault to come. `times` None means for ever; `delay` in simulated seconds."""

    move: Move
    call: str | None = None
    service: str | None = None
    app_key: str | None = None
    nth: int | None = None
    every: int | None = None
    times: int | None = 1
    delay: float = 0.0
    executes: bool = False
    _seen: int = field(default=0, init=False)

    def takes(self, request: Request) -> bool:
        """Say whether this request is the one, and use the plan up when it is."""
        if self.times == 0 or not self._fits(request):
            return False
        self._seen += 1
        if self.nth is not None and self._seen != self.nth:
            return False
        if self.every is not None and self._seen % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def _fits(self, request: Request) -> bool:
        return (
            self.call in (None, request.call)
            and self.service in (None, request.service)
            and self.app_key in (None, request.app_key)
        )


def read_plan(raw: Any) -> Plan:
    """Build a plan from its JSON form, or raise BadPlan that says what is wrong."""
    if not isinstance(raw, Mapping):
        raise BadPlan("a plan is an object")
    match = raw.get("match", {})
    unknown = (set(raw) - {"match", "move", "times", "delay", "executes"}) | (
        set(match) - {"call", "service", "app_key", "nth", "every"}
    )
    if unknown:
        raise BadPlan(f"unknown keys: {', '.join(sorted(unknown))}")
    try:
        move = Move(str(raw.get("move")))
    except ValueError:
        raise BadPlan(f"move is one of {', '.join(Move)}") from None
    return Plan(
        move=move,
        call=match.get("call"),
        service=match.get("service"),
        app_key=match.get("app_key"),
        nth=match.get("nth"),
        every=match.get("every"),
        times=raw.get("times", 1),
        delay=float(raw.get("delay", 0.0)),
        executes=bool(raw.get("executes", move in _EXECUTING)),
    )


class FaultPlans:
    """The faults still to come; the first plan that fits a request takes it."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []

    def add(self, plans: list[Plan]) -> None:
        """Queue plans behind those already there."""
        self.plans.extend(plans)

    def clear(self) -> None:
        """Forget every plan."""
        self.plans.clear()

    def take(self, request: Request) -> Plan | None:
        """Return the plan for this request, or None when it goes well."""
        for plan in self.plans:
            if plan.takes(request):
                return plan
        return None
