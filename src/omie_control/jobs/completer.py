"""The completer: writes whose fate is unknown are looked up in Omie until they have an end, or a person has to look."""

from __future__ import annotations

import time
from datetime import timedelta

from omie_control.services.idempotency import IdempotentWrites
from omie_control.services.loops import Loop
from omie_control.services.verifications import Verifications

EVERY = timedelta(seconds=1)
_PRUNE_SECONDS = 300.0


class Completer(Loop):
    """Looks up what is due, and forgets keys that have expired. Any number of them may run."""

    name = "completer"

    def __init__(self, verifications: Verifications, writes: IdempotentWrites, every: timedelta = EVERY) -> None:
        super().__init__(every)
        self._verifications = verifications
        self._writes = writes
        self._pruned_at = time.monotonic()

    async def turn(self) -> None:
        """Take one round; go on at once while there is more than one round can take."""
        while await self._verifications.turn() >= self._verifications.pace.at_once:
            pass
        if time.monotonic() - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            while await self._writes.prune():
                pass
