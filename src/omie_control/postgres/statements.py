"""The one statement that a batch is: rows come as arrays, and only the parts that the batch needs are in it.

A batch is written in one round trip and one commit, so a lone caller pays one flush per event. Parts of one
statement share a snapshot: a start and its own finish must never stand in the same batch. An execution whose end
is known before its start was sent is a whole: one insert.
"""

from __future__ import annotations

from enum import IntFlag
from functools import lru_cache
from typing import NamedTuple

from omie_control.postgres.rows import FinishRow, StartRow


class Part(IntFlag):
    """What a batch holds."""

    STARTS = 1
    WHOLES = 2
    NEW_BODIES = 4
    FINISHES = 8
    CALLS = 16
    # One row of each part at most.
    LONE = 32


class Tables(NamedTuple):
    """Where a batch's rows go: the parents, or the one month's partitions when all its rows lie in there."""

    executions: str = "process_executions"
    bodies: str = "execution_bodies"
    metrics: str = "omie_api_metrics"


PARENTS = Tables()

_START_TYPES = {
    "id": "uuid",
    "process_type": "text",
    "execution_id": "text",
    "status": "text",
    "started_at": "timestamptz",
    "input_parameters": "text",
    "company_id": "uuid",
    "actor": "text",
    "parent_id": "uuid",
    "instance_id": "uuid",
    "attempt": "integer",
    "writes": "boolean",
    "category": "text",
    "complexity": "text",
    "user_agent": "text",
    "ip_address": "text",
    "session_id": "text",
    "is_cleaned": "boolean",
    "idempotency_key": "text",
    "trace_id": "bytea",
    "omie_endpoint": "text",
}
_FINISH_TYPES = {
    "id": "uuid",
    "attempt": "integer",
    "status": "text",
    "completed_at": "timestamptz",
    "duration_ms": "integer",
    "omie_endpoint": "text",
    "request_payload": "text",
    "response_status_code": "integer",
    "response_data": "text",
    "error_message": "text",
    "error_code": "text",
    "is_cleaned": "boolean",
    "commitment": "bytea",
}
# What an end adds to its start where the two are one row.
_END_TYPES = {name: type for name, type in _FINISH_TYPES.items() if name not in {"id", "attempt", *_START_TYPES.keys()}}
START_COLUMNS = tuple(_START_TYPES)
FINISH_COLUMNS = tuple(_FINISH_TYPES)
if (
    StartRow._fields[: len(START_COLUMNS)] != START_COLUMNS
    or FinishRow._fields[: len(FINISH_COLUMNS)] != FINISH_COLUMNS
):
    raise AssertionError("the statements' columns must be the rows' first fields, in their order")

_FINISH_EXTRA = {
    "part": "smallint",
    "key_id": "uuid",
    "sealed": "bytea",
    "document_hashes": "bytea",
    "bucket": "smallint",
}
_BODY_TYPES = {
    "execution_id": "uuid",
    "part": "smallint",
    "key_id": "uuid",
    "sealed": "bytea",
    "document_hashes": "bytea",
}
_CALL_TYPES = {
    "process_execution_id": "uuid",
    "company_id": "uuid",
    "endpoint": "text",
    "timestamp": "timestamptz",
    "response_time_ms": "integer",
    "status_code": "integer",
    "success": "boolean",
    "request_size_bytes": "integer",
    "response_size_bytes": "integer",
    "method": "text",
    "fault_code": "text",
    "rate_limit_remaining": "integer",
    "rate_limit_reset_at": "timestamptz",
}
_DELTA_TYPES = {
    "subject": "text",
    "name": "text",
    "category": "text",
    "complexity": "text",
    "minute": "timestamptz",
    "bucket": "smallint",
    "count": "integer",
    "success_count": "integer",
    "total_ms": "bigint",
}
# Columns that are mostly the same in a whole batch; sent once then, since the driver examines each element with care.
REPEATED = frozenset(
    {
        "process_type",
        "status",
        "input_parameters",
        "company_id",
        "actor",
        "instance_id",
        "attempt",
        "writes",
        "category",
        "complexity",
        "user_agent",
        "ip_address",
        "session_id",
        "is_cleaned",
        "omie_endpoint",
        "request_payload",
        "response_status_code",
        "part",
        "key_id",
        "endpoint",
        "status_code",
        "success",
        "method",
    }
)
END_COLUMNS = tuple(_END_TYPES)
FINISH_EXTRA_COLUMNS = tuple(_FINISH_EXTRA)
BODY_COLUMNS = tuple(_BODY_TYPES)
CALL_COLUMNS = tuple(_CALL_TYPES)
DELTA_COLUMNS = tuple(_DELTA_TYPES)
_ENUMS = {
    "status": "execution_status",
    "category": "tool_category",
    "complexity": "tool_complexity",
    "ip_address": "inet",
    "input_parameters": "jsonb",
    "request_payload": "jsonb",
    "response_data": "jsonb",
}
_NAMES_HERE = {"session_id": "fastmcp_session_id"}

# Joined by the id alone, one index look-up a row. Any further condition on e.id (a range, a list) makes the planner
# read the range first and compare every row with every row: 269 against 36 microseconds a row in a batch of 128.
_FINISHES = """
ended as (
    update {executions} e
       set status = u.status::execution_status,
           completed_at = u.completed_at,
           duration_ms = u.duration_ms,
           omie_endpoint = coalesce(u.omie_endpoint, e.omie_endpoint),
           request_payload = u.request_payload::jsonb,
           response_status_code = u.response_status_code,
           response_data = u.response_data::jsonb,
           error_message = u.error_message,
           error_code = u.error_code,
           is_cleaned = e.is_cleaned or u.is_cleaned,
           commitment = u.commitment,
           updated_at = now()
      from {source}
     where e.id = u.id
       and e.attempt = u.attempt
       and (e.status in ('running', 'uncertain')
            or (u.attempt = 0 and e.status in ('queued', 'awaiting_approval')))
    returning u.number, u.id, u.part, u.key_id, u.sealed, u.document_hashes,
              e.process_type, e.category, e.complexity, u.status, u.completed_at, u.duration_ms, u.bucket
),
end_bodies as (
    insert into {bodies} (execution_id, part, key_id, sealed, document_hashes)
    select id, part, key_id, sealed, document_hashes from ended where key_id is not null
),
to_seal as (insert into seal_queue (kind, ids) select 1, array_agg(id) from ended having count(*) > 0)"""

# What the ends of a batch add to the roll-ups, column by column as `_DELTA_TYPES` and the errors.
_USED = """
    select 'tool', process_type, category, complexity, date_trunc('minute', completed_at), bucket, count(*),
           count(*) filter (where status = 'completed'), sum(duration_ms), count(*) filter (where status <> 'completed')
      from ended
     where status in ('completed', 'failed', 'timeout', 'cancelled')
     group by process_type, date_trunc('minute', completed_at), category, complexity, bucket"""

_BORN_ENDED = "born_ended as (insert into seal_queue (kind, ids) select 1, array_agg(id) from born)"


@lru_cache(maxsize=256)
def statement(parts: Part, tables: Tables = PARENTS) -> str:
    """Return the statement for a batch of these parts; its arguments follow in the order of `Part`.

    Each part brings its columns as arrays, or its one row as plain values in a batch that is `LONE`.
    """
    numbers = _Numbers(is_lone=Part.LONE in parts)
    steps: list[str] = []
    if Part.STARTS in parts:
        steps.append(_insert("started", tables.executions, _START_TYPES, numbers))
    if Part.WHOLES in parts:
        types = {**_START_TYPES, **_END_TYPES}
        steps += [_insert("born", tables.executions, types, numbers, "\n returning id"), _BORN_ENDED]
    if Part.NEW_BODIES in parts:
        steps.append(_insert("new_bodies", tables.bodies, _BODY_TYPES, numbers))
    if Part.FINISHES in parts:
        source = numbers.source({**_FINISH_TYPES, **_FINISH_EXTRA}, numbered=True)
        steps.append(_FINISHES.strip().format(executions=tables.executions, bodies=tables.bodies, source=source))
    if Part.CALLS in parts:
        steps.append(_insert("called", tables.metrics, _CALL_TYPES, numbers))
    steps += _count(parts, numbers)
    answer = "select number from ended" if Part.FINISHES in parts else "select 1 where false"
    return "with " + ",\n".join(steps) + "\n" + answer


class _Numbers:
    """Hands out `$1`, `$2`, … in the order in which the arguments are sent."""

    def __init__(self, *, is_lone: bool) -> None:
        self._is_lone = is_lone
        self._last = 0

    def next(self, type: str) -> str:
        self._last += 1
        return f"${self._last}::{type}"

    def source(self, types: dict[str, str], *, numbered: bool = False) -> str:
        """Return the rows of a part as `u`, numbered from 1 if asked."""
        if self._is_lone:
            values = ", ".join(f"{self.next(type)} as {column}" for column, type in types.items())
            return f"(select {values}{', 1::bigint as number' if numbered else ''}) as u"
        arrays = {column: self.next(f"{type}[]") for column, type in types.items()}
        columns = [_repeated(column, array) if column in REPEATED else column for column, array in arrays.items()]
        # The planner pulls the select up, so that it costs nothing.
        return (
            f"(select {', '.join(columns)}{', number' if numbered else ''}"  # noqa: S608 - names of our own
            f" from unnest({', '.join(arrays.values())}) with ordinality as u ({', '.join(types)}, number)) as u"
        )


def _repeated(column: str, array: str) -> str:
    """Read a column whose array holds one value for all rows, or a value for each."""
    return f"coalesce({column}, case when cardinality({array}) = 1 then ({array})[1] end) as {column}"


def _insert(name: str, table: str, types: dict[str, str], numbers: _Numbers, returning: str = "") -> str:
    columns = ", ".join(_NAMES_HERE.get(column, column) for column in types)
    values = ", ".join(f"{column}::{_ENUMS[column]}" if column in _ENUMS else column for column in types)
    return f"{name} as (insert into {table} ({columns})\n select {values} from {numbers.source(types)}{returning})"  # noqa: S608 - names of our own, no value


def _count(parts: Part, numbers: _Numbers) -> list[str]:
    """Add to the roll-ups by one insert, whatever there is to count: each more costs as much as a row."""
    columns = ", ".join(_DELTA_TYPES)
    counts = [_USED] if Part.FINISHES in parts else []
    if parts & (Part.CALLS | Part.WHOLES):
        values = ", ".join(f"{column}::{_ENUMS[column]}" if column in _ENUMS else column for column in _DELTA_TYPES)
        source = numbers.source(_DELTA_TYPES)
        counts.append(f"\n    select {values}, count - success_count from {source}")  # noqa: S608 - names of our own, no value
    if not counts:
        return []
    rows = "\n    union all".join(counts)
    return [f"counted as (\n    insert into rollup_deltas ({columns}, error_count){rows}\n)"]


EVIDENCE = """
select (select array_agg(e.id) from process_executions e where e.id = any($1::uuid[])) as started,
       (select array_agg(u.number)
          from unnest($2::uuid[], $3::integer[], $4::text[], $5::timestamptz[], $6::bytea[])
               with ordinality as u (id, attempt, status, completed_at, commitment, number)
          join process_executions e on e.id = u.id
         where e.attempt = u.attempt and e.status = u.status::execution_status
           and e.completed_at is not distinct from u.completed_at
           and e.commitment is not distinct from u.commitment) as ended,
       exists (select from unnest($7::uuid[], $8::timestamptz[], $9::text[]) as u (id, at, endpoint)
                 join omie_api_metrics m on m.process_execution_id = u.id
                  and m.timestamp = u.at and m.endpoint = u.endpoint) as has_calls
"""
