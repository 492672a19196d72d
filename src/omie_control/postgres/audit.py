"""Audit events: rows that are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from omie_control.postgres.queries import Connection, queries

_sql = queries("audit")


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to what, and how it looked before and after (masked)."""

    id: UUID
    at: datetime
    actor: str
    action: str
    outcome: str
    object_type: str | None
    object_id: str | None
    company_id: UUID | None
    before: Any
    after: Any
    detail: str | None
    ip_address: str | None
    user_agent: str | None


async def insert(connection: Connection, **event: Any) -> None:
    """Add one event; its id and instant come from the database."""
    await _sql.insert.run(connection, **event)


async def find(connection: Connection, id: UUID) -> AuditEvent | None:
    """Return one event, or None."""
    row = await _sql.find.one(connection, id=id)
    return None if row is None else _event(row)


async def page(
    connection: Connection,
    *,
    by: str | None,
    action: str | None,
    outcome: str | None,
    object_id: str | None,
    since: datetime | None,
    before: UUID | None,
    companies: Sequence[UUID] | None,
    limit: int,
) -> list[AuditEvent]:
    """Return events, newest first, older than `before`. `by` and `action` may end in `*`; `companies` is a scope."""
    rows = await _sql.page.fetch(
        connection,
        by=_pattern(by),
        action=_pattern(action),
        outcome=outcome,
        object_id=object_id,
        since=since,
        before=before,
        companies=companies,
        limit=limit,
    )
    return [_event(row) for row in rows]


def _pattern(text: str | None) -> str | None:
    """Write a name that may end in `*` as LIKE reads it."""
    if text is None:
        return None
    plain = text.removesuffix("*").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return plain + "%" if text.endswith("*") else plain


def _event(row: asyncpg.Record) -> AuditEvent:
    values: dict[str, Any] = dict(row)
    for name in ("before", "after"):
        if values[name] is not None:
            values[name] = orjson.loads(values[name])
    if values["ip_address"] is not None:
        values["ip_address"] = str(values["ip_address"])
    return AuditEvent(**values)
