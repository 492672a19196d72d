"""Strong locks, asked for as a good neighbour does: given up soon, and asked for again a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from omie_control.errors import Conflict

# Whoever queues for a strong lock makes all later readers queue behind it.
LOCK_TIMEOUT = "2s"
_ATTEMPTS = 5


async def patiently(step: Callable[[], Awaitable[None]], *, message: str, hint: str) -> None:
    """Do a step that takes its locks within `LOCK_TIMEOUT`, again when it could not. Raises Conflict in the end."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await step()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as exc:
            if attempt == _ATTEMPTS:
                raise Conflict(message, hint=hint, code="banco_ocupado") from exc
            await asyncio.sleep(attempt)
    return None
