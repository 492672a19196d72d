"""Webhooks of Omie: the secret addresses that it posts to, and the events that it brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

# How long an address goes on beside the one that takes its place: Omie may still have to deliver what it queued.
DEFAULT_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
# What could not be made known to the cache for so long needs no more tries: no answer is told again for longer.
GIVE_UP_AFTER = timedelta(hours=24)


class EventStatus(StrEnum):
    """How far an event has come. Only `received` is worked on again."""

    RECEIVED = "received"
    APPLIED = "applied"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """An address of a company. `prefix` names it without opening it; `expires_at` None: until it is revoked."""

    id: UUID
    company_id: UUID
    prefix: str
    is_trial: bool
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_ping_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Say whether it may still be posted to."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event as it stands in the inbox, without its body. `deliveries`: how often Omie brought it."""

    id: UUID
    company_id: UUID
    company: str
    message_id: str | None
    topic: str
    origin: str | None
    author: str | None
    received_at: datetime
    status: EventStatus
    deliveries: int
    attempts: int
    applied_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class TopicCount:
    """How many events of a topic came, by where they stand; `deliveries` counts repeats too."""

    topic: str
    status: EventStatus
    events: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a company's inbox stands. `lag_seconds`: how long the oldest waiting event has waited; None: none waits."""

    last_event_at: datetime | None
    last_topic: str | None
    lag_seconds: float | None
    waiting: int
    failed: int
