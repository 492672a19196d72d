"""A batch: rows that share one statement and one commit, and the callers who wait for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from omie_control.domain.executions import Change, Status
from omie_control.domain.metrics import bucket_of
from omie_control.postgres.rows import FinishRow, Row, SealedBody, StartRow, WholeRow
from omie_control.postgres.statements import (
    BODY_COLUMNS,
    CALL_COLUMNS,
    DELTA_COLUMNS,
    END_COLUMNS,
    FINISH_COLUMNS,
    FINISH_EXTRA_COLUMNS,
    PARENTS,
    REPEATED,
    START_COLUMNS,
    Part,
    Tables,
)

_MINUTE_SECONDS = 60
_STATUS = START_COLUMNS.index("status")
_IS_CLEANED = START_COLUMNS.index("is_cleaned")
_ENDPOINT = START_COLUMNS.index("omie_endpoint")
_END_FIELDS = itemgetter(*(FinishRow._fields.index(name) for name in END_COLUMNS))


class Waiting:
    """A row that waits for its commit, and whoever waits for the row."""

    __slots__ = ("error", "future", "is_dropped", "is_kept", "is_ours", "row", "since", "size")

    def __init__(
        self, row: Row, future: asyncio.Future[Any], size: int, since: float, *, is_kept: bool = False
    ) -> None:
        self.row = row
        self.future = future
        self.size = size
        self.since = since
        # A start that is written though nobody waits for it: its end is sure to follow.
        self.is_kept = is_kept
        # For a finish, once written: whether it ended the execution.
        self.is_ours = True
        self.is_dropped = False
        self.error: Exception | None = None

    @property
    def is_written(self) -> bool:
        """Whether its batch, once through, wrote it."""
        return self.error is None and not self.is_dropped

    @property
    def is_unwanted(self) -> bool:
        """Whether it is a start that nobody waits for any more: it need not be written at all."""
        return self.future.done() and not self.is_kept and isinstance(self.row, StartRow)


def size_of(row: Row) -> int:
    """Return about how many bytes a row holds in memory and on the wire."""
    if isinstance(row, WholeRow):
        return size_of(row.start) + size_of(row.end)
    body = 0 if row.body is None else len(row.body.sealed)
    if isinstance(row, StartRow):
        return 500 + body + len(row.input_parameters or "")
    return 500 + body + len(row.request_payload or "") + len(row.response_data or "") + 300 * len(row.calls)


class Batch:
    """Rows that are written together or not at all."""

    __slots__ = ("finishes", "has_made_partitions", "starts", "unanswered", "wholes")

    def __init__(self, waiting: Iterable[Waiting], *, has_made_partitions: bool = False) -> None:
        self.has_made_partitions = has_made_partitions
        self.starts: list[Waiting] = []
        self.wholes: list[Waiting] = []
        self.finishes: list[Waiting] = []
        places = {StartRow: self.starts, WholeRow: self.wholes, FinishRow: self.finishes}
        for each in waiting:
            places[type(each.row)].append(each)
        # Whoever still waits to hear of this batch, also of a row that was left out of it.
        self.unanswered: deque[Waiting] = deque(self)

    def __len__(self) -> int:
        return len(self.starts) + len(self.wholes) + len(self.finishes)

    def __iter__(self) -> Iterator[Waiting]:
        yield from self.starts
        yield from self.wholes
        yield from self.finishes

    def drop_unwanted(self) -> None:
        """Leave out the starts that nobody waits for any more; only while the batch is known not to be committed."""
        for each in self.starts:
            each.is_dropped = each.is_unwanted
        self.starts = [each for each in self.starts if not each.is_dropped]

    def halves(self) -> tuple[Batch, Batch]:
        """Cut the batch in two, to find the row that PostgreSQL refuses."""
        rows = list(self)
        middle = len(rows) // 2
        made = self.has_made_partitions
        left = Batch(rows[:middle], has_made_partitions=made)
        left.unanswered.extend(each for each in self.unanswered if each.is_dropped)
        return left, Batch(rows[middle:], has_made_partitions=made)

    def take_unanswered(self, share: int) -> list[Waiting]:
        """Take out so many of those who still wait to hear of this batch, in the order of their coming."""
        return [self.unanswered.popleft() for _ in range(min(share, len(self.unanswered)))]

    def note_ended(self, numbers: Iterable[int]) -> None:
        """Keep which finishes (numbered from 1) ended their execution."""
        ended = set(numbers)
        for number, each in enumerate(self.finishes, 1):
            each.is_ours = number in ended

    def arguments(self) -> tuple[Part, list[Any]]:
        """Return the parts of the batch and the statement's arguments, in the order of `Part`."""
        deltas = _Deltas()
        parts = Part(0)
        sections: list[tuple[tuple[str, ...], Sequence[Sequence[Any]]]] = []
        if self.starts:
            parts |= Part.STARTS
            rows: list[StartRow] = [each.row for each in self.starts]  # type: ignore[misc]
            sections.append((START_COLUMNS, rows))
        if self.wholes:
            parts |= Part.WHOLES
            wholes: list[WholeRow] = [each.row for each in self.wholes]  # type: ignore[misc]
            sections.append((START_COLUMNS + END_COLUMNS, [_whole(row) for row in wholes]))
            for whole in wholes:
                deltas.add_whole(whole)
        bodies = self._new_bodies()
        if bodies:
            parts |= Part.NEW_BODIES
            sections.append((BODY_COLUMNS, bodies))
        if self.finishes:
            parts |= Part.FINISHES
            ends: list[FinishRow] = [each.row for each in self.finishes]  # type: ignore[misc]
            sections.append((FINISH_COLUMNS, ends))
            sections.append((FINISH_EXTRA_COLUMNS, [_finish_extra(row) for row in ends]))
            calls = _call_rows(ends, deltas)
            if calls:
                parts |= Part.CALLS
                sections.append((CALL_COLUMNS, calls))
        if deltas.rows:
            sections.append((DELTA_COLUMNS, deltas.as_rows()))
        if all(len(rows) == 1 for _, rows in sections):
            return parts | Part.LONE, [value for names, rows in sections for value in rows[0][: len(names)]]
        return parts, [column for names, rows in sections for column in _columns(names, rows)]

    def _new_bodies(self) -> list[tuple[Any, ...]]:
        """Return the sealed bodies that come with a new row, whatever becomes of the batch's finishes."""
        found = [(each.row.id, each.row.body) for each in self.starts]  # type: ignore[union-attr]
        for each in self.wholes:
            start, end = each.row  # type: ignore[misc]
            found += [(start.id, start.body), (start.id, end.body)]
        return [(id, *_body_columns(body)) for id, body in found if body is not None]

    def changes(self) -> list[Change]:
        """Return what the commit of this batch changed, for the bus."""
        started = [_started(each.row) for each in self.starts if each.error is None]  # type: ignore[arg-type]
        whole = [change for each in self.wholes if each.error is None for change in _lived(each.row)]  # type: ignore[arg-type]
        ended = [_ended(each.row) for each in self.finishes if each.is_ours and each.error is None]  # type: ignore[arg-type]
        return started + whole + ended

    def evidence_arguments(self) -> list[Any]:
        """Return the arguments of the question whether this batch was committed."""
        ends: list[FinishRow] = [each.row for each in self.finishes]  # type: ignore[misc]
        calls = [(row.id, call.at, call.endpoint) for row in ends for call in row.calls]
        return [
            [each.row.id for each in (*self.starts, *self.wholes)],
            [row.id for row in ends],
            [row.attempt for row in ends],
            [row.status.value for row in ends],
            [row.completed_at for row in ends],
            [row.commitment for row in ends],
            *(list(zip(*calls, strict=True)) or ([], [], [])),
        ]


def tables_for(batch: Batch, now: datetime) -> Tables:
    """Return the partitions of this month when all rows lie in it: no routing, no locks on the other months.

    Any other batch goes through the parents, and PostgreSQL finds the partition of each row.
    """
    month = _month_of(now.year, now.month)
    low, high = month.low, month.high
    if not all(low <= each.row.id < high for each in batch):
        return PARENTS
    calls = (call for each in batch.finishes for call in each.row.calls)  # type: ignore[union-attr]
    return month.tables if all(month.first <= call.at < month.end for call in calls) else PARENTS


class _Month(NamedTuple):
    low: UUID
    high: UUID
    first: datetime
    end: datetime
    tables: Tables


@lru_cache(maxsize=2)
def _month_of(year: int, month: int) -> _Month:
    first = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    suffix = f"_{year:04}_{month:02}"
    low, high = (UUID(int=int(edge.timestamp() * 1000) << 80) for edge in (first, end))
    return _Month(low, high, first, end, Tables(*(name + suffix for name in PARENTS)))


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Any]:
    return [_array(name, column) for name, column in zip(names, zip(*rows, strict=True), strict=False)]


def _array(name: str, column: tuple[Any, ...]) -> Sequence[Any]:
    """Return a column as it is sent: the driver looks at every element with care, so as short as it can be."""
    first = column[0]
    if first is None:
        # unnest fills a short array up with nulls.
        return () if column.count(None) == len(column) else column
    return column[:1] if name in REPEATED and column.count(first) == len(column) else column


def _body_columns(body: SealedBody) -> tuple[int, UUID, bytes, bytes | None]:
    return body.part, body.key_id, body.sealed, body.document_hashes or None


def _finish_extra(row: FinishRow) -> tuple[Any, ...]:
    bucket = 0 if row.duration_ms is None else bucket_of(row.duration_ms)
    if row.body is None:
        return None, None, None, None, bucket
    return (*_body_columns(row.body), bucket)


def _call_rows(ends: list[FinishRow], deltas: _Deltas) -> list[tuple[Any, ...]]:
    rows = []
    for row in ends:
        for call in row.calls:
            deltas.add(("endpoint", call.endpoint, None, None), call.at, call.response_time_ms, call.success)
            rows.append(
                (
                    row.id,
                    row.company_id,
                    call.endpoint,
                    call.at,
                    call.response_time_ms,
                    call.status_code,
                    call.success,
                    call.request_size_bytes,
                    call.response_size_bytes,
                    call.method,
                    call.fault_code,
                    call.rate_limit_remaining,
                    call.rate_limit_reset_at,
                )
            )
    return rows


class _Deltas:
    """What a batch adds to the roll-ups apart from its finishes, which the statement itself counts."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], list[int]] = {}

    def add(self, subject: tuple[Any, ...], at: datetime, milliseconds: int, success: bool) -> None:
        """Count one more of a subject: its kind, name, category and complexity."""
        key = (*subject, int(at.timestamp()) // _MINUTE_SECONDS, bucket_of(milliseconds))
        sums = self.rows.get(key)
        if sums is None:
            self.rows[key] = [1, int(success), milliseconds]
        else:
            sums[0] += 1
            sums[1] += success
            sums[2] += milliseconds

    def add_whole(self, row: WholeRow) -> None:
        """Count an execution that was born ended."""
        start, end = row
        at = end.completed_at or start.started_at
        completed = end.status is Status.COMPLETED
        self.add(("tool", start.process_type, start.category, start.complexity), at, end.duration_ms or 0, completed)

    def as_rows(self) -> list[tuple[Any, ...]]:
        return [
            (*subject, datetime.fromtimestamp(minute * _MINUTE_SECONDS, UTC), bucket, *sums)
            for (*subject, minute, bucket), sums in self.rows.items()
        ]


def _whole(row: WholeRow) -> tuple[Any, ...]:
    start, end = row
    columns = [*start[: len(START_COLUMNS)], *_END_FIELDS(end)]
    columns[_STATUS] = end.status
    columns[_IS_CLEANED] = start.is_cleaned or end.is_cleaned
    columns[_ENDPOINT] = end.omie_endpoint or start.omie_endpoint
    return tuple(columns)


def _started(row: StartRow) -> Change:
    return Change(row.execution_id, row.process_type, row.status, row.started_at, row.company_id)


def _lived(row: WholeRow) -> list[Change]:
    """Return what a whole execution tells: what was refused has not run."""
    return [_started(row.start), _ended(row.end)] if row.has_run else [_ended(row.end)]


def _ended(row: FinishRow) -> Change:
    at = row.completed_at or datetime.now(UTC)
    return Change(row.execution_id, row.process_type, row.status, at, row.company_id, row.duration_ms)
