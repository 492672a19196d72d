"""Configuration that is data, as rows: what is in force, and every change there ever was.

The table itself keeps its history, by a trigger. The verb that changes something writes the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from omie_control.domain.configuration import ConfigType
from omie_control.errors import Conflict
from omie_control.postgres.queries import Connection, queries

_sql = queries("configurations")


@dataclass(frozen=True, slots=True)
class Configuration:
    """One row of `system_configurations` that is in force."""

    config_key: str
    config_value: Any
    config_type: str
    is_encrypted: bool
    description: str | None
    created_by: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One change: None before or after means that nothing was in force."""

    revision: int
    config_key: str
    at: datetime
    changed_by: str
    before: Any
    after: Any


async def revision(connection: Connection) -> int:
    """Return the number of the last change."""
    return int(await _sql.revision.value(connection))


async def everything(connection: Connection) -> list[Configuration]:
    """Return whatever is in force, by key."""
    return [Configuration(**_decoded(row, "config_value")) for row in await _sql.everything.fetch(connection)]


async def act_as(connection: Connection, actor: str) -> None:
    """Name whoever changes the configuration in this transaction, for its history."""
    await _sql.act_as.value(connection, actor=actor)


async def lock(connection: Connection, key: str) -> Any:
    """Hold a key until the transaction ends; return its value in force, or None."""
    row = await _sql.lock.one(connection, key=key)
    return None if row is None or not row["is_active"] else orjson.loads(row["config_value"])


async def put(
    connection: Connection, key: str, value: Any, config_type: ConfigType, *, by: str, description: str | None = None
) -> None:
    """Write a configuration. Raises Conflict when the key is of another type."""
    await _sql.act_as.value(connection, actor=by)
    row = await _sql.put.one(
        connection,
        key=key,
        value=orjson.dumps(value).decode(),
        config_type=config_type,
        is_encrypted=config_type is ConfigType.CREDENTIALS,
        description=description,
        by=by,
    )
    if row is None:
        raise Conflict(f"A configuração {key} já existe com outro tipo.", hint="Corrija a linha na tabela.")


async def retire(connection: Connection, key: str, *, by: str) -> bool:
    """Take a configuration out of force. False: it was not in force."""
    await _sql.act_as.value(connection, actor=by)
    return await _sql.retire.one(connection, key=key) is not None


async def history(connection: Connection, key: str | None, *, before: int | None, limit: int) -> list[Change]:
    """Return changes, newest first: of a key or of all, older than a revision."""
    rows = await _sql.history.fetch(connection, key=key, before=before, limit=limit)
    return [Change(**_decoded(row, "before", "after")) for row in rows]


async def as_of(connection: Connection, revision: int) -> dict[str, Any]:
    """Return what was in force after a change, by key; None for what was taken out of force again."""
    rows = await _sql.as_of.fetch(connection, revision=revision)
    return {row["config_key"]: _decoded(row, "after")["after"] for row in rows}


def _decoded(row: asyncpg.Record, *columns: str) -> dict[str, Any]:
    values: dict[str, Any] = dict(row)
    for column in columns:
        values[column] = None if values[column] is None else orjson.loads(values[column])
    return values
