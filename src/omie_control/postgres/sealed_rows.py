"""The records that seals are over, read as text: to be sealed, checked or written to a file.

They are hashed outside: whoever checks a database believes none of its functions. (It would not be faster in there
either: 20 to 27 microseconds a record against 22.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg

from omie_control.domain.sealed_records import CONTENT_COLUMNS, EVENT_COLUMNS, EXECUTION_COLUMNS, Record
from omie_control.domain.seals import CONTENT_TAG, Kind
from omie_control.postgres.queries import Connection

# A whole table is gone through: longer than any question of a page may take.
_PATIENCE_SECONDS = 3600.0
_BYTES = frozenset({"trace_id", "commitment"})
_SEALED = "status in ('completed', 'failed', 'timeout', 'cancelled', 'uncertain')"
_FROM = {
    Kind.EXECUTION: f"process_executions where {_SEALED}",
    Kind.EVENT: "audit_events where true",
    Kind.CONTENT: f"process_executions where content_hash is not null and {_SEALED}",
}
# Fourteen hexadecimal digits of a hash are 56 bits: their sum over any table fits.
_WEIGHT_DIGITS = 14


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records of a span there are, and the sum of their weights: two spans with the same tally are one."""

    count: int
    weight: int


async def pin(connection: Connection) -> None:
    """Have this transaction write instants the one way that is hashed, and let it take its time."""
    await connection.execute(
        "set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local statement_timeout = 0; "
        "set local idle_in_transaction_session_timeout = 0"
    )


async def read(connection: Connection, kind: Kind, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Return those of these executions (with their content) or audit events that are there."""
    if not ids:
        return {}
    # The bounds leave out whole months, where a list of ids alone would look into every one.
    rows = await connection.fetch(_reading(kind), ids, min(ids), max(ids), timeout=_PATIENCE_SECONDS)
    return {row[0]: _record(kind, row) for row in rows}


async def tallies(connection: Connection, kind: Kind, since: UUID | None, seed: str) -> dict[str, Tally]:
    """Return the tally of each span of about 17 minutes (`bucket_of`), over all that a seal has to cover."""
    sql = (
        "select left(id::text, 7) as bucket, count(*) as count, sum(('x' || left(encode(sha256(convert_to("  # noqa: S608 - texts of our own
        f"$2::text || id::text, 'UTF8')), 'hex'), {_WEIGHT_DIGITS}))::bit({_WEIGHT_DIGITS * 4})::bigint) as weight "
        f"from {_FROM[kind]} and ($1::uuid is null or id >= $1) group by 1"
    )
    rows = await connection.fetch(sql, since, seed, timeout=_PATIENCE_SECONDS)
    return {row["bucket"]: Tally(row["count"], int(Decimal(row["weight"]))) for row in rows}


async def ids_between(connection: Connection, kind: Kind, low: UUID, high: UUID) -> list[UUID]:
    """Return the ids, from `low` up to `high`, of what a seal has to cover."""
    sql = f"select id from {_FROM[kind]} and id >= $1 and id <= $2 order by id"  # noqa: S608 - as above
    return [row["id"] for row in await connection.fetch(sql, low, high, timeout=_PATIENCE_SECONDS)]


def content_hash_sql() -> str:
    """Return the expression that hashes the jsonb columns of an execution, as `Record.hash_of_content` does."""
    fields = ", ".join(f"coalesce(octet_length({name}::text) || ':' || {name}::text, '-')" for name in CONTENT_COLUMNS)
    return f"sha256(convert_to(concat(E'{CONTENT_TAG.strip()}\\n', {fields}), 'UTF8'))"


def _record(kind: Kind, row: asyncpg.Record) -> Record:
    values: tuple[Any, ...] = tuple(row)
    if kind is Kind.EVENT:
        return Record(kind, values[0], values[1:])
    size = len(EXECUTION_COLUMNS)
    return Record(kind, values[0], values[2 : 2 + size], values[2 + size :], values[1])


@cache
def _reading(kind: Kind) -> str:
    if kind is Kind.EVENT:
        what, table = ", ".join(_texts(EVENT_COLUMNS)), "audit_events"
    else:
        what = ", ".join(["content_hash", *_texts((*EXECUTION_COLUMNS, *CONTENT_COLUMNS))])
        table = "process_executions"
    return f"select id, {what} from {table} where id = any($1::uuid[]) and id >= $2::uuid and id <= $3::uuid"  # noqa: S608 - as above


def _texts(columns: Sequence[str]) -> list[str]:
    return [f"encode({name}, 'hex')" if name in _BYTES else f"{name}::text" for name in columns]
