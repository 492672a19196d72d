"""The inbox of webhooks: what Omie posts is committed before it is acknowledged, and applied afterwards.

Omie brings an event at least once, in order, and again until it hears 200. An event changes nothing here but what
is remembered of Omie's answers: it is a hint that they are old, and whoever asks next asks Omie.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Origin, uuid7
from omie_control.domain.masking import json_text, mask
from omie_control.domain.sealing import canonical, seal_body
from omie_control.domain.webhooks import GIVE_UP_AFTER, EventStatus, WebhookAddress
from omie_control.errors import ControlError, Forbidden
from omie_control.omie.webhooks import Notice, read_notice, services_of
from omie_control.postgres import webhooks as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.postgres.webhooks import NewEvent, Waiting
from omie_control.services.answers import Answers
from omie_control.services.audit_samples import Samples
from omie_control.services.companies import Companies
from omie_control.services.guesses import Guesses
from omie_control.services.keys import Keys
from omie_control.services.webhook_bodies import beside, place_of
from omie_control.services.webhooks import SECRET, hash_of
from omie_control.telemetry import Event, tell

# Whoever posts is nobody that we know: the secret in the address says only which company it is about.
_OMIE = Actor(ActorKind.SYSTEM, "omie-webhook", Role.VIEWER)
_BATCH = 500
_REST_SECONDS = 1.0
_GOOD_MAX = 1024
_ORIGIN_MAX, _AUTHOR_MAX = 100, 200
_CACHE_AWAY = "O Valkey está fora do ar: as respostas guardadas ainda não sabem deste evento."
_GIVEN_UP = "Desistiu depois de 24 horas sem o Valkey; nenhuma resposta guardada dura mais do que isso."


@dataclass(frozen=True, slots=True)
class Taken:
    """What was acknowledged. `id` None: a ping. Not `is_new`: it had come before."""

    id: UUID | None
    is_new: bool


class WebhookInbox:
    """Takes what is posted, and applies what was taken."""

    def __init__(self, postgres: Postgres, keys: Keys, companies: Companies, answers: Answers) -> None:
        self._postgres = postgres
        self._keys = keys
        self._companies = companies
        self._answers = answers
        self._samples = Samples(postgres)
        self._guesses = Guesses()
        # Secrets that have held: their bearer is not slowed down by others who guess from the same address.
        self._good: OrderedDict[bytes, None] = OrderedDict()

    async def admit(self, secret: str, origin: Origin) -> WebhookAddress | None:
        """Return the address that a secret opens, or None; before anything of the body is read.

        Raises StorageDown when nobody can tell, Overloaded for somebody who has guessed too often.
        """
        digest = hash_of(secret) if SECRET.fullmatch(secret) else None
        found = None
        if digest is not None:
            if digest not in self._good:
                self._guesses.require_patience(origin.ip_address)
            async with self._postgres.transaction() as connection:
                found = await store.address_by_hash(connection, digest)
        if digest is None or found is None:
            self._guesses.count(origin.ip_address)
            await self._samples.refused(
                "unknown",
                _OMIE,
                "webhook.refused",
                object_type="webhook_address",
                detail="Endereço desconhecido.",
                origin=origin,
            )
            return None
        self._good[digest] = None
        self._good.move_to_end(digest)
        while len(self._good) > _GOOD_MAX:
            self._good.popitem(last=False)
        return found

    async def take(self, address: WebhookAddress, body: bytes, origin: Origin) -> Taken:
        """Commit what was posted to an address; when this returns, it is never lost.

        Raises InvalidInput for what is no event, Forbidden for one of another application, StorageDown.
        """
        notice = read_notice(body)
        if notice is None:
            async with self._postgres.transaction() as tx:
                await store.note_ping(tx, address.id)
            tell(Event.WEBHOOK_RECEIVED, address=address.prefix, topic="ping", is_new=True)
            return Taken(None, is_new=True)
        if not await self._companies.has_app_key(address.company_id, notice.app_key):
            raise await self._foreign(address, origin)
        event = await self._event(address, notice, body)
        async with self._postgres.transaction() as tx:
            id, is_new = await store.add_event(tx, event)
        tell(Event.WEBHOOK_RECEIVED, address=address.prefix, topic=event.topic, is_new=is_new)
        return Taken(id, is_new)

    async def apply(self) -> int:
        """Apply everything that waits and for which nobody else works; returns how many events are done with.

        Any number may do so at once: a company's events are applied by one at a time, in the order they came in.
        """
        count = 0
        while done := await self._apply_batch():
            count += done
        return count

    async def apply_quietly(self) -> None:
        """Apply what waits, right after it was acknowledged; what fails is the worker's next turn."""
        with contextlib.suppress(ControlError):
            await self.apply()

    def dedupe_of(self, company: UUID, message_id: str) -> bytes:
        """Return what makes a message one with its repeats."""
        return self._keys.hasher.digest(f"webhook message {company} {message_id}")

    async def _foreign(self, address: WebhookAddress, origin: Origin) -> Forbidden:
        await self._samples.refused(
            (address.id, "app_key"),
            _OMIE,
            "webhook.refused",
            object_type="webhook_address",
            object_id=address.prefix,
            company=address.company_id,
            detail="O evento é de outro aplicativo do Omie: o appKey não é o desta empresa.",
            origin=origin,
        )
        return Forbidden(
            "Este endereço não é o deste aplicativo.", hint="Confira qual endereço foi dado a qual empresa."
        )

    async def _event(self, address: WebhookAddress, notice: Notice, body: bytes) -> NewEvent:
        company, now = address.company_id, datetime.now(UTC)
        dedupe = (
            self._keys.hasher.digest(f"webhook body {company} {hashlib.sha256(body).hexdigest()}")
            if notice.message_id is None
            else self.dedupe_of(company, notice.message_id)
        )
        masked = mask(dict(notice.payload))
        shown = {"id": notice.message_id, "topic": notice.topic, "origin": notice.payload.get("origin")}
        texts = {name: _text(value) for name, value in mask(shown).value.items()}
        text = json_text(masked.value)
        event = NewEvent(
            id=uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
            company_id=company,
            address_id=address.id,
            dedupe=dedupe,
            message_id=texts["id"],
            topic=texts["topic"] or "",
            origin=None if texts["origin"] is None else texts["origin"][:_ORIGIN_MAX],
            author=_author(masked.value),
            body=text,
        )
        return await self._sealed(event, canonical(masked.clear), masked.documents, now) if masked.is_masked else event

    async def _sealed(self, event: NewEvent, clear: bytes, documents: Sequence[str], now: datetime) -> NewEvent:
        key = await self._keys.ensure(event.company_id, now)
        masked = beside(event.body)
        sealed = seal_body(clear, key.key, place_of(event.company_id, event.dedupe), masked, masked)
        hashes = self._keys.hasher.document_hashes(dict.fromkeys(documents))
        return replace(event, sealed=sealed, key_id=key.id, hashes=hashes)

    async def _apply_batch(self) -> int:
        async with self._postgres.transaction() as tx:
            company = await store.next_company(tx, _REST_SECONDS)
            if company is None:
                return 0
            events = await store.waiting(tx, company, _BATCH)
            known = [event for event in events if services_of(event.topic) is not None]
            unknown = [event.id for event in events if services_of(event.topic) is None]
            await store.settle(tx, unknown, EventStatus.IGNORED)
            services = dict.fromkeys(path for event in known for path in services_of(event.topic) or ())
            if await self._answers.changed(company, services):
                await store.settle(tx, [event.id for event in known], EventStatus.APPLIED)
                left = 0
            else:
                left = await self._not_heard(tx, known)
        tell(
            Event.WEBHOOKS_APPLIED if not left else Event.WEBHOOKS_UNAPPLIED,
            company=str(company),
            count=len(events) - left,
            left=left,
        )
        return 0 if left else len(events)

    async def _not_heard(self, tx: Connection, events: Sequence[Waiting]) -> int:
        """Write down that the cache could not be told; returns how many events are tried again."""
        old = [event.id for event in events if event.age > GIVE_UP_AFTER]
        again = [event.id for event in events if event.age <= GIVE_UP_AFTER]
        await store.note_failure(tx, old, EventStatus.FAILED, _GIVEN_UP)
        await store.note_failure(tx, again, EventStatus.RECEIVED, _CACHE_AWAY)
        return len(again)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:200]


def _author(envelope: Any) -> str | None:
    """Return who acted in Omie, as it may be shown: the masked e-mail, else the name."""
    author = envelope.get("author") if isinstance(envelope, dict) else None
    if not isinstance(author, dict):
        return None
    said = author.get("email") or author.get("name")
    return said[:_AUTHOR_MAX] if isinstance(said, str) and said else None
