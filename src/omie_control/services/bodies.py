"""Bodies: sealing the clear form of what an execution took and gave, and opening it for whoever may."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.executions import Origin, id_of
from omie_control.domain.sealing import canonical, open_body, seal_body
from omie_control.errors import NotFound, StorageDown
from omie_control.postgres import bodies as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.rows import SealedBody
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.keys import Keys

INPUT_PART = 0
_SALT = "salt"
# What `clear_input` and `clear_end` write, with places for the columns.
_INPUT_SHAPE = b'{"input":%b}'
_END_SHAPE = b'{"input":%b,"request":%b,"response":%b,"salt":"' + b"0" * 32 + b'"}'


class Bodies:
    """Seals and reveals the clear bodies."""

    def __init__(self, postgres: Postgres, keys: Keys, access: Access) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access

    async def prepare(self, company: UUID | None, at: datetime) -> None:
        """Have the data key of a company and month in memory, so that `seal` need not wait."""
        if self._keys.data_key(company, at) is None:
            await self._keys.ensure(company, at)

    def seal(
        self,
        company: UUID | None,
        at: datetime,
        id: UUID,
        part: int,
        clear: bytes,
        documents: Iterable[str] = (),
        columns: Sequence[bytes | None] = (),
    ) -> SealedBody:
        """Seal one part of an execution.

        `clear`: of `clear_input` or `clear_end`, made of what is free of secrets (`Masked.clear`).
        `columns`: the masked ones (input, request, response) as canonical JSON, when nothing will ever change them.
        `documents`: the CPFs and CNPJs in it, kept as keyed hashes, so that an erasure finds the row.
        The key must be in memory: `prepare` first.
        """
        key = self._keys.data_key(company, at)
        if key is None:
            raise StorageDown("A chave dos corpos desta empresa ainda não foi carregada.")
        hashes = self._keys.hasher.document_hashes(dict.fromkeys(documents))
        sealed = seal_body(clear, key.key, _aad(id, part), *masked_forms(columns))
        return SealedBody(part, key.id, sealed, hashes)

    async def reveal(self, actor: Actor, execution_id: str, origin: Origin | None = None) -> dict[str, Any]:
        """Return the clear `input`, `request` and `response` of an execution, as far as they were masked.

        Audited before it is answered. Raises Forbidden; NotFound, also when nothing of it was sealed.
        """
        # Asked before anything is looked for, and again for the company that is found.
        await self._access.require(actor, Right.BODY_REVEAL, object_type="execution", object_id=execution_id)
        async with self._postgres.transaction() as connection:
            found = await store.execution(connection, execution_id, id_of(execution_id))
        if found is None or not actor.may_look_at(found.company_id, found.actor):
            raise NotFound(f"A execução {execution_id[:100]} não existe.")
        await self._access.require(
            actor, Right.BODY_REVEAL, found.company_id, object_type="execution", object_id=found.execution_id
        )
        async with self._postgres.transaction() as tx:
            parts = await store.parts(tx, found.id)
            await audit.append(
                tx,
                actor,
                "body.revealed",
                object_type="execution",
                object_id=found.execution_id,
                company_id=found.company_id,
                after={"parts": [part.part for part in parts]},
                origin=origin,
            )
        if not parts:
            raise NotFound(
                "Esta execução não guarda conteúdo cifrado.",
                hint="Nada nela foi mascarado, ou o prazo de guarda já terminou.",
            )
        return await self.opened(found, parts)

    async def opened(self, owner: store.Owner, parts: list[SealedBody]) -> dict[str, Any]:
        """Open sealed parts for a verb that has asked for its right and keeps its trace. Raises Conflict."""
        clear: dict[str, Any] = {}
        columns = [None if text is None else canonical(json.loads(text)) for text in owner.columns]
        for part in parts:
            key = await self._keys.by_id(part.key_id)
            forms = masked_forms(columns[:1] if part.part == INPUT_PART else columns)
            clear.update(open_body(part.sealed, key.key, _aad(owner.id, part.part), *forms))
        clear.pop(_SALT, None)
        return clear


def clear_input(input: Any) -> bytes:
    """Write the clear form of the first part of an execution."""
    return canonical({"input": input})


def clear_end(salt: bytes, input: Any, request: Any, response: Any) -> bytes:
    """Write the clear form of an execution that has ended; `salt` is 16 bytes."""
    return canonical({_SALT: salt.hex(), "input": input, "request": request, "response": response})


def masked_forms(columns: Sequence[bytes | None]) -> tuple[bytes, bytes]:
    """Return the masked columns joined, and in the shape of the clear form: `clear_input` or `clear_end`."""
    if not columns:
        return b"", b""
    shape = _INPUT_SHAPE if len(columns) == 1 else _END_SHAPE
    return b"\n".join([column or b"" for column in columns]), shape % tuple([column or b"null" for column in columns])


def _aad(id: UUID, part: int) -> bytes:
    return b"execution_bodies/" + id.bytes + bytes((part,))
