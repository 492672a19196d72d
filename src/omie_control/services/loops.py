"""A background part: start, stop, jitter, back-off and telemetry once, so that each part writes only its turn."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from omie_control.telemetry import Event, tell

_BACKOFF_MAX_SECONDS = 30.0
_JITTER = 0.1
_CANCEL_SECONDS = 0.2


class Loop:
    """Runs `turn` every so often until stopped; a failing turn is told and tried again later, ever more slowly."""

    name = "loop"
    # Whether a failing turn makes the next ones rarer; a heartbeat must not.
    backs_off = True

    def __init__(self, every: timedelta) -> None:
        self.every_seconds = every.total_seconds()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._failures = 0

    async def turn(self) -> None:
        """Do one round of work."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin; a second start does nothing."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """End after the current turn was cancelled; safe to call at any time, any number of times."""
        task, self._task = self._task, None
        while task is not None and not task.done():
            # Python 3.11's wait_for swallows a cancellation that meets its result: ask until it ends.
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_SECONDS)

    def wake(self) -> None:
        """Take the next turn now."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                await self.turn()
                self._failures = 0
            except Exception as exc:
                self._failures += 1
                tell(Event.LOOP_FAILED, loop=self.name, error=f"{type(exc).__name__}: {exc}", failures=self._failures)
            await self._pause()

    async def _pause(self) -> None:
        seconds = self.every_seconds
        if self._failures and self.backs_off:
            seconds = min(max(seconds, 0.5) * 2 ** min(self._failures, 6), _BACKOFF_MAX_SECONDS)
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311


class Every(Loop):
    """A loop whose turn is a function."""

    def __init__(
        self, name: str, every: timedelta, turn: Callable[[], Awaitable[object]], *, backs_off: bool = True
    ) -> None:
        super().__init__(every)
        self.name = name
        self.backs_off = backs_off
        self._turn = turn

    async def turn(self) -> None:
        """Call the function."""
        await self._turn()
