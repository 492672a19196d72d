"""The configuration as this process uses it: kept in memory, at most a second older than the table.

A value that the registry does not take (a row written by hand) is left aside, and the default holds. While
PostgreSQL is away, what was last read goes on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from omie_control.domain.companies import Secret
from omie_control.domain.configuration import KEYS, ConfigType, Key, Values
from omie_control.errors import ControlError, InvalidInput
from omie_control.postgres import configurations as store
from omie_control.postgres.configurations import Configuration
from omie_control.postgres.database import Postgres
from omie_control.services.keys import Keys
from omie_control.services.loops import Every
from omie_control.telemetry import Event, tell

LOOK_EVERY = timedelta(seconds=1)
_FIELD = "value"


class LiveConfiguration(Values):
    """What is configured, looked at anew every second; `get` costs a look into a dictionary."""

    def __init__(self, postgres: Postgres, keys: Keys) -> None:
        self._postgres = postgres
        self._keys = keys
        self._revision = -1
        self._values: Mapping[str, Any] = {}
        self._listeners: list[Callable[[], Awaitable[object]]] = []
        self._loop = Every("configuration", LOOK_EVERY, self.refresh, backs_off=False)

    async def open(self) -> None:
        """Read what is in force, and keep up with it."""
        await self.refresh()
        self._loop.start()

    async def close(self) -> None:
        """Stop keeping up."""
        await self._loop.stop()

    def on_change(self, listener: Callable[[], Awaitable[object]]) -> None:
        """Call this after each change."""
        self._listeners.append(listener)

    def get(self, key: Key) -> Any:
        """Return the value in force of a key; a secret as `Secret`."""
        return self._values.get(key.name, key.default)

    async def refresh(self) -> None:
        """Read the table if anything has changed since the last look."""
        # Not from a replica, which may lag or be away: what is switched off has to be off.
        async with self._postgres.transaction() as connection:
            # Asked first: a change in between is then read again at the next look.
            revision = await store.revision(connection)
            if revision == self._revision:
                return
            rows = await store.everything(connection)
        self._values = {row.config_key: value for row in rows if (value := self._opened(row)) is not None}
        first, self._revision = self._revision < 0, revision
        if first:
            return
        tell(Event.CONFIGURATION_CHANGED, revision=revision)
        for listener in self._listeners:
            await listener()

    def _opened(self, row: Configuration) -> Any:
        key = KEYS.get(row.config_key)
        if key is None:
            return None
        try:
            return value_of(key, row, self._keys)
        except ControlError as error:
            tell(Event.CONFIGURATION_IGNORED, key=row.config_key, reason=error.message)
            return None


def value_of(key: Key, row: Configuration, keys: Keys) -> Any:
    """Return what a row means. Raises InvalidInput for what its key does not take, Conflict for another master key."""
    if row.config_type != key.type:
        raise InvalidInput(f"{key.name}: gravada com o tipo '{row.config_type[:20]}'; esperado '{key.type}'.")
    if key.type is not ConfigType.CREDENTIALS:
        return key.read(row.config_value)
    return open_secret(key.name, row.config_value, keys)


def seal_secret(name: str, text: str, keys: Keys) -> dict[str, str]:
    """Seal a secret for its row."""
    sealed = keys.master.seal_secrets({_FIELD: Secret(text)}, _place(name))
    return {"key_id": keys.master.key_id, "ciphertext": base64.b64encode(sealed).decode()}


def open_secret(name: str, value: Mapping[str, str], keys: Keys) -> Secret:
    """Open a sealed secret. Raises Conflict when it was sealed elsewhere, under another key, or changed."""
    try:
        sealed, key_id = base64.b64decode(value["ciphertext"], validate=True), str(value["key_id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise InvalidInput(f"{name}: o conteúdo cifrado não é legível.") from None
    return keys.open_secrets(key_id, sealed, _place(name))[_FIELD]


def _place(name: str) -> bytes:
    return b"system_configurations/" + name.encode()
