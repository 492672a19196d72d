"""Hints that something changed. A listener re-reads the truth in PostgreSQL; it never trusts the hint itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from omie_control.domain.executions import Change
from omie_control.valkey.live import CHANNEL, decode_hints

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

TICK_SECONDS = 1.0
_MAX_WAITING = 256
_PROBE_SECONDS = 5.0

_Queue = asyncio.Queue[Change | None]


class Bus:
    """One subscription a process, handed on to any number of listeners; it lives while somebody listens."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: set[_Queue] = set()
        self._pump: asyncio.Task[None] | None = None
        self._is_closed = False
        self.is_up = False

    async def close(self) -> None:
        """End every listener at once and let go of Valkey."""
        self._is_closed = True
        for queue in self._listeners:
            _offer(queue, None)
        await self._stop_pump()

    async def listen(self) -> AsyncGenerator[Change | None, None]:
        """Yield each change hinted at, and None about every second without one, so that a page can poll.

        Never raises for a Valkey that is away: then only the Nones come. A slow listener loses the oldest hints.
        """
        queue: _Queue = asyncio.Queue(_MAX_WAITING)
        self._listeners.add(queue)
        self._start_pump()
        try:
            while not self._is_closed:
                yield await _next(queue)
        finally:
            self._listeners.discard(queue)
            if not self._listeners:
                await self._stop_pump()

    def _start_pump(self) -> None:
        if self._pump is None and not self._is_closed:
            self._pump = asyncio.create_task(self._run(), name="bus pump")

    async def _stop_pump(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump

    async def _run(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    await self._hand_on(subscription)
            self.is_up = False
            await asyncio.sleep(TICK_SECONDS)

    async def _hand_on(self, subscription: PubSub) -> None:
        # A frozen server keeps its socket open: a ping that stays unanswered is how one knows.
        pinged = False
        while True:
            message = await subscription.get_message(timeout=_PROBE_SECONDS)
            if message is None:
                if pinged:
                    raise TimeoutError("the bus does not answer")
                await subscription.ping()
                pinged = True
                continue
            pinged = False
            self.is_up = True
            if message["type"] == "message":
                self._tell(message["data"])

    def _tell(self, data: bytes) -> None:
        with suppress(ValueError, KeyError, TypeError):
            for change in decode_hints(data):
                for queue in self._listeners:
                    _offer(queue, change)


def _offer(queue: _Queue, change: Change | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(change)


async def _next(queue: _Queue) -> Change | None:
    try:
        async with asyncio.timeout(TICK_SECONDS):
            return await queue.get()
    except TimeoutError:
        return None
