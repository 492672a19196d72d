"""Erasures: what is held about one person, deleted for good; and deleted again after a restore.

The sealed bodies and events that hold the person go; the writes' keys keep only their masked form, so that a repeat is
still recognised; kept answers in Valkey go. Executions and their masked columns stay: the audit's seals are over them.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from omie_control.domain.access import Right
from omie_control.domain.actors import SYSTEM, Actor
from omie_control.domain.erasures import UNFINISHED, Erasure, Hold, bare_document
from omie_control.domain.executions import uuid7, uuid7_instant
from omie_control.domain.masking import mask
from omie_control.domain.sealing import seal
from omie_control.errors import Conflict
from omie_control.postgres import bodies as body_store
from omie_control.postgres import erasures as store
from omie_control.postgres import legal_holds as hold_store
from omie_control.postgres import webhooks as webhook_store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.erasure_list import ErasureList
from omie_control.services.keys import Keys
from omie_control.services.legal_holds import plain_reason
from omie_control.services.person_search import FoundBody, FoundEvent, FoundWrite, PersonSearch
from omie_control.services.write_keys import aad, as_bytes
from omie_control.valkey.purges import PurgeFailed, purge

if TYPE_CHECKING:
    from redis.asyncio import Redis

_BATCH = 500
# How long before an erasure an execution may have begun that was still running then.
_STRAGGLERS = timedelta(days=7)
_ALL_COMPANIES = "Este acesso não inclui todas as empresas: informe uma das suas."


@dataclass(frozen=True, slots=True)
class Report:
    """What is held about one person: executions by their bodies, writes by their keys, webhooks' events by theirs.

    `person` is a hash.
    """

    person: str
    executions: Sequence[FoundBody]
    writes: Sequence[FoundWrite]
    events: Sequence[FoundEvent]
    holds: Sequence[Hold]


@dataclass(frozen=True, slots=True)
class Erased:
    """What one run took away. `left`: how many are still needed or held; they go with a later run."""

    erasures: int
    executions: int
    writes: int
    events: int
    left: int
    has_forgotten_answers: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What a run has to take away, with the erasures that ask for it."""

    bodies: Sequence[tuple[FoundBody, frozenset[UUID]]]
    writes: Sequence[tuple[FoundWrite, frozenset[UUID]]]
    events: Sequence[tuple[FoundEvent, frozenset[UUID]]]


class Erasures:
    """The verbs about one person's data."""

    def __init__(
        self,
        postgres: Postgres,
        keys: Keys,
        access: Access,
        search: PersonSearch,
        list_: ErasureList,
        redis: Redis,
    ) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access
        self._search = search
        self._list = list_
        self._redis = redis

    async def report(self, actor: Actor, document: str, company: UUID | None = None) -> Report:
        """Say what is held about a CPF or CNPJ in the companies that the actor sees. Audited."""
        bare = bare_document(document)
        await self._access.require(actor, Right.PERSON_REPORT, company, object_type="person")
        person, now = self._search.mark(bare), _now()

        def is_asked(of: UUID | None) -> bool:
            return actor.may_see(of) and (company is None or of == company)

        bodies = [
            found
            async for found in self._search.in_bodies([person], before=now, places=True)
            if found.owner is not None and is_asked(found.owner.company_id)
        ]
        writes = [
            found async for found in self._search.in_writes([person], before=now) if is_asked(found.row.company_id)
        ]
        events = [
            found
            async for found in self._search.in_events([person], before=now, places=True)
            if is_asked(found.event.company_id)
        ]
        holds = [hold for hold in await self._holds() if hold.person == person and actor.may_see(hold.company_id)]
        async with self._postgres.transaction() as tx:
            await audit.append(
                tx,
                actor,
                "person.reported",
                object_type="person",
                object_id=person.name,
                company_id=company,
                after={"executions": len(bodies), "writes": len(writes), "events": len(events)},
            )
        return Report(person.name, bodies, writes, events, holds)

    async def list(self, actor: Actor) -> Sequence[Erasure]:
        """Return every erasure of the companies that the actor sees, the newest first; whom, only by hash."""
        await self._access.require(actor, Right.AUDIT_READ)
        async with self._postgres.reading() as connection:
            return [each for each in await store.everything(connection) if actor.may_see(each.company_id)]

    async def erase(self, actor: Actor, document: str, reason: str, company: UUID | None = None) -> Erased:
        """Erase a person, of one company or of all; what is recorded from now on is not touched.

        Raises Conflict while a legal hold keeps any of it, and takes nothing away then; InvalidInput, Forbidden.
        """
        bare, why = bare_document(document), plain_reason(reason)
        await self._access.require(actor, Right.PERSON_ERASE, company, object_type="person")
        if company is None and actor.companies is not None:
            raise await self._access.refused(actor, Right.PERSON_ERASE, _ALL_COMPANIES, None, "person")
        person = self._search.mark(bare)
        erasure = Erasure(uuid7(_ms(), os.urandom(10)), person, company, why, actor.label, _now())
        found = await self._found([erasure])
        held = _holding(await self._holds(), erasure, found)
        if held is not None:
            raise await self._held(actor, erasure, held)
        # On disk before anything goes: an erasure that is begun is finished, whatever stops this process.
        await asyncio.to_thread(self._list.add, [erasure])
        async with self._postgres.transaction() as tx:
            await store.request(tx, erasure)
        return await self._apply(actor, "person.erased", [erasure], found)

    async def reapply(self, actor: Actor = SYSTEM, *, whole: bool = True) -> Erased:
        """Erase again what a restore has brought back, and what was still needed the last time.

        Not `whole`: only erasures that are new to this database or not done, and what ended since the recent ones.
        """
        await self._access.require(actor, Right.PERSON_ERASE)
        kept = await asyncio.to_thread(self._list.read)
        async with self._postgres.transaction() as tx:
            for each in kept.values():
                await store.request(tx, each)
            known = await store.everything(tx)
        missing = [each for each in known if each.id not in kept]
        if missing:
            await asyncio.to_thread(self._list.add, missing)
        due = [each for each in known if whole or each.applied_at is None]
        recent = [each for each in known if each not in due and each.requested_at > _now() - _STRAGGLERS]
        found = await self._found(due)
        late = await self._found(recent, since=_now() - 2 * _STRAGGLERS)
        both = _Found([*found.bodies, *late.bodies], [*found.writes, *late.writes], [*found.events, *late.events])
        return await self._apply(actor, "person.restored_erased", [*due, *recent], both)

    async def _found(self, erasures: Sequence[Erasure], since: datetime | None = None) -> _Found:
        if not erasures:
            return _Found((), (), ())
        people = list(dict.fromkeys(erasure.person for erasure in erasures))
        # Ids count in milliseconds; which erasure reaches what is told by the instant.
        before = max(erasure.requested_at for erasure in erasures) + timedelta(milliseconds=1)
        return _Found(
            await _asked_for(erasures, self._search.in_bodies(people, before=before, since=since)),
            await _asked_for(erasures, self._search.in_writes(people, before=before)),
            await _asked_for(erasures, self._search.in_events(people, before=before)),
        )

    async def _apply(self, actor: Actor, action: str, erasures: Sequence[Erasure], found: _Found) -> Erased:
        by_id = {erasure.id: erasure for erasure in erasures}
        gone, masked, brought, left = Counter[UUID](), Counter[UUID](), Counter[UUID](), Counter[UUID]()
        writes = 0
        executions = await self._take(found.bodies, by_id, gone, left, body_store.erase)
        for write, asked_by in found.writes:
            is_gone = await self._take_write(write, asked_by, by_id)
            (masked if is_gone else left).update(asked_by)
            writes += is_gone
        # Applying an event needs none of its sealed form.
        events = await self._take(found.events, by_id, brought, left, webhook_store.erase)
        taken = gone + masked + brought
        companies = {erasure.company_id for erasure in erasures if taken[erasure.id]}
        has_forgotten = await self._forget(companies)
        async with self._postgres.transaction() as tx:
            for each in erasures:
                done = left[each.id] == 0
                counts = {"executions": gone[each.id], "writes": masked[each.id], "events": brought[each.id]}
                await store.note(tx, each.id, **counts, is_done=done)
                if action == "person.erased" or taken[each.id]:
                    await self._note(tx, actor, action, each, **counts, left=left[each.id])
        return Erased(len(erasures), executions, writes, events, sum(left.values()), has_forgotten)

    async def _take(
        self,
        found: Sequence[_Asked],
        by_id: Mapping[UUID, Erasure],
        gone: Counter[UUID],
        left: Counter[UUID],
        erase: _Erase,
    ) -> int:
        """Delete the sealed form of what nothing keeps, in batches of one transaction each; returns of how many."""
        count = 0
        for start in range(0, len(found), _BATCH):
            async with self._postgres.transaction() as tx:
                await hold_store.lock_erasing(tx)
                holds = await hold_store.everything(tx, live_only=True)
                ids = []
                for each, asked_by in found[start : start + _BATCH]:
                    if _is_needed(each) or any(_holds(hold, by_id[id], each) for hold in holds for id in asked_by):
                        left.update(asked_by)
                    else:
                        ids.append(each.id)
                        gone.update(asked_by)
                await erase(tx, ids)
            count += len(ids)
        return count

    async def _take_write(self, write: FoundWrite, asked_by: frozenset[UUID], by_id: dict[UUID, Erasure]) -> bool:
        """Leave of a write's key only the masked form. False: it is still needed, held, or has just changed."""
        row = write.row
        if not row.is_settled or "request" not in write.parts:
            return False
        key = await self._keys.by_id(row.key_id)
        sealed = {
            name: seal(key.key, as_bytes(mask(value).value), aad(row.scope, name))
            for name, value in write.parts.items()
        }
        async with self._postgres.transaction() as tx:
            await hold_store.lock_erasing(tx)
            holds = await hold_store.everything(tx, live_only=True)
            if any(_holds(hold, by_id[id], write) for hold in holds for id in asked_by):
                return False
            return await store.mask_write(
                tx, row, sealed["request"], sealed.get("before", row.before), sealed.get("answer", row.answer)
            )

    async def _forget(self, companies: set[UUID | None]) -> bool:
        """Delete what Valkey keeps of Omie's answers. False: it is away, and each goes when its time is over."""
        try:
            for company in {None} if None in companies else companies:
                await purge(self._redis, None if company is None else str(company))
        except PurgeFailed:
            return False
        return True

    async def _holds(self) -> Sequence[Hold]:
        async with self._postgres.transaction() as connection:
            return await hold_store.everything(connection, live_only=True)

    async def _held(self, actor: Actor, erasure: Erasure, hold: Hold) -> Conflict:
        """Keep a refusal and return the error to raise."""
        said = f"Há uma retenção legal sobre estes dados, de {hold.set_by}: {hold.reason}"
        async with self._postgres.transaction() as tx:
            await audit.append(
                tx,
                actor,
                "person.erased",
                outcome="refused",
                object_type="person",
                object_id=erasure.person.name,
                company_id=erasure.company_id,
                detail=f"{said} ({hold.id})",
            )
        return Conflict(
            f"Nada foi apagado. {said}",
            hint=f"Se a retenção não vale mais, libere-a (hold lift {hold.id}) e repita.",
            code="retencao_legal",
        )

    async def _note(self, tx: Connection, actor: Actor, action: str, erasure: Erasure, **counts: int) -> None:
        await audit.append(
            tx,
            actor,
            action,
            object_type="person",
            object_id=erasure.person.name,
            company_id=erasure.company_id,
            after={"erasure": erasure.id, **counts},
            detail=erasure.reason,
        )


_Holding = FoundBody | FoundWrite | FoundEvent
# What goes with its sealed form, beside the erasures that ask for it; and who deletes it, of one kind.
_Asked = tuple[FoundBody | FoundEvent, frozenset[UUID]]
_Erase = Callable[[Connection, Sequence[UUID]], Awaitable[int]]
_Kind = TypeVar("_Kind", FoundBody, FoundWrite, FoundEvent)


async def _asked_for(erasures: Sequence[Erasure], found: AsyncIterator[_Kind]) -> list[tuple[_Kind, frozenset[UUID]]]:
    """Put beside each the erasures that reach it; what none reaches is left out."""
    pairs = [
        (each, frozenset(e.id for e in erasures if e.person in each.people and _reaches(e, each)))
        async for each in found
    ]
    return [pair for pair in pairs if pair[1]]


def _is_needed(found: FoundBody | FoundEvent) -> bool:
    """Say whether an execution is not over yet that needs its bodies."""
    return isinstance(found, FoundBody) and found.owner is not None and found.owner.status in UNFINISHED


def _company_and_instant(found: _Holding) -> tuple[UUID | None, datetime]:
    if isinstance(found, FoundEvent):
        return found.event.company_id, found.event.received_at
    if isinstance(found, FoundWrite):
        return found.row.company_id, found.row.claimed_at
    if found.owner is None:
        return None, uuid7_instant(found.id)
    return found.owner.company_id, found.owner.started_at


def _reaches(erasure: Erasure, found: _Holding) -> bool:
    return erasure.reaches(*_company_and_instant(found))


def _holds(hold: Hold, erasure: Erasure, found: _Holding) -> bool:
    return hold.covers(erasure.person, *_company_and_instant(found))


def _holding(holds: Sequence[Hold], erasure: Erasure, found: _Found) -> Hold | None:
    """Return a hold that keeps the person, or any of what was found of them."""
    for hold in holds:
        is_of_person = hold.person == erasure.person and hold.since is None and hold.until is None
        if is_of_person and hold.company_id in (None, erasure.company_id):
            return hold
        keeps_body = any(_holds(hold, erasure, body) for body, _ in found.bodies)
        keeps_event = any(_holds(hold, erasure, event) for event, _ in found.events)
        if keeps_body or keeps_event or any(_holds(hold, erasure, write) for write, _ in found.writes):
            return hold
    return None


def _now() -> datetime:
    return datetime.now(UTC)


def _ms() -> int:
    return int(_now().timestamp() * 1000)
