"""An errand (tarefa): a piece of work that somebody set out to do, in their own words; it groups executions.

Pure. Its name stands in `fastmcp_session_id` of each execution that belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from omie_control.domain.executions import execution_id_for, id_of

_PREFIX = "tarefa"


class ErrandOutcome(StrEnum):
    """How an errand was closed."""

    DONE = "done"
    PARTIAL = "partial"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Errand:
    """One errand. `session_id`: the session of the protocol in which it was opened, where there was one."""

    id: UUID
    name: str
    goal: str
    actor: str
    company_id: UUID | None
    session_id: str | None
    opened_at: datetime
    closed_at: datetime | None = None
    outcome: ErrandOutcome | None = None
    result: str | None = None

    @property
    def is_open(self) -> bool:
        """Say whether executions may still join it."""
        return self.closed_at is None


def errand_name(id: UUID, at: datetime, zone: ZoneInfo) -> str:
    """Name an errand for people and headers: `tarefa_<YYYYMMDD>_<HHMMSS>_<id in 26 letters>`."""
    return execution_id_for(_PREFIX, id, at, zone)


def is_errand_name(text: str) -> bool:
    """Say whether a text has the form of an errand's name; any other label just groups."""
    return text.startswith(f"{_PREFIX}_") and id_of(text) is not None
