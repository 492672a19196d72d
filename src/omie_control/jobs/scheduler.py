"""The scheduler: reads the `schedules` table and runs what is due; whoever claims a row first runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from omie_control.app import App
from omie_control.postgres import schedules as store
from omie_control.services.loops import Loop
from omie_control.telemetry import Event, tell

_POLL = timedelta(milliseconds=500)
_ERROR_MAX = 500


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work that comes again: its name in the table, how often, what it does."""

    name: str
    every: timedelta
    work: Callable[[App], Awaitable[None]]


class Scheduler(Loop):
    """Claims its due schedules one by one; a failing one is noted in its row and tried again at its next time.

    One that takes long holds up the others of the same scheduler, and nobody else's.
    """

    name = "scheduler"

    def __init__(self, app: App, schedules: Sequence[Schedule]) -> None:
        super().__init__(_POLL)
        self._app = app
        self._schedules = {schedule.name: schedule for schedule in schedules}
        self._is_registered = False

    async def turn(self) -> None:
        """Run everything that is due now."""
        if not self._is_registered:
            await self._register()
        while (schedule := await self._claim()) is not None:
            await self._perform(schedule)

    async def _register(self) -> None:
        async with self._app.db.postgres.transaction() as tx:
            for schedule in self._schedules.values():
                await store.register(tx, schedule.name, schedule.every)
        self._is_registered = True

    async def _claim(self) -> Schedule | None:
        # Only what is known here: a worker of an older version must not take the turns of a newer one's work.
        async with self._app.db.postgres.transaction() as tx:
            due = await store.claim_due(tx, list(self._schedules))
        return None if due is None else self._schedules[due.name]

    async def _perform(self, schedule: Schedule) -> None:
        error: str | None = None
        try:
            await schedule.work(self._app)
        except asyncio.CancelledError:
            raise
        except Exception as exc:
            error = f"{type(exc).__name__}: {exc}"[:_ERROR_MAX]
            tell(Event.LOOP_FAILED, loop=schedule.name, error=error)
        async with self._app.db.postgres.transaction() as tx:
            await store.note_outcome(tx, schedule.name, error)
