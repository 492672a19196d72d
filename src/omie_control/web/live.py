"""`/ao-vivo`: server-sent hints. They say that something changed, never what it now is; the page re-reads that."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from omie_control.domain.access import Right, is_allowed
from omie_control.domain.actors import Actor
from omie_control.domain.executions import Change
from omie_control.errors import Overloaded, StorageDown
from omie_control.telemetry import Event
from omie_control.web.auth import Visitor, require_visitor

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.postgres.database import Postgres
    from omie_control.valkey.bus import Bus

MAX_STREAMS = 200
MAX_STREAMS_EACH = 8
HEARTBEAT_SECONDS = 15.0
# What somebody may see can change while they look: it holds for an open stream, too, within two seconds.
RECHECK_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0
POLL_SECONDS = 1.8
_BEAT = b": pulso\n\n"

router = APIRouter()


class Streams:
    """The open streams of this process: counted, and ended together when the process stops."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self.is_closed = False

    def hear(self, event: Event, facts: dict[str, Any]) -> None:
        """End with the process: a stream that stays open would hold its server back."""
        if event is Event.PROCESS_STOPPING:
            self.close()

    def close(self) -> None:
        """End every stream and take no new one."""
        self.is_closed = True

    @property
    def count(self) -> int:
        """Count the streams open now."""
        return self._open.total()

    def require_room(self, who: str) -> None:
        """Raise Overloaded when all places, or all of this visitor's, are taken."""
        if self.is_closed or self.count >= MAX_STREAMS or self._open[who] >= MAX_STREAMS_EACH:
            raise Overloaded("Há telas demais abertas ao mesmo tempo.", hint="Feche alguma e recarregue esta página.")

    @contextmanager
    def place(self, who: str) -> Iterator[None]:
        """Hold a place for as long as a stream runs."""
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            self._open += Counter()


@router.get("/ao-vivo", include_in_schema=False)
async def hints(request: Request) -> StreamingResponse:
    """Stream hints for as long as the visitor is logged in."""
    visitor = await require_visitor(request)
    app: App = request.app.state.control
    await app.access.require(visitor.actor, Right.EXECUTION_READ)
    streams: Streams = request.app.state.streams
    bus: Bus = request.app.state.bus
    streams.require_room(visitor.actor.label)

    async def body() -> AsyncIterator[bytes]:
        # The place is taken here, not before: a body that never begins has nothing to give back.
        with streams.place(visitor.actor.label):
            async with aclosing(_events(visitor, streams, bus, app.db.postgres)) as events:
                async for event in events:
                    if event:
                        yield event

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)


async def _events(visitor: Visitor, streams: Streams, bus: Bus, postgres: Postgres) -> AsyncGenerator[bytes, None]:
    yield b"retry: 2000\nevent: aberto\ndata: {}\n\n"
    rhythm, actor = _Rhythm(time.monotonic()), visitor.actor
    async with aclosing(bus.listen()) as changes:
        # A change or a tick comes every second at the latest, so a stopping process waits no longer than that.
        async for change in changes:
            if streams.is_closed:
                return
            if rhythm.is_time_to_ask(time.monotonic()) and postgres.is_up:
                now = await _looked_at_again(visitor, actor)
                if now is None or not is_allowed(now, Right.EXECUTION_READ):
                    yield b"event: fim\ndata: {}\n\n"
                    return
                actor = now
            if change is None:
                yield rhythm.tick(time.monotonic(), is_calm=bus.is_up and postgres.is_up)
            elif actor.may_look_at(change.company_id, None):
                yield _hint(change)


async def _looked_at_again(visitor: Visitor, before: Actor) -> Actor | None:
    """Return who looks now; while PostgreSQL does not answer, who it was: nobody is thrown out for that."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await visitor.asked_again()
    except (StorageDown, TimeoutError):
        return before


class _Rhythm:
    """What a stream says when nothing changed: mostly nothing, sometimes a beat, `consulte` while hints may be lost."""

    def __init__(self, now: float) -> None:
        self._ask_at = now + RECHECK_SECONDS
        self._beat_at = now + HEARTBEAT_SECONDS
        self._poll_at = now
        self._is_calm = True

    def is_time_to_ask(self, now: float) -> bool:
        """Say whether the session has to be looked at again."""
        if now < self._ask_at:
            return False
        self._ask_at = now + RECHECK_SECONDS
        return True

    def tick(self, now: float, *, is_calm: bool) -> bytes:
        """Return what to send at a tick; empty for nothing. Calm again, the page is asked to re-read once more."""
        was_calm, self._is_calm = self._is_calm, is_calm
        if (is_calm and not was_calm) or (not is_calm and now >= self._poll_at):
            self._poll_at = now + POLL_SECONDS
            return b"event: consulte\ndata: {}\n\n" if not is_calm else b"event: voltou\ndata: {}\n\n"
        if now >= self._beat_at:
            self._beat_at = now + HEARTBEAT_SECONDS
            return _BEAT
        return b""


def _hint(change: Change) -> bytes:
    data = orjson.dumps({"execution_id": change.execution_id, "status": change.status})
    return b"event: mudou\ndata: " + data + b"\n\n"
