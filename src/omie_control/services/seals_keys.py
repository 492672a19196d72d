"""The keys that sign seals: made once, wrapped by the master key, believed only when it opens them.

Whoever has the database but not the master key can write any public key into it; such a key signs nothing for us.
"""

from __future__ import annotations

from omie_control.domain.actors import SYSTEM
from omie_control.domain.seals import SigningKey, new_signing_key
from omie_control.errors import Conflict
from omie_control.postgres import seals as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.keys import Keys


class SealKeys:
    """Holds the signing keys of one process in memory."""

    def __init__(self, postgres: Postgres, keys: Keys) -> None:
        self._postgres = postgres
        self._keys = keys
        self._signing: SigningKey | None = None

    async def signing(self) -> SigningKey:
        """Return the key that signs now, making it at the first seal of an installation."""
        if self._signing is None:
            async with self._postgres.transaction() as tx:
                self._signing = await self._newest(tx)
        if self._signing is None:
            async with self._postgres.transaction() as tx:
                await store.lock_keys(tx)
                self._signing = await self._newest(tx) or await self._make(tx)
        return self._signing

    async def believed(self, connection: Connection) -> tuple[dict[str, SigningKey], list[str]]:
        """Return the keys that are ours, by name, and the names of those that are not."""
        ours: dict[str, SigningKey] = {}
        strange: list[str] = []
        for row in await store.keys(connection):
            key = self._opened(row)
            if key is None:
                strange.append(row.id)
            else:
                ours[key.id] = key
        return ours, strange

    async def _newest(self, connection: Connection) -> SigningKey | None:
        ours, _ = await self.believed(connection)
        return list(ours.values())[-1] if ours else None

    async def _make(self, tx: Connection) -> SigningKey:
        private = new_signing_key()
        key = SigningKey(private)
        master = self._keys.master
        wrapped = master.wrap(private, _aad(key.id))
        await store.add_key(tx, store.WrappedSigningKey(key.id, key.public, wrapped, master.key_id))
        await audit.append(
            tx, SYSTEM, "seal_key.created", object_type="seal_key", object_id=key.id, after={"public": key.public.hex()}
        )
        return key

    def _opened(self, row: store.WrappedSigningKey) -> SigningKey | None:
        try:
            key = SigningKey(self._keys.unwrap(row.master_key_id, row.wrapped, _aad(row.id)))
        except (Conflict, ValueError):
            return None
        return key if (key.id, key.public) == (row.id, row.public_key) else None


def _aad(id: str) -> bytes:
    return f"seal_keys/{id}".encode()
