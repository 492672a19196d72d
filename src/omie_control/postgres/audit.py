"""Audit events: rows that are only ever added."""

from __future__ import annotations

from typing import Any

from omie_control.postgres.queries import Connection, queries

_sql = queries("audit")


async def insert(connection: Connection, **event: Any) -> None:
    """Add one event; its id and instant come from the database."""
    await _sql.insert.run(connection, **event)
