"""The audit row of a change, written in the transaction of the change: both are committed, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from omie_control.domain.actors import Actor
from omie_control.domain.executions import Origin
from omie_control.domain.masking import json_text, mask
from omie_control.postgres import audit as store
from omie_control.postgres.queries import Connection

OUTCOMES = ("done", "refused", "failed")


async def append(
    connection: Connection,
    actor: Actor,
    action: str,
    *,
    outcome: str = "done",
    object_type: str | None = None,
    object_id: str | None = None,
    company_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    detail: str | None = None,
    origin: Origin | None = None,
) -> None:
    """Write who did what to what, and how it looked before and after; personal data and secrets are masked."""
    await store.insert(
        connection,
        actor=actor.label,
        action=action,
        outcome=outcome,
        object_type=object_type,
        object_id=None if object_id is None else object_id[:100],
        company_id=company_id,
        before=_masked(before),
        after=_masked(after),
        detail=None if detail is None else str(mask(detail[:1000]).value),
        ip_address=None if origin is None or origin.ip_address is None else str(origin.ip_address),
        user_agent=None if origin is None or origin.user_agent is None else str(mask(origin.user_agent[:500]).value),
    )


def _masked(fields: Mapping[str, Any] | None) -> str | None:
    return None if fields is None else json_text(mask(dict(fields)).value)
