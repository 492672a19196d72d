"""Executions as rows: found, listed, held, and the transitions that are not the recorder's.

Listings and the running list come without bodies; `find` brings them, masked as they are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from omie_control.domain.executions import Call, Category, Change, Complexity, Execution, Status, id_of
from omie_control.domain.metrics import BUCKET_BOUNDS_MS
from omie_control.errors import Conflict
from omie_control.postgres.queries import Connection, queries
from omie_control.postgres.rows import FinishRow

_sql = queries("executions")
_BODIES = ("input_parameters", "request_payload", "response_data")
_CORRECTED = (
    "id",
    "attempt",
    "status",
    "completed_at",
    "duration_ms",
    "omie_endpoint",
    "request_payload",
    "response_status_code",
    "response_data",
    "error_message",
    "error_code",
    "is_cleaned",
    "commitment",
)


@dataclass(frozen=True, slots=True)
class TypeSummary:
    """How one process type fared over a span: ended executions, and their time in ms."""

    process_type: str
    total: int
    succeeded: int
    failed: int
    total_ms: int


async def find(connection: Connection, execution_id: str, id: UUID | None = None) -> Execution | None:
    """Return an execution with its bodies, by its name (and its key, when the name carries one), or None."""
    if id is not None:
        row = await _sql.by_id.one(connection, id=id)
        if row is not None and row["execution_id"] == execution_id:
            return _execution(row)
    key = await _sql.key_of.value(connection, execution_id=execution_id)
    row = None if key is None else await _sql.by_id.one(connection, id=key)
    return None if row is None else _execution(row)


async def lock(connection: Connection, execution_id: str) -> Execution | None:
    """Hold an execution's row until the transaction ends; without bodies. None when there is none."""
    carried = id_of(execution_id)
    row = None if carried is None else await _sql.lock.one(connection, id=carried)
    if row is None or row["execution_id"] != execution_id:
        key = await _sql.key_of.value(connection, execution_id=execution_id)
        row = None if key is None else await _sql.lock.one(connection, id=key)
    return None if row is None else _execution(row)


async def page(
    connection: Connection,
    *,
    status: Status | None = None,
    process_type: str | None = None,
    company: UUID | None = None,
    companies: Sequence[UUID] | None = None,
    asker: str | None = None,
    session: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Execution]:
    """Return executions newest first, older than `before` (the id of the last one seen), without bodies.

    `company` asks for one company's; `companies` is the scope of who asks, which of what ran for no company holds what
    `asker` ran.
    """
    rows = await _sql.page.fetch(
        connection,
        before=before,
        since=since,
        status=status,
        process_type=process_type,
        company=company,
        companies=companies,
        asker=asker,
        session=session,
        actor=actor,
        limit=limit,
    )
    return [_execution(row) for row in rows]


async def running(
    connection: Connection, *, companies: Sequence[UUID] | None = None, asker: str | None = None, limit: int = 200
) -> list[Execution]:
    """Return what runs now, the longest first, without bodies; `companies` and `asker` as for `page`."""
    rows = await _sql.running.fetch(connection, companies=companies, asker=asker, limit=limit)
    return [_execution(row) for row in rows]


async def children(connection: Connection, parent: Execution) -> list[str]:
    """Return the execution_ids of what an execution started itself, oldest first; 1,000 at most."""
    return [row["execution_id"] for row in await _sql.children.fetch(connection, id=parent.id)]


async def calls(connection: Connection, execution: Execution) -> list[Call]:
    """Return the HTTP attempts of an execution, in order."""
    rows = await _sql.calls.fetch(connection, id=execution.id, since=execution.started_at)
    return [Call(**row) for row in rows]


async def cancel(connection: Connection, seen: Execution, reason: str, *, by: str) -> Change:
    """End an execution that has not begun. Raises Conflict when it is not any more in the state that was seen."""
    row = await _sql.cancel.one(
        connection,
        id=seen.id,
        attempt=seen.attempt,
        seen=seen.status,
        message=f"Cancelada por {by}: {reason}",
        bounds=BUCKET_BOUNDS_MS,
    )
    if row is None:
        raise Conflict("A execução mudou de estado enquanto era cancelada.")
    return change(row)


async def ask_to_stop(connection: Connection, seen: Execution, reason: str) -> None:
    """Leave word for whoever runs an execution. Raises Conflict when it has ended meanwhile."""
    if await _sql.ask_to_stop.one(connection, id=seen.id, attempt=seen.attempt, reason=reason) is None:
        raise Conflict("A execução terminou antes de receber o pedido de parar.")


async def asked_to_stop(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return, of these executions, those that somebody asked to stop, with the reason."""
    rows = await _sql.asked_to_stop.fetch(connection, ids=ids)
    return {row["id"]: row["cancel_reason"] for row in rows}


async def correct_lost(connection: Connection, row: FinishRow) -> bool:
    """End an execution as its living process says, after a rescue had taken that process for dead."""
    body = row.body
    corrected = await _sql.correct_lost.one(
        connection,
        **{name: getattr(row, name) for name in _CORRECTED},
        key_id=None if body is None else body.key_id,
        sealed=None if body is None else body.sealed,
        document_hashes=None if body is None else body.document_hashes or None,
    )
    return corrected is not None


async def summary(connection: Connection, since: datetime) -> list[TypeSummary]:
    """Return how each process type fared since an instant (to the minute), busiest first."""
    return [TypeSummary(**row) for row in await _sql.summary.fetch(connection, since=since)]


def change(row: asyncpg.Record) -> Change:
    """Read a change from a row with its columns."""
    return Change(**{**row, "status": Status(row["status"])})


def _execution(row: asyncpg.Record) -> Execution:
    values: dict[str, Any] = dict(row)
    values["status"] = Status(values["status"])
    for name, words in (("category", Category), ("complexity", Complexity)):
        if values[name] is not None:
            values[name] = words(values[name])
    if values.get("ip_address") is not None:
        values["ip_address"] = str(values["ip_address"])
    for name in _BODIES:
        if values.get(name) is not None:
            values[name] = orjson.loads(values[name])
    return Execution(**values)
