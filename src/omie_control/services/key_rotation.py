"""Rotation: another master key in force, and whatever the old one sealed under the new, while everything runs.

Clear data is not touched: data keys stay what they are and are only wrapped anew. The old key is kept, so that
backups of before stay readable. A rotation that dies half-way is finished by the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.sealing import MasterKey
from omie_control.errors import Conflict, InvalidInput
from omie_control.postgres import configurations
from omie_control.postgres import keys as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.keys import SHELVES, MasterUse
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.keys import Keys

# Every process looks at each heartbeat (two seconds) which key is in force; until then it seals under the old one.
LEARNT_SECONDS = 5.0
_SWEEPS = 5


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the keys by name, and how many rows went from one to the other."""

    before: str
    after: str
    rows: int


class KeyRotation:
    """The verbs of master keys."""

    def __init__(
        self, postgres: Postgres, keys: Keys, access: Access, *, learnt_seconds: float = LEARNT_SECONDS
    ) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access
        self._learnt_seconds = learnt_seconds

    async def list(self, actor: Actor) -> Sequence[MasterUse]:
        """Return every master key there ever was, with what is still sealed under it."""
        await self._access.require(actor, Right.KEY_MANAGE)
        async with self._postgres.reading() as connection:
            return await store.masters_used(connection)

    async def rotate(self, actor: Actor, to: str | None = None, *, wait: Callable[[], object] | None = None) -> Rotated:
        """Put another master key in force and seal everything under it.

        In the home a fresh key is made; keys from a setting or a command must hold the new one already (`to` names
        it where there are several). `wait` is called when only the other processes have to learn of it still.
        Raises Forbidden; InvalidInput when there is no key to go to; Conflict when it is in force already.
        """
        await self._access.require(actor, Right.KEY_MANAGE, object_type="master_key", object_id=to)
        fresh = await asyncio.to_thread(self._next, to)
        async with self._postgres.transaction() as tx:
            await store.lock_masters(tx)
            before = await store.current_master(tx) or self._keys.master.key_id
            if before == fresh.key_id:
                raise Conflict(f"A chave {fresh.key_id} já está em uso.")
            await store.put_in_force(tx, fresh.key_id)
            rows = await self._rewrap(tx, actor, fresh)
            await audit.append(
                tx,
                actor,
                "master_key.rotated",
                object_type="master_key",
                object_id=fresh.key_id,
                before={"chave": before},
                after={"chave": fresh.key_id, "linhas": rows},
            )
        self._keys.use(fresh)
        if wait is not None:
            wait()
        return Rotated(before, fresh.key_id, rows + await self._sweep(actor, fresh))

    async def _sweep(self, actor: Actor, fresh: MasterKey) -> int:
        """Seal anew what other processes sealed under an old key before they knew."""
        rows = 0
        for _ in range(_SWEEPS):
            await asyncio.sleep(self._learnt_seconds)
            async with self._postgres.transaction() as tx:
                found = await self._rewrap(tx, actor, fresh)
            rows += found
            if not found:
                break
        return rows

    async def _rewrap(self, tx: Connection, actor: Actor, fresh: MasterKey) -> int:
        """Seal under one key whatever lies under any other that is given."""
        await configurations.act_as(tx, actor.label)
        rows = 0
        for id, master in self._keys.masters.items():
            if id == fresh.key_id:
                continue
            for shelf in SHELVES:
                for row, sealed in await shelf.under(tx, id):
                    place = shelf.place.format(row).encode()
                    await shelf.rewrap(tx, row, fresh.wrap(master.unwrap(sealed, place), place), fresh.key_id)
                    rows += 1
        return rows

    def _next(self, to: str | None) -> MasterKey:
        if self._keys.ring.is_ours and to is None:
            return self._keys.ring.add()
        others = {id: key for id, key in self._keys.ring.read().items() if id != self._keys.master.key_id}
        if to is not None and to in others:
            return others[to]
        if to is None and len(others) == 1:
            return next(iter(others.values()))
        if others:
            raise InvalidInput("Diga para qual chave trocar.", hint=f"Com --to, uma destas: {', '.join(others)}.")
        raise InvalidInput(
            "Não há outra chave mestra para a qual trocar.",
            hint="Gere uma com: omie-control key new. Acrescente-a às que este ajuste já tem, depois de um espaço, em "
            "todas as máquinas, reinicie os processos e repita.",
        )
