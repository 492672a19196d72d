"""The audit taken along: a signed file of the seals of a span and of the records they are over."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from omie_control.domain import audit_file as form
from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.sealed_records import Record
from omie_control.domain.seals import FOLLOWING, Kind, Leaf, Seal, State, unpack
from omie_control.domain.system_faults import reason_of
from omie_control.errors import Conflict, InvalidInput, NotFound
from omie_control.postgres import sealed_rows
from omie_control.postgres import seals as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.seals_chain import Retired
from omie_control.services.seals_keys import SealKeys

_SEALS_AT_ONCE = 4
_READ_AT_ONCE = 1000


@dataclass(slots=True)
class Exported:
    """What was written."""

    file: str
    seals: int = 0
    records: int = 0
    bytes: int = 0
    key_id: str = ""


class AuditExport:
    """The verb that writes such files."""

    def __init__(self, postgres: Postgres, keys: SealKeys, access: Access) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access

    async def public_key(self, actor: Actor) -> tuple[str, str]:
        """Return the name of the key that signs now, and the key as 64 hexadecimal digits."""
        await self._access.require(actor, Right.AUDIT_READ)
        key = await self._keys.signing()
        return key.id, key.public.hex()

    async def write(self, actor: Actor, since: datetime, until: datetime, path: Path) -> Exported:
        """Write everything that was sealed from one instant up to another into a new file that only its owner reads.

        Raises Forbidden; InvalidInput for a span or a file that cannot be; NotFound when nothing was sealed then.
        """
        await self._access.require(actor, Right.AUDIT_READ, object_type="audit_file", object_id=path.name)
        if since >= until:
            raise InvalidInput("O início do período precisa vir antes do fim.")
        async with self._postgres.transaction() as tx:
            first, last = await store.last_before(tx, since), await store.last_until(tx, until)
        if last <= first:
            raise NotFound("Nada foi selado nesse período.", hint="Confira as datas; elas são as do selo.")
        made = Exported(str(path))
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with _new_file(path, draft) as file:
                content = hashlib.sha256()
                async for line in self._lines(actor, since, until, first, last, made):
                    file.write(line)
                    content.update(line)
                key = await self._keys.signing()
                made.key_id = key.id
                file.write(form.end_line(content.digest(), key.id, key.sign(form.end_digest(content.digest()))))
                file.flush()
                os.fsync(file.fileno())
                made.bytes = file.tell()
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
        async with self._postgres.transaction() as tx:
            facts = {"from": since.isoformat(), "to": until.isoformat(), "seals": made.seals, "records": made.records}
            await audit.append(tx, actor, "audit.exported", object_type="audit_file", object_id=path.name, after=facts)
        return made

    async def _lines(
        self, actor: Actor, since: datetime, until: datetime, first: int, last: int, made: Exported
    ) -> AsyncIterator[bytes]:
        retired = Retired()
        async with self._postgres.transaction() as tx:
            ours, _ = await self._keys.believed(tx)
            retired.learn(await store.noted(tx), ours)
        facts = {
            "from": since.isoformat(),
            "to": until.isoformat(),
            "made_at": datetime.now(UTC).isoformat(),
            "by": actor.label,
        }
        yield form.head_line(facts, {id: key.public for id, key in ours.items()})
        sequence = first
        while sequence < last:
            async with self._postgres.transaction() as tx:
                await sealed_rows.pin(tx)
                some = [seal for seal in await store.after(tx, sequence, _SEALS_AT_ONCE) if seal.sequence <= last]
                for seal in some:
                    async for line in self._of_seal(tx, seal, retired, made):
                        yield line
            sequence = some[-1].sequence if some else last

    async def _of_seal(self, tx: Connection, seal: Seal, retired: Retired, made: Exported) -> AsyncIterator[bytes]:
        try:
            yield form.seal_line(seal)
            leaves = [leaf for leaf in unpack(seal.leaves) if leaf.kind is not Kind.CONTENT]
        except ValueError as exc:
            raise Conflict(
                f"O selo {seal.sequence} foi alterado e não pode ser exportado.",
                hint="Rode: omie-control audit verify.",
            ) from exc
        made.seals += 1
        for at in range(0, len(leaves), _READ_AT_ONCE):
            some = leaves[at : at + _READ_AT_ONCE]
            for kind in (Kind.EXECUTION, Kind.EVENT):
                those = [leaf for leaf in some if leaf.kind is kind]
                found = await sealed_rows.read(tx, kind, [leaf.id for leaf in those])
                for leaf in those:
                    made.records += 1
                    yield _record_line(leaf, found.get(leaf.id), retired)


def _record_line(leaf: Leaf, record: Record | None, retired: Retired) -> bytes:
    if record is None:
        table = "audit_events" if leaf.kind is Kind.EVENT else "process_executions"
        is_by_right = retired.holds(table, leaf.id)
        why = form.RETIRED if is_by_right else form.MISSING if leaf.state is State.MISSING else form.REMOVED
        return form.absent_line(leaf, why)
    if record.hash != leaf.hash and leaf.state in FOLLOWING:
        return form.absent_line(leaf, form.SUPERSEDED)
    return form.record_line(record)


def _new_file(path: Path, draft: Path) -> BinaryIO:
    if path.exists():
        raise InvalidInput(f"O arquivo {path} já existe.", hint="Escolha outro nome; nada é sobrescrito.")
    try:
        return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as exc:
        raise InvalidInput(f"O arquivo {path} não pode ser escrito: {reason_of(exc)}.") from exc
