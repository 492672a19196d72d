"""Keys: the master key in force, the old ones that still open things, and one data key per company and month.

The master keys come from a setting or lie in a file of the home, made at the first start. None is made anew where
the database already holds something sealed: that would only hide that the old one is lost. Which one is in force
the database says; a process learns of a rotation at its next heartbeat, or when it meets a key it does not know.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import time_ns
from uuid import UUID

from omie_control.domain.actors import SYSTEM
from omie_control.domain.companies import Secret
from omie_control.domain.executions import uuid7
from omie_control.domain.sealing import Hasher, MasterKey, new_key
from omie_control.errors import Conflict, StorageDown
from omie_control.postgres import keys as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.keys import WrappedKey
from omie_control.services import audit
from omie_control.services.master_ring import FILE_NAME, MasterRing

__all__ = ["FILE_NAME", "DataKey", "Keys"]

INDEX_PLACE = b"index_key"
NO_COMPANY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key ready for use; never prints itself."""

    id: UUID
    key: bytes

    def __repr__(self) -> str:
        return f"DataKey({self.id}, •••)"


class Keys:
    """Holds the keys of one process in memory; `open()` before anything else."""

    def __init__(self, postgres: Postgres, master_key: str | Callable[[], str] | None, home: Path) -> None:
        self._postgres = postgres
        self.ring = MasterRing(master_key, home)
        self._masters: Mapping[str, MasterKey] = {}
        self._master: MasterKey | None = None
        self._hasher: Hasher | None = None
        self._by_month: dict[tuple[UUID, int, int], DataKey] = {}
        self._by_id: dict[UUID, DataKey] = {}
        self._making = asyncio.Lock()

    async def open(self) -> None:
        """Load the master keys, making the first at the first start.

        Raises Conflict when they are not the data's own, InvalidInput when one is no key.
        """
        async with self._postgres.transaction() as connection:
            known = await store.masters(connection)
            current = await store.current_master(connection)
        await asyncio.to_thread(self._load, has_sealed_data=bool(known))
        missing = [id for id in known if id not in self._masters]
        if missing:
            raise _wrong_key(list(self._masters), missing)
        first = next(iter(self._masters.values()))
        self._master = first if current is None else self._masters.get(current, first)
        # Pins the master key to the database at its first start: two homes on one empty database collide here.
        await self.ensure(None, datetime.now(UTC))
        await self._begin()

    def _load(self, *, has_sealed_data: bool) -> None:
        self._masters = self.ring.read()
        if self._masters:
            return
        if has_sealed_data:
            raise Conflict(
                f"A chave mestra não foi encontrada em {self.ring.path}, mas o banco já tem dados cifrados com ela.",
                hint="Coloque de volta o arquivo da chave, ou informe OMIE_CONTROL_MASTER_KEY. "
                "Nenhuma chave nova foi criada.",
                code="chave_mestra_perdida",
            )
        self.ring.make()
        self._masters = self.ring.read()
        if not self._masters:
            raise Conflict(
                f"A chave mestra não pôde ser gravada em {self.ring.path}.", hint="Confira as permissões da pasta."
            )

    async def _begin(self) -> None:
        """Note which master key is in force, and open the index key, made of the first one."""
        async with self._postgres.transaction() as tx:
            await store.note_master(tx, self.master.key_id)
            index = await store.index_key(tx)
            if index is None:
                wrapped = self.master.wrap(self.master.index_key(), INDEX_PLACE)
                index = await store.claim_index_key(tx, wrapped, self.master.key_id)
        self._hasher = Hasher(self.unwrap(index.master_key_id, index.wrapped, INDEX_PLACE))

    @property
    def master(self) -> MasterKey:
        """The master key in force: everything new is sealed under it."""
        if self._master is None:
            raise StorageDown("A chave mestra ainda não foi carregada.")
        return self._master

    @property
    def masters(self) -> Mapping[str, MasterKey]:
        """Every master key that is given, by name."""
        return self._masters

    @property
    def hasher(self) -> Hasher:
        """What hashes documents and texts, the same after a rotation as before."""
        if self._hasher is None:
            raise StorageDown("A chave mestra ainda não foi carregada.")
        return self._hasher

    def unwrap(self, master_key_id: str, wrapped: bytes, place: bytes) -> bytes:
        """Open what a master key sealed for a place. Raises Conflict when that key is not given."""
        return self._opener(master_key_id).unwrap(wrapped, place)

    def open_secrets(self, master_key_id: str, sealed: bytes, place: bytes) -> dict[str, Secret]:
        """Open named secrets that a master key sealed for a place. Raises Conflict when that key is not given."""
        return self._opener(master_key_id).open_secrets(sealed, place)

    def _opener(self, id: str) -> MasterKey:
        if id not in self._masters:
            # A rotation by another process has just brought it, or it is really missing.
            self._masters = self.ring.read()
        key = self._masters.get(id)
        if key is None:
            raise _wrong_key(list(self._masters), [id])
        return key

    async def refresh(self) -> None:
        """Learn which master key is in force now."""
        # Not from a replica: whatever is sealed under the old key after the rotation's last sweep would stay so.
        async with self._postgres.transaction() as connection:
            current = await store.current_master(connection)
        if current is not None and current != self.master.key_id:
            self.use(self._opener(current))

    def use(self, master: MasterKey) -> None:
        """Seal under this master key from now on."""
        self._masters = {**self._masters, master.key_id: master}
        self._master = master

    def data_key(self, company: UUID | None, at: datetime) -> DataKey | None:
        """Return the data key of a company (None: of no company) and month if it is in memory: the fast path."""
        instant = at if at.tzinfo is UTC else at.astimezone(UTC)
        return self._by_month.get((company or NO_COMPANY, instant.year, instant.month))

    async def ensure(self, company: UUID | None, at: datetime) -> DataKey:
        """Return the data key of a company and month, making it if no process has done so yet."""
        found = self.data_key(company, at)
        if found is not None:
            return found
        async with self._making:
            return self.data_key(company, at) or await self._fetch_or_make(company or NO_COMPANY, at.astimezone(UTC))

    async def by_id(self, id: UUID) -> DataKey:
        """Return the data key that a body was sealed under. Raises Conflict when it is gone or another's."""
        found = self._by_id.get(id)
        if found is not None:
            return found
        async with self._postgres.transaction() as connection:
            wrapped = await store.find(connection, id)
        if wrapped is None:
            raise Conflict(
                "A chave deste conteúdo não existe mais; ele não pode ser aberto.",
                hint="Restaure a tabela data_keys de uma cópia de segurança.",
                code="chave_perdida",
            )
        return self._keep(wrapped)

    async def _fetch_or_make(self, company: UUID, at: datetime) -> DataKey:
        month = date(at.year, at.month, 1)
        async with self._postgres.transaction() as tx:
            wrapped = await store.of_month(tx, company, month)
            if wrapped is None:
                id = uuid7(time_ns() // 1_000_000, os.urandom(10))
                fresh = WrappedKey(id, company, month, self.master.wrap(new_key(), place_of(id)), self.master.key_id)
                wrapped = await store.claim(tx, fresh)
                if wrapped.id == fresh.id:
                    await audit.append(
                        tx,
                        SYSTEM,
                        "data_key.created",
                        object_type="data_key",
                        object_id=str(fresh.id),
                        company_id=None if company == NO_COMPANY else company,
                        after={"month": f"{month:%Y-%m}", "master_key_id": fresh.master_key_id},
                    )
        return self._keep(wrapped)

    def _keep(self, wrapped: WrappedKey) -> DataKey:
        key = DataKey(wrapped.id, self.unwrap(wrapped.master_key_id, wrapped.wrapped, place_of(wrapped.id)))
        self._by_id[wrapped.id] = key
        self._by_month[wrapped.company_id, wrapped.month.year, wrapped.month.month] = key
        return key


def place_of(id: UUID) -> bytes:
    """Return what a data key is bound to."""
    return f"data_keys/{id}".encode()


def _wrong_key(ours: Sequence[str], known: Sequence[str]) -> Conflict:
    return Conflict(
        f"A chave mestra atual ({', '.join(ours)}) não é a que cifrou os dados deste banco ({', '.join(known)}).",
        hint="Restaure a chave mestra guardada no primeiro início (OMIE_CONTROL_MASTER_KEY ou o arquivo "
        f"{FILE_NAME} da pasta de dados) ou use um banco vazio.",
        code="chave_mestra_errada",
    )
