"""The clear form of an event of a webhook: bound to that event, opened for verbs that have asked for their right."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from omie_control.domain.sealing import canonical, open_body
from omie_control.postgres.webhooks import SealedEvent
from omie_control.services.keys import Keys


def place_of(company: UUID, dedupe: bytes) -> bytes:
    """Return what the sealed form of an event is bound to."""
    return b"webhook_events/" + company.bytes + dedupe


def beside(body: str) -> bytes:
    """Return the masked form next to which the clear one is sealed, as the column's text says it."""
    return canonical(json.loads(body))


async def open_event(keys: Keys, event: SealedEvent) -> Any:
    """Open the clear form of an event. Raises Conflict where it cannot be opened any more."""
    key = await keys.by_id(event.key_id)
    masked = beside(event.body)
    return open_body(event.sealed, key.key, place_of(event.company_id, event.dedupe), masked, masked)
