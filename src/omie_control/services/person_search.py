"""The search for people in what is sealed: by keyed hash first, then opened to make sure.

There is no index of people, on purpose: everything is looked through, a bounded batch at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from omie_control.domain.erasures import PersonMark, documents_in, places_of
from omie_control.errors import Conflict
from omie_control.postgres import bodies as body_store
from omie_control.postgres import erasures as store
from omie_control.postgres import webhooks as webhook_store
from omie_control.postgres.database import Postgres
from omie_control.postgres.erasures import BodyOwner, SealedWrite
from omie_control.postgres.webhooks import SealedEvent
from omie_control.services.bodies import Bodies
from omie_control.services.keys import Keys
from omie_control.services.webhook_bodies import open_event
from omie_control.services.write_keys import open_part

_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class FoundBody:
    """An execution whose sealed bodies hold people. `owner` None: its row is gone. Not `is_open`: only hashes tell."""

    id: UUID
    owner: BodyOwner | None
    people: tuple[PersonMark, ...]
    places: tuple[str, ...] = ()
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class FoundWrite:
    """An idempotency key whose sealed parts hold people, with the parts as they were opened."""

    row: SealedWrite
    people: tuple[PersonMark, ...]
    parts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event of a webhook whose sealed form holds people. Not `is_open`: only its hashes tell."""

    event: SealedEvent
    people: tuple[PersonMark, ...]
    places: tuple[str, ...] = ()
    is_open: bool = True

    @property
    def id(self) -> UUID:
        """The event's own."""
        return self.event.id


class PersonSearch:
    """Looks through the sealed bodies, the writes' keys and the events of webhooks."""

    def __init__(self, postgres: Postgres, keys: Keys, bodies: Bodies) -> None:
        self._postgres = postgres
        self._keys = keys
        self._bodies = bodies

    def mark(self, document: str) -> PersonMark:
        """Hash a document given in its bare form."""
        return PersonMark.of(self._keys.hasher, document)

    async def in_bodies(
        self, people: Sequence[PersonMark], *, before: datetime, since: datetime | None = None, places: bool = False
    ) -> AsyncIterator[FoundBody]:
        """Give each execution of the span whose bodies hold one of these people, the oldest first."""
        first = _FIRST if since is None else _edge(since)
        last: UUID | None = None
        async for batch in store.scan(self._postgres, people, first, _edge(before)):
            for id, hashes in batch:
                hit = tuple(person for person in people if person.is_among(hashes))
                if not hit or id == last:
                    continue
                found = await self._looked_into(id, hit, places=places)
                if found is not None:
                    # Of several parts of one execution the first that hits stands for all: they are opened together.
                    last = id
                    yield found

    async def _looked_into(self, id: UUID, hit: tuple[PersonMark, ...], *, places: bool) -> FoundBody | None:
        async with self._postgres.transaction() as connection:
            owner = (await store.owners(connection, [id])).get(id)
            row = None if owner is None else await body_store.execution(connection, owner.execution_id, id)
            parts = await body_store.parts(connection, id)
        if row is None:
            return FoundBody(id, None, hit, is_open=False)
        people, named, is_open = set[PersonMark](), list[str](), True
        for part in parts:
            try:
                clear = await self._bodies.opened(row, [part])
            except Conflict:
                # What does not open any more is taken at its hashes' word: they are wrong once in 10^19.
                people.update(person for person in hit if person.is_among(part.document_hashes))
                is_open = False
                continue
            inside = {self.mark(document) for document in documents_in(clear)}
            people.update(inside.intersection(hit))
            if places:
                named += [path for person in hit for path in places_of(clear, self._keys.hasher, person)]
        if not people:
            return None
        return FoundBody(id, owner, tuple(p for p in hit if p in people), tuple(dict.fromkeys(named)), is_open)

    async def in_writes(self, people: Sequence[PersonMark], *, before: datetime) -> AsyncIterator[FoundWrite]:
        """Give each write's key, claimed before an instant, whose sealed parts hold one of these people."""
        wanted = set(people)
        async for batch in store.writes(self._postgres):
            for row in batch:
                if row.claimed_at >= before:
                    continue
                parts = await self._parts(row)
                inside = {self.mark(document) for document in documents_in(parts)}
                if hit := inside & wanted:
                    yield FoundWrite(row, tuple(hit), parts)

    async def in_events(
        self, people: Sequence[PersonMark], *, before: datetime, places: bool = False
    ) -> AsyncIterator[FoundEvent]:
        """Give each event received before an instant whose sealed form holds one of these people."""
        async for batch in webhook_store.scan(self._postgres, people, before):
            for event in batch:
                hit = tuple(person for person in people if person.is_among(event.document_hashes))
                found = await self._looked_into_event(event, hit, places=places) if hit else None
                if found is not None:
                    yield found

    async def _looked_into_event(
        self, event: SealedEvent, hit: tuple[PersonMark, ...], *, places: bool
    ) -> FoundEvent | None:
        try:
            clear = {"body": await open_event(self._keys, event)}
        except Conflict:
            return FoundEvent(event, hit, is_open=False)
        inside = {self.mark(document) for document in documents_in(clear)}
        people = tuple(person for person in hit if person in inside)
        if not people:
            return None
        named = [path for person in people for path in places_of(clear, self._keys.hasher, person)] if places else []
        return FoundEvent(event, people, tuple(dict.fromkeys(named)))

    async def _parts(self, row: SealedWrite) -> dict[str, Any]:
        """Open what a key keeps; a part that does not open is nobody's to read any more, and goes with its expiry."""
        sealed = {"request": row.request, "before": row.before, "answer": row.answer}
        parts: dict[str, Any] = {}
        for name, each in sealed.items():
            if each is None:
                continue
            try:
                key = await self._keys.by_id(row.key_id)
                parts[name] = open_part(key.key, each, row.scope, name)
            except Conflict:
                continue
        return parts


def _edge(at: datetime) -> UUID:
    """Return where an instant begins among ids: what was recorded before it has smaller ones."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
