"""Refusals of strangers: kept, but a flood of them is one row a minute, for nobody may fill the audit from outside."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Hashable
from uuid import UUID

from omie_control.domain.actors import Actor
from omie_control.domain.executions import Origin
from omie_control.errors import ControlError
from omie_control.postgres.database import Postgres
from omie_control.services import audit

_SPAN_SECONDS = 60.0
_SUBJECTS_MAX = 1000
# A refusal never waits for its record longer than this.
_PATIENCE_SECONDS = 1.0


class Samples:
    """Keeps refusals as audit rows, at most one a minute for each subject; the next says how many came between."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._kept_at: dict[Hashable, float] = {}
        self._left_out: dict[Hashable, int] = {}

    async def refused(
        self,
        subject: Hashable,
        actor: Actor,
        action: str,
        *,
        object_type: str | None = None,
        object_id: str | None = None,
        company: UUID | None = None,
        detail: str | None = None,
        origin: Origin | None = None,
    ) -> None:
        """Keep a refusal, or count it. Never raises for PostgreSQL, and never waits long for it."""
        now = time.monotonic()
        if now - self._kept_at.get(subject, float("-inf")) < _SPAN_SECONDS:
            self._left_out[subject] = self._left_out.get(subject, 0) + 1
            return
        left_out = self._left_out.pop(subject, 0)
        self._kept_at.pop(subject, None)
        while len(self._kept_at) >= _SUBJECTS_MAX:
            oldest = next(iter(self._kept_at))
            self._kept_at.pop(oldest)
            self._left_out.pop(oldest, None)
        self._kept_at[subject] = now
        with contextlib.suppress(ControlError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS), self._postgres.transaction() as tx:
                await audit.append(
                    tx,
                    actor,
                    action,
                    outcome="refused",
                    object_type=object_type,
                    object_id=object_id,
                    company_id=company,
                    after={"not_kept_before": left_out} if left_out else None,
                    detail=detail,
                    origin=origin,
                )
