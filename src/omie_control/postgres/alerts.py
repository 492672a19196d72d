"""Alerts as rows: raised, listed, resolved once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from omie_control.postgres.queries import Connection, queries

_sql = queries("alerts")


class Severity(StrEnum):
    """How much an alert presses; the enum `alert_severity`."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """One row of `integration_alerts`."""

    id: int
    alert_type: str
    severity: Severity
    title: str
    message: str | None
    context_data: Any
    process_execution_id: UUID | None
    endpoint: str | None
    is_resolved: bool
    resolved_at: datetime | None
    resolved_by: str | None
    created_at: datetime


async def add(
    connection: Connection,
    alert_type: str,
    severity: Severity,
    title: str,
    message: str,
    *,
    context: Any = None,
    execution: UUID | None = None,
    endpoint: str | None = None,
) -> int:
    """Raise an alert and return its number; over-long titles are cut."""
    number: int = await _sql.add.value(
        connection,
        alert_type=alert_type,
        severity=severity,
        title=title[:200],
        message=message,
        context=None if context is None else orjson.dumps(context, default=str).decode(),
        execution=execution,
        endpoint=endpoint,
    )
    return number


async def page(
    connection: Connection,
    *,
    unresolved_only: bool = True,
    severity: Severity | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Alert]:
    """Return alerts, newest first, older than `before` (the number of the last one seen)."""
    rows = await _sql.page.fetch(
        connection, unresolved_only=unresolved_only, severity=severity, before=before, limit=limit
    )
    return [_alert(dict(row)) for row in rows]


async def active(connection: Connection, companies: Sequence[UUID] | None, *, limit: int) -> list[Alert]:
    """Return alerts that nobody has resolved, newest first; a scope (not None) sees its companies' executions'."""
    return [_alert(dict(row)) for row in await _sql.active.fetch(connection, companies=companies, limit=limit)]


async def resolve(connection: Connection, number: int, *, by: str) -> bool:
    """Settle an alert. False: it is settled already, or there is none."""
    return await _sql.resolve.one(connection, id=number, by=by) is not None


async def count_unresolved(connection: Connection) -> dict[Severity, int]:
    """Return how many alerts wait, by severity; a severity without any is not there."""
    return {Severity(row["severity"]): row["count"] for row in await _sql.count_unresolved.fetch(connection)}


def _alert(values: dict[str, Any]) -> Alert:
    context = values.pop("context_data")
    severity = Severity(values.pop("severity"))
    return Alert(**values, severity=severity, context_data=None if context is None else orjson.loads(context))
