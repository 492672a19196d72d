"""The simulator's book: what was asked, what was really executed and when, and every limit that was broken.

It is the stranger's evidence in campaigns, so it never forgets an effect; plain reads beyond a bound are dropped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

_READS_KEPT = 20_000


@dataclass(slots=True)
class Effect:
    """One change of one record."""

    table: str
    action: str
    id: int
    integration_code: str = ""


@dataclass(slots=True)
class Entry:
    """One request: how it was answered, and what it changed however it was answered."""

    number: int
    at: str
    app_key: str
    endpoint: str
    outcome: str = "running"
    status: int | None = None
    fault_code: str = ""
    fault_text: str = ""
    is_executed: bool = False
    move: str = ""
    effects: list[Effect] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of a published limit. `rule`: rate_ip, rate_method, concurrency, redundancy, repeated or block."""

    at: str
    rule: str
    app_key: str
    endpoint: str
    detail: str


class Book:
    """Everything that happened since the last reset."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self._changes: list[Entry] = []
        self._reads: deque[Entry] = deque(maxlen=_READS_KEPT)
        self._count = 0

    def open(self, at: datetime, app_key: str, endpoint: str, *, writes: bool) -> Entry:
        """Write down that a request came in."""
        self._count += 1
        entry = Entry(self._count, at.isoformat(), app_key, endpoint)
        (self._changes if writes else self._reads).append(entry)
        return entry

    def violate(self, at: datetime, rule: str, app_key: str, endpoint: str, detail: str) -> None:
        """Write down a broken limit."""
        self.violations.append(Violation(at.isoformat(), rule, app_key, endpoint, detail))

    @property
    def entries(self) -> list[Entry]:
        """Return the requests, oldest first."""
        return sorted([*self._changes, *self._reads], key=lambda entry: entry.number)

    def as_json(self) -> dict[str, Any]:
        """Return the book for `GET /_sim/book`."""
        return {"requests": self._count, "entries": [asdict(entry) for entry in self.entries]}

    def violations_as_json(self) -> dict[str, Any]:
        """Return the violations for `GET /_sim/violations`."""
        return {"count": len(self.violations), "items": [asdict(violation) for violation in self.violations]}
