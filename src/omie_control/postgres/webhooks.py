"""Addresses of webhooks and the inbox of what came to them, as they lie in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from omie_control.domain.erasures import PersonMark
from omie_control.domain.webhooks import EventStatus, Standing, TopicCount, WebhookAddress, WebhookEvent
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection, queries

_sql = queries("webhooks")
SCAN_BATCH = 10_000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as it is put into the inbox: `body` is its masked form as JSON, `sealed` the clear one, if any."""

    id: UUID
    company_id: UUID
    address_id: UUID
    dedupe: bytes
    message_id: str | None
    topic: str
    origin: str | None
    author: str | None
    body: str
    sealed: bytes | None = None
    key_id: UUID | None = None
    hashes: bytes | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is to be applied, and how long ago it came."""

    id: UUID
    topic: str
    age: timedelta


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event whose clear form is kept, sealed under the data key `key_id` beside its masked form `body`."""

    id: UUID
    company_id: UUID
    dedupe: bytes
    topic: str
    received_at: datetime
    body: str
    sealed: bytes
    key_id: UUID
    document_hashes: bytes


async def add_address(
    connection: Connection,
    *,
    id: UUID,
    company: UUID,
    prefix: str,
    secret_hash: bytes,
    by: str,
    is_trial: bool = False,
    expires_at: datetime | None = None,
) -> WebhookAddress:
    """Add an address."""
    row = await _sql.add_address.one(
        connection,
        id=id,
        company_id=company,
        prefix=prefix,
        secret_hash=secret_hash,
        is_trial=is_trial,
        by=by,
        expires_at=expires_at,
    )
    assert row is not None, "an insert without conflict clause returns its row"
    return WebhookAddress(**row)


async def lock_company(connection: Connection, company: UUID) -> None:
    """Be the only one who changes a company's addresses, until the transaction ends."""
    await _sql.lock_company.run(connection, company_id=company)


async def addresses(connection: Connection, company: UUID) -> list[WebhookAddress]:
    """Return the addresses that Omie may have, the newest first."""
    return [WebhookAddress(**row) for row in await _sql.addresses.fetch(connection, company_id=company)]


async def address_by_hash(connection: Connection, secret_hash: bytes) -> WebhookAddress | None:
    """Return the address of this hash, while it holds and its company is active."""
    row = await _sql.address_by_hash.one(connection, secret_hash=secret_hash)
    return None if row is None else WebhookAddress(**row)


async def address_by_prefix(connection: Connection, prefix: str) -> WebhookAddress | None:
    """Return the address of this prefix, held until the transaction ends."""
    row = await _sql.address_by_prefix.one(connection, prefix=prefix)
    return None if row is None else WebhookAddress(**row)


async def expire_others(connection: Connection, kept: WebhookAddress, expires_at: datetime) -> list[str]:
    """Let the other addresses of a company end at an instant at the latest; returns their prefixes."""
    rows = await _sql.expire_others.fetch(connection, company_id=kept.company_id, id=kept.id, expires_at=expires_at)
    return [row["prefix"] for row in rows]


async def revoke_address(connection: Connection, id: UUID) -> WebhookAddress | None:
    """End an address at once; None when it had ended."""
    row = await _sql.revoke_address.one(connection, id=id)
    return None if row is None else WebhookAddress(**row)


async def note_ping(connection: Connection, id: UUID) -> None:
    """Keep that Omie's ping has come to an address."""
    await _sql.note_ping.run(connection, id=id)


async def add_event(connection: Connection, event: NewEvent) -> tuple[UUID, bool]:
    """Put an event into the inbox; returns its id and whether it is new. One that came again is only counted."""
    row = await _sql.add_event.one(
        connection,
        id=event.id,
        company_id=event.company_id,
        address_id=event.address_id,
        dedupe=event.dedupe,
        message_id=event.message_id,
        topic=event.topic,
        origin=event.origin,
        author=event.author,
        body=event.body,
        sealed=event.sealed,
        key_id=event.key_id,
        hashes=event.hashes,
    )
    assert row is not None, "either way there is a row"
    return row["id"], row["deliveries"] == 1


async def next_company(connection: Connection, rest_seconds: float) -> UUID | None:
    """Return a company with waiting events and work for it alone, until the transaction ends."""
    id: UUID | None = await _sql.next_company.value(connection, rest_seconds=rest_seconds)
    return id


async def waiting(connection: Connection, company: UUID, limit: int) -> list[Waiting]:
    """Return the waiting events of a company in the order in which they came, held until the transaction ends."""
    return [Waiting(**row) for row in await _sql.waiting.fetch(connection, company_id=company, limit=limit)]


async def settle(connection: Connection, ids: Sequence[UUID], status: EventStatus) -> None:
    """Write down that events are done with."""
    await _sql.settle.run(connection, ids=ids, status=status.value)


async def note_failure(connection: Connection, ids: Sequence[UUID], status: EventStatus, error: str) -> None:
    """Write down that a try has failed; `received` means that there will be another."""
    await _sql.note_failure.run(connection, ids=ids, status=status.value, error=error)


async def list_events(
    connection: Connection,
    *,
    companies: Sequence[UUID] | None,
    status: EventStatus | None,
    topic: str | None,
    before: UUID | None,
    limit: int,
) -> list[WebhookEvent]:
    """Return events of these companies (None: of all), the newest first."""
    rows = await _sql.list_events.fetch(
        connection,
        companies=companies,
        status=None if status is None else status.value,
        topic=topic,
        before=before,
        limit=limit,
    )
    return [_event(row) for row in rows]


async def event_of_message(connection: Connection, company: UUID, dedupe: bytes) -> WebhookEvent | None:
    """Return the event that a message became."""
    row = await _sql.event_of_message.one(connection, company_id=company, dedupe=dedupe)
    return None if row is None else _event(row)


async def counts(connection: Connection, company: UUID, since: datetime) -> list[TopicCount]:
    """Return how many events of a company came since an instant, by topic and status."""
    rows = await _sql.counts.fetch(connection, company_id=company, since=since)
    return [TopicCount(**{**row, "status": EventStatus(row["status"])}) for row in rows]


async def standing(connection: Connection, company: UUID) -> Standing:
    """Return how a company's inbox stands."""
    row = await _sql.standing.one(connection, company_id=company)
    assert row is not None, "a select without from returns its row"
    return Standing(**row)


async def scan(
    postgres: Postgres, people: Sequence[PersonMark], before: datetime, *, batch: int = SCAN_BATCH
) -> AsyncIterator[list[SealedEvent]]:
    """Give the sealed events received before an instant whose hashes may hold one of these people, batch by batch."""
    shorts, longs = [person.short for person in people], [person.long for person in people]
    after = _FIRST
    while True:
        async with postgres.transaction() as connection:
            rows = await _sql.scan.fetch(
                connection, after=after, before=before, shorts=shorts, longs=longs, limit=batch
            )
        if not rows:
            return
        after = rows[-1]["id"]
        yield [
            SealedEvent(**{name: value for name, value in row.items() if name != "is_hit"})
            for row in rows
            if row["is_hit"]
        ]


async def erase(connection: Connection, ids: Sequence[UUID]) -> int:
    """Delete the sealed form of events for good; the masked one stays."""
    return await _sql.erase.run(connection, ids=ids)


def _event(row: asyncpg.Record) -> WebhookEvent:
    return WebhookEvent(**{**row, "status": EventStatus(row["status"])})
