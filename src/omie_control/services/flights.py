"""Single flight: of equal questions at the same time one is asked, in this process and across all.

In a process the first caller flies and the others wait for it. Between processes the flyers agree by a lease in
Valkey, renewed while its holder lives; a dead holder frees it within `LEASE_SECONDS`. A caller flies in its own
task, never in a background one: its call to Omie is recorded on its own execution and ends with it.
"""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from omie_control.errors import ControlError, OmieBusy, OmieFault, OmieUnreachable, StorageDown
from omie_control.valkey.cache import Cache, CacheAway, CacheKey, Versions

LEASE_SECONDS = 6.0
_RENEW_SECONDS = LEASE_SECONDS / 4
# Equal questions of one company get the same refusal; asking again would only bring the 425 block nearer.
_SHARED = (OmieFault, OmieBusy, OmieUnreachable, StorageDown)


@dataclass(frozen=True, slots=True)
class Landed:
    """What a flight brought home, as bytes that each follower reads for itself."""

    clear: bytes
    stored_at: datetime


class Flights:
    """The flights of this process, by question and generation."""

    def __init__(self) -> None:
        self._flying: dict[Hashable, asyncio.Future[Landed | ControlError | None]] = {}

    async def join(self, id: Hashable) -> Landed | None:
        """Wait for the flight of this question, if there is one. None: none, or it failed for its flyer alone.

        Raises what it failed with when that holds for everybody who asks.
        """
        flying = self._flying.get(id)
        if flying is None:
            return None
        ended = await asyncio.shield(flying)
        if isinstance(ended, ControlError):
            # A copy each: whoever catches it may write the own execution_id on it.
            raise copy.copy(ended) from ended
        return ended

    def is_flying(self, id: Hashable) -> bool:
        """Say whether somebody flies for this question now."""
        return id in self._flying

    async def fly(self, id: Hashable, ask: Callable[[], Awaitable[Landed]]) -> Landed:
        """Fly; only when nobody does."""
        flying = self._flying[id] = asyncio.get_running_loop().create_future()
        ended: Landed | ControlError | None = None
        try:
            ended = landed = await ask()
        except _SHARED as error:
            ended = error
            raise
        finally:
            del self._flying[id]
            flying.set_result(ended)
        return landed


@asynccontextmanager
async def leading(cache: Cache, key: CacheKey, seen: Versions) -> AsyncIterator[bool]:
    """Hold the lead of a question among all processes as long as the block runs; False: another process has it.

    Raises CacheAway before the block only: a lead that is lost later is nobody's error.
    """
    token = secrets.token_hex(8)
    if not await cache.lead(key, seen, token, LEASE_SECONDS):
        yield False
        return
    done = asyncio.Event()
    renewer = asyncio.create_task(_renew(cache, key, seen, token, done), name="flight lease")
    try:
        yield True
    finally:
        done.set()
        with suppress(CacheAway):
            await cache.release(key, seen, token)
        # Also keeps the task alive until here; told to end, it ends within one command.
        await renewer


async def _renew(cache: Cache, key: CacheKey, seen: Versions, token: str, done: asyncio.Event) -> None:
    while not done.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(_RENEW_SECONDS):
                await done.wait()
        if not done.is_set():
            with suppress(CacheAway):
                await cache.renew(key, seen, token, LEASE_SECONDS)
