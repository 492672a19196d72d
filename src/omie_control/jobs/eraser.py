"""The eraser: what was erased stays erased, also after a restore, and what was needed then goes when it is not."""

from __future__ import annotations

from datetime import timedelta

from omie_control.services.erasures import Erasures
from omie_control.services.loops import Loop
from omie_control.telemetry import Event, tell

_EVERY = timedelta(days=1)


class Eraser(Loop):
    """Applies the erasure list at the start and daily, apart from the schedules: it may have much to look through."""

    name = "eraser"

    def __init__(self, erasures: Erasures) -> None:
        super().__init__(_EVERY)
        self._erasures = erasures

    async def turn(self) -> None:
        """Erase what is on the list and came back, or could not go before."""
        done = await self._erasures.reapply(whole=False)
        if done.executions or done.writes or done.events:
            tell(
                Event.ERASURES_REAPPLIED,
                executions=done.executions,
                writes=done.writes,
                events=done.events,
                left=done.left,
            )
