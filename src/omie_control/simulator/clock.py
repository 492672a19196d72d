"""The simulator's clock: Brasília's, and as fast as a test wants it."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone

BRASILIA = timezone(timedelta(hours=-3), "BRT")


class Clock:
    """Time that runs `scale` times as fast as the real one; limits and latency all live on it."""

    def __init__(self, scale: float = 1.0, began_at: datetime | None = None) -> None:
        if scale <= 0:
            raise ValueError("the clock's scale must be above 0")
        self.scale = scale
        self._began_at = began_at or datetime.now(BRASILIA)
        self._began = time.monotonic()

    def seconds(self) -> float:
        """Return the simulated seconds since the clock was started."""
        return (time.monotonic() - self._began) * self.scale

    def now(self) -> datetime:
        """Return the simulated instant, in Brasília's time."""
        return self._began_at + timedelta(seconds=self.seconds())

    async def sleep(self, seconds: float) -> None:
        """Sleep for simulated seconds."""
        if seconds > 0:
            await asyncio.sleep(seconds / self.scale)
