"""Rows for the tests of this room, written as plainly as the tests need them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from omie_control.domain.executions import execution_id_for, uuid7

ZONE = ZoneInfo("America/Sao_Paulo")


async def add_execution(
    conn: asyncpg.Connection, *, process_type: str = "consultar_clientes", ago: timedelta = timedelta(0), **columns: Any
) -> tuple[UUID, str]:
    """Insert an execution that began so long ago; returns its key and its name."""
    at = datetime.now(UTC) - ago
    id = columns.pop("id", None) or uuid7(int(at.timestamp() * 1000), os.urandom(10))
    name = columns.pop("execution_id", None) or execution_id_for(process_type, id, at, ZONE)
    values = {"id": id, "process_type": process_type, "execution_id": name, "started_at": at, **columns}
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await conn.execute(f"insert into process_executions ({', '.join(values)}) values ({places})", *values.values())
    return id, name


async def add_company(conn: asyncpg.Connection, slug: str) -> UUID:
    """Insert a company; returns its key."""
    id: UUID = await conn.fetchval(
        "insert into companies (slug, name, app_key_hint, credentials, credentials_key, created_by) "
        "values ($1, $1, '1234', '\\x00', 'key', 'test') returning id",
        slug,
    )
    return id
