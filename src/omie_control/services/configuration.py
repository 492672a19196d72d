"""The verbs of the configuration: list, set, unset, history, difference, roll back. Each change is audited.

Secrets go in and never come out: a listing says whether one is set, a history that it changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.configuration import KEYS, ConfigType, Key, key_named
from omie_control.domain.outgoing import Outgoing, without_user
from omie_control.errors import ControlError, InvalidInput, NotFound
from omie_control.outgoing import Guard
from omie_control.postgres import configurations as store
from omie_control.postgres.configurations import Change, Configuration
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.keys import Keys
from omie_control.services.live_configuration import LiveConfiguration, open_secret, seal_secret, value_of

PAGE_MAX = 200
HIDDEN = "•••"
# What connections are made to: the address itself, or a proxy on the way.
_ADDRESSES = frozenset({ConfigType.ENDPOINT, ConfigType.CREDENTIALS})


@dataclass(frozen=True, slots=True)
class Setting:
    """A key and what it holds; `value` of a secret is •••. `problem`: why what is written is not used."""

    config_key: str
    config_type: str
    value: Any
    default: Any
    is_default: bool
    description: str
    unit: str = ""
    updated_at: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a key held at one time and at another; None: nothing, so the default."""

    config_key: str
    before: Any
    after: Any


class Configurations:
    """Reads and changes what is configured. `guard` None: no address inside is allowed."""

    def __init__(
        self, postgres: Postgres, keys: Keys, access: Access, live: LiveConfiguration, guard: Guard | None = None
    ) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access
        self._live = live
        self._guard = guard or Guard(Outgoing())

    async def list(self, actor: Actor) -> Sequence[Setting]:
        """Return every key with what it holds, and rows of keys that do not exist, with that as their problem."""
        await self._access.require(actor, Right.CONFIG_READ)
        async with self._postgres.reading() as connection:
            rows = {row.config_key: row for row in await store.everything(connection)}
        known = [self._setting(key, rows.pop(name, None)) for name, key in KEYS.items()]
        return known + [_stranger(row) for row in rows.values()]

    async def get(self, actor: Actor, name: str) -> Setting:
        """Return one key. Raises NotFound that names the nearest."""
        key = key_named(name)
        return next(setting for setting in await self.list(actor) if setting.config_key == key.name)

    async def set(self, actor: Actor, name: str, given: Any) -> Setting:
        """Put a value in force, everywhere within two seconds. Raises InvalidInput, NotFound, Forbidden."""
        key = key_named(name)
        await self._access.require(actor, Right.CONFIG_MANAGE, object_type="configuration", object_id=key.name)
        # The answer shows it: whoever may not see it is refused before it is changed, not after.
        await self._access.require(actor, Right.CONFIG_READ)
        value = key.read(given)
        await self._require_outside(actor, key, value)
        async with self._postgres.transaction() as tx:
            await self._write(tx, actor, key, value, "config.changed")
        await self._live.refresh()
        return await self.get(actor, name)

    async def unset(self, actor: Actor, name: str) -> Setting:
        """Take a value out of force; the default holds again."""
        key = key_named(name)
        await self._access.require(actor, Right.CONFIG_MANAGE, object_type="configuration", object_id=key.name)
        # The answer shows it: whoever may not see it is refused before it is changed, not after.
        await self._access.require(actor, Right.CONFIG_READ)
        async with self._postgres.transaction() as tx:
            await self._write(tx, actor, key, None, "config.changed")
        await self._live.refresh()
        return await self.get(actor, name)

    async def history(
        self, actor: Actor, name: str | None = None, *, before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Change], str | None]:
        """Return changes of a key or of all, newest first, and the cursor of the next page; secrets as •••."""
        key = None if name is None else key_named(name)
        await self._access.require(actor, Right.CONFIG_READ)
        size = max(1, min(limit, PAGE_MAX))
        async with self._postgres.reading() as connection:
            found = await store.history(
                connection,
                None if key is None else key.name,
                before=None if before is None else _revision(before),
                limit=size + 1,
            )
        shown = [_shown(change) for change in found[:size]]
        return shown, str(shown[-1].revision) if len(found) > size else None

    async def diff(self, actor: Actor, since: int, until: int | None = None) -> Sequence[Difference]:
        """Return what changed from one revision to another (None: until now); secrets as •••."""
        await self._access.require(actor, Right.CONFIG_READ)
        async with self._postgres.reading() as connection:
            await _require_revision(connection, since)
            last = await store.revision(connection) if until is None else until
            await _require_revision(connection, last)
            then, later = await store.as_of(connection, since), await store.as_of(connection, last)
        return [
            Difference(name, _veiled(name, then.get(name)), _veiled(name, later.get(name)))
            for name in sorted(then.keys() | later.keys())
            if then.get(name) != later.get(name)
        ]

    async def roll_back(self, actor: Actor, revision: int, name: str | None = None) -> Sequence[Difference]:
        """Put back in force what was after a revision: one key, or all. Returns what that changed.

        All or nothing. Raises InvalidInput when an old value is none that its key takes today.
        """
        key = None if name is None else key_named(name)
        await self._access.require(actor, Right.CONFIG_MANAGE, object_type="configuration", object_id=name)
        changed: Sequence[Difference] = []
        async with self._postgres.reading() as connection:
            await _require_revision(connection, revision)
            then = await store.as_of(connection, revision)
        values = {each: self._clear(each, then.get(each.name)) for each in (KEYS.values() if key is None else [key])}
        for each, value in values.items():
            await self._require_outside(actor, each, value)
        async with self._postgres.transaction() as tx:
            for each, value in values.items():
                changed = [*changed, *await self._write(tx, actor, each, value, "config.rolled_back", revision)]
        await self._live.refresh()
        return changed

    async def _require_outside(self, actor: Actor, key: Key, value: Any) -> None:
        """Refuse an address that leads inside, on record: whoever tries looks for what is there."""
        if value is None or key.type not in _ADDRESSES:
            return
        try:
            await self._guard.require(value if key.type is ConfigType.ENDPOINT else without_user(value))
        except InvalidInput as error:
            async with self._postgres.transaction() as tx:
                await audit.append(
                    tx,
                    actor,
                    "config.address_refused",
                    outcome="refused",
                    object_type="configuration",
                    object_id=key.name,
                    detail=error.message,
                )
            raise

    async def _write(
        self, tx: Connection, actor: Actor, key: Key, value: Any, action: str, revision: int | None = None
    ) -> Sequence[Difference]:
        """Write one value (None: out of force) with its audit row, if that changes anything."""
        is_secret = key.type is ConfigType.CREDENTIALS
        stored = await store.lock(tx, key.name)
        before = self._clear(key, stored, is_lenient=True)
        if before == value and (stored is None) == (value is None):
            return []
        if value is None:
            await store.retire(tx, key.name, by=actor.label)
        else:
            written = seal_secret(key.name, value, self._keys) if is_secret else value
            await store.put(tx, key.name, written, key.type, by=actor.label, description=key.description)
        difference = Difference(
            key.name, _veiled(key.name, stored), HIDDEN if is_secret and value is not None else value
        )
        await audit.append(
            tx,
            actor,
            action,
            object_type="configuration",
            object_id=key.name,
            before={"valor": difference.before},
            after={"valor": difference.after} | ({} if revision is None else {"revisao": revision}),
        )
        return [difference]

    def _clear(self, key: Key, stored: Any, *, is_lenient: bool = False) -> Any:
        """Return the clear value that was stored; None for none. Lenient: None also for what is illegible."""
        if stored is None:
            return None
        try:
            if key.type is ConfigType.CREDENTIALS:
                return open_secret(key.name, stored, self._keys).reveal()
            return key.read(stored)
        except ControlError:
            if is_lenient:
                return None
            raise

    def _setting(self, key: Key, row: Configuration | None) -> Setting:
        value, problem = key.default, None
        if row is not None:
            try:
                value = value_of(key, row, self._keys)
            except ControlError as error:
                problem = error.message
        return Setting(
            config_key=key.name,
            config_type=key.type.value,
            value=HIDDEN if key.type is ConfigType.CREDENTIALS and value is not None else value,
            default=key.default,
            is_default=row is None or problem is not None,
            description=key.description,
            unit=key.unit,
            updated_at=None if row is None else row.updated_at,
            problem=problem,
        )


def _stranger(row: Configuration) -> Setting:
    value = HIDDEN if row.is_encrypted else row.config_value
    problem = "Esta chave não existe nesta versão; ninguém a usa."
    return Setting(
        row.config_key, row.config_type, value, None, False, row.description or "", "", row.updated_at, problem
    )


def _shown(change: Change) -> Change:
    before, after = _veiled(change.config_key, change.before), _veiled(change.config_key, change.after)
    return Change(change.revision, change.config_key, change.at, change.changed_by, before, after)


def _veiled(name: str, stored: Any) -> Any:
    """Hide a stored secret; of a key that nobody knows, whatever looks like one."""
    key = KEYS.get(name)
    is_secret = isinstance(stored, dict) if key is None else key.type is ConfigType.CREDENTIALS
    return HIDDEN if is_secret and stored is not None else stored


def _revision(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise InvalidInput("O cursor da página não existe.", hint="Comece de novo sem o cursor.")
    return int(text)


async def _require_revision(connection: Connection, revision: int) -> None:
    """Raise NotFound for a revision that there never was; 0 is before the first."""
    newest = await store.revision(connection)
    if not 0 <= revision <= newest:
        raise NotFound(
            f"A revisão {revision} da configuração não existe.",
            hint=f"A última é {newest}; veja as mudanças com: omie-control config history.",
        )
