"""The rows a process hands to the recorder, and what makes any text fit to be stored.

Tuples by name: a batch turns them into columns with one `zip`, without touching a field in Python.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple, cast
from uuid import UUID

from omie_control.domain.executions import Call, Category, Complexity, Status

# PostgreSQL stores neither; in JSON the masking has replaced them already.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_INTEGER_MAX = 2**31 - 1
_SHORT_TEXT = 200


class SealedBody(NamedTuple):
    """A clear body under a data key. `part` 0: the input; 1: everything known at the end."""

    part: int
    key_id: UUID
    sealed: bytes
    document_hashes: bytes = b""


class StartRow(NamedTuple):
    """A new execution. `attempt` is 1 for one that runs at once, 0 for one that waits to be claimed.

    JSON comes as text, masked already.
    """

    id: UUID
    process_type: str
    execution_id: str
    status: Status
    started_at: datetime
    input_parameters: str | None = None
    company_id: UUID | None = None
    actor: str | None = None
    parent_id: UUID | None = None
    instance_id: UUID | None = None
    attempt: int = 1
    writes: bool = False
    category: Category | None = None
    complexity: Complexity | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    session_id: str | None = None
    is_cleaned: bool = False
    idempotency_key: str | None = None
    trace_id: bytes | None = None
    omie_endpoint: str | None = None
    body: SealedBody | None = None


class FinishRow(NamedTuple):
    """The end of an execution, by whoever holds `attempt` of it. JSON comes as text, masked already."""

    id: UUID
    attempt: int
    status: Status
    completed_at: datetime | None
    duration_ms: int | None = None
    omie_endpoint: str | None = None
    request_payload: str | None = None
    response_status_code: int | None = None
    response_data: str | None = None
    error_message: str | None = None
    error_code: str | None = None
    is_cleaned: bool = False
    commitment: bytes | None = None
    process_type: str = ""
    execution_id: str = ""
    started_at: datetime | None = None
    company_id: UUID | None = None
    category: Category | None = None
    complexity: Complexity | None = None
    body: SealedBody | None = None
    calls: tuple[Call, ...] = ()


class WholeRow(NamedTuple):
    """An execution whose end is known before its start was sent: one insert, born ended. It made no calls."""

    start: StartRow
    end: FinishRow

    @property
    def id(self) -> UUID:
        """The execution's id."""
        return self.start.id

    @property
    def execution_id(self) -> str:
        """The execution's name."""
        return self.start.execution_id

    @property
    def has_run(self) -> bool:
        """Whether it ran at all; a refused request commits to nothing."""
        return self.end.commitment is not None


Row = StartRow | FinishRow | WholeRow

# Text columns by position, with the length of their column.
_START_TEXTS = tuple(
    (StartRow._fields.index(name), limit)
    for name, limit in {
        "process_type": 100,
        "actor": 100,
        "user_agent": 1000,
        "session_id": 100,
        "idempotency_key": 200,
        "omie_endpoint": 200,
    }.items()
)
_FINISH_TEXTS = tuple(
    (FinishRow._fields.index(name), limit)
    for name, limit in {"omie_endpoint": 200, "error_message": 10_000, "error_code": 50}.items()
)


def clean_start(row: StartRow) -> StartRow:
    """Return the row with every text storable: unstorable letters replaced, over-long texts cut, a bad IP dropped."""
    changes = _text_changes(row, _START_TEXTS)
    if row.ip_address is not None and not is_address(row.ip_address):
        changes["ip_address"] = None
    return row._replace(**changes, is_cleaned=True) if changes else row  # type: ignore[arg-type]


def clean_finish(row: FinishRow) -> FinishRow:
    """Return the row with every text storable: unstorable letters replaced, over-long texts cut."""
    changes = _text_changes(row, _FINISH_TEXTS)
    if row.duration_ms is not None and row.duration_ms > _INTEGER_MAX:
        changes["duration_ms"] = _INTEGER_MAX
    return row._replace(**changes, is_cleaned=True) if changes else row  # type: ignore[arg-type]


def clean(row: Row) -> Row:
    """Return the row with every text storable."""
    if isinstance(row, StartRow):
        return clean_start(row)
    if isinstance(row, FinishRow):
        return clean_finish(row)
    return WholeRow(clean_start(row.start), clean_finish(row.end))


def without_bodies(row: FinishRow, why: str) -> FinishRow:
    """Return the end alone, for a row whose bodies or calls the database refused: an end must always fit."""
    return row._replace(
        request_payload=None,
        response_data=None,
        body=None,
        calls=(),
        is_cleaned=True,
        error_message=row.error_message or why,
    )


def _text_changes(row: StartRow | FinishRow, texts: tuple[tuple[int, int], ...]) -> dict[str, object]:
    changes: dict[str, object] = {}
    for index, limit in texts:
        text = cast("str | None", row[index])
        if text is not None and (len(text) > limit or not _is_storable(text)):
            changes[row._fields[index]] = storable(text, limit)
    return changes


def storable(text: str, limit: int) -> str:
    """Return a text without what PostgreSQL cannot store, at most `limit` characters long."""
    return _UNSTORABLE.sub(_REPLACEMENT, text[:limit])


def _is_storable(text: str) -> bool:
    return _is_short_storable(text) if len(text) <= _SHORT_TEXT else _UNSTORABLE.search(text) is None


@lru_cache(maxsize=4096)
def _is_short_storable(text: str) -> bool:
    # The same few types, agents and actors come with every row.
    return _UNSTORABLE.search(text) is None


@lru_cache(maxsize=4096)
def is_address(text: str) -> bool:
    """Say whether a text is an IPv4 or IPv6 address (a zone after `%` is none for PostgreSQL)."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
