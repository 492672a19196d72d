"""The auditor: the chain of seals verified at the start and every hour from where it was verified, daily as a whole."""

from __future__ import annotations

from datetime import timedelta

from omie_control.services.audit_trail import AuditTrail
from omie_control.services.loops import Loop

_EVERY = timedelta(hours=1)
_FULL_EVERY = timedelta(days=1)


class Auditor(Loop):
    """Verifies by itself, apart from the schedules: a large chain takes minutes, and nothing may wait for it."""

    name = "auditor"

    def __init__(self, trail: AuditTrail) -> None:
        super().__init__(_EVERY)
        self._trail = trail

    async def turn(self) -> None:
        """Verify what is new, or everything when that is a day ago."""
        await self._trail.keep_verified(full_every=_FULL_EVERY)
