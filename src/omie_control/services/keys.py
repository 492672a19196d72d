"""Keys: the master key of this installation, and under it one data key per company and month.

The master key comes from a setting or lies in a file of the home, made at the first start. It is never made
anew where the database already holds something sealed: that would only hide that the old one is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import time_ns
from uuid import UUID

from omie_control.domain.actors import SYSTEM
from omie_control.domain.executions import uuid7
from omie_control.domain.sealing import MasterKey, key_text, new_key
from omie_control.errors import Conflict, InvalidInput, StorageDown
from omie_control.postgres import keys as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.keys import WrappedKey
from omie_control.services import audit

FILE_NAME = "master.key"
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

    def __init__(self, postgres: Postgres, master_key: str | None, home: Path) -> None:
        self._postgres = postgres
        self._given = master_key
        self._home = home
        self._master: MasterKey | None = None
        self._by_month: dict[tuple[UUID, int, int], DataKey] = {}
        self._by_id: dict[UUID, DataKey] = {}
        self._making = asyncio.Lock()

    async def open(self) -> None:
        """Load the master key, making it at the first start. Raises Conflict when it is not the data's own."""
        async with self._postgres.transaction() as connection:
            known = await store.masters(connection)
        if self._given is not None:
            self._master = MasterKey.from_text(self._given)
        else:
            self._master = await asyncio.to_thread(load_or_make, self._home / FILE_NAME, has_sealed_data=bool(known))
        if known and self._master.key_id not in known:
            raise _wrong_key(self._master.key_id, known)
        # Pins the master key to the database at its first start: two homes on one empty database collide here.
        await self.ensure(None, datetime.now(UTC))

    @property
    def master(self) -> MasterKey:
        """The master key."""
        if self._master is None:
            raise StorageDown("A chave mestra ainda não foi carregada.")
        return self._master

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
                fresh = WrappedKey(id, company, month, self.master.wrap(new_key(), _aad(id)), self.master.key_id)
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
        if wrapped.master_key_id != self.master.key_id:
            raise _wrong_key(self.master.key_id, [wrapped.master_key_id])
        key = DataKey(wrapped.id, self.master.unwrap(wrapped.wrapped, _aad(wrapped.id)))
        self._by_id[wrapped.id] = key
        self._by_month[wrapped.company_id, wrapped.month.year, wrapped.month.month] = key
        return key


def _aad(id: UUID) -> bytes:
    return f"data_keys/{id}".encode()


def _wrong_key(ours: str, known: list[str]) -> Conflict:
    return Conflict(
        f"A chave mestra atual ({ours}) não é a que cifrou os dados deste banco ({', '.join(known)}).",
        hint="Restaure a chave mestra guardada no primeiro início (OMIE_CONTROL_MASTER_KEY ou o arquivo "
        f"{FILE_NAME} da pasta de dados) ou use um banco vazio.",
        code="chave_mestra_errada",
    )


def load_or_make(path: Path, *, has_sealed_data: bool) -> MasterKey:
    """Read the master key's file, making it only where nothing was ever sealed."""
    key = _read(path)
    if key is not None:
        return key
    if has_sealed_data:
        raise Conflict(
            f"A chave mestra não foi encontrada em {path}, mas o banco já tem dados cifrados com ela.",
            hint="Coloque de volta o arquivo da chave, ou informe OMIE_CONTROL_MASTER_KEY. "
            "Nenhuma chave nova foi criada.",
            code="chave_mestra_perdida",
        )
    _make(path)
    made = _read(path)
    if made is None:
        raise Conflict(f"A chave mestra não pôde ser gravada em {path}.", hint="Confira as permissões da pasta.")
    return made


def _read(path: Path) -> MasterKey | None:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise InvalidInput(
                    f"O arquivo da chave mestra pode ser lido por outros usuários: {path}.",
                    hint=f"Rode: chmod 600 {path}",
                    code="chave_mestra_exposta",
                )
            return MasterKey.from_text(file.read(1000).decode("ascii", "replace"))
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise InvalidInput(
            f"O arquivo da chave mestra não pode ser lido: {exc.strerror}.",
            hint=f"Confira o dono e as permissões de {path}.",
            code="chave_mestra_ilegivel",
        ) from exc


def _make(path: Path) -> None:
    """Write a fresh key so that it is whole on disk or not there at all; whoever comes second keeps the first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key_text(new_key()) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
