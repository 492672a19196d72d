"""Configuration that is data: read, written, taken out of force. The verb that changes it writes the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg
import orjson

from omie_control.errors import Conflict
from omie_control.postgres.queries import Connection, queries

_sql = queries("configurations")


class ConfigType(StrEnum):
    """What a configuration is; credentials are ciphertext, by a check of the table."""

    CREDENTIALS = "credentials"
    ENDPOINT = "endpoint"
    THRESHOLD = "threshold"
    FEATURE_FLAG = "feature_flag"


@dataclass(frozen=True, slots=True)
class Configuration:
    """One row of `system_configurations` that is in force."""

    config_key: str
    config_value: Any
    config_type: ConfigType
    is_encrypted: bool
    description: str | None
    created_by: str | None
    updated_at: datetime


async def find(connection: Connection, key: str) -> Configuration | None:
    """Return the configuration of a key, or None."""
    row = await _sql.find.one(connection, key=key)
    return None if row is None else _configuration(row)


async def is_on(connection: Connection, key: str) -> bool:
    """Say whether a feature flag is in force and true."""
    found = await find(connection, key)
    return found is not None and found.config_type is ConfigType.FEATURE_FLAG and found.config_value is True


async def of_type(connection: Connection, config_type: ConfigType) -> list[Configuration]:
    """Return the configurations of a type, by key."""
    return [_configuration(row) for row in await _sql.of_type.fetch(connection, config_type=config_type)]


async def put(
    connection: Connection,
    key: str,
    value: Any,
    config_type: ConfigType,
    *,
    by: str,
    description: str | None = None,
) -> None:
    """Write a configuration. Raises Conflict when the key is of another type."""
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
        raise Conflict(f"A configuração {key} já existe com outro tipo.", hint="Use outra chave.")


async def retire(connection: Connection, key: str) -> bool:
    """Take a configuration out of force. False: it was not in force."""
    return await _sql.retire.one(connection, key=key) is not None


def _configuration(row: asyncpg.Record) -> Configuration:
    values: dict[str, Any] = dict(row)
    values["config_value"] = orjson.loads(values["config_value"])
    values["config_type"] = ConfigType(values["config_type"])
    return Configuration(**values)
