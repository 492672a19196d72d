"""`/ao-vivo`: server-sent hints. They say that something changed, never what it now is; the page re-reads that."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from omie_control.domain.actors import Actor
from omie_control.domain.executions import Change
from omie_control.errors import Overloaded
from omie_control.telemetry import Event
from omie_control.web.auth import require_visitor

if TYPE_CHECKING:
    from omie_control.valkey.bus import Bus

MAX_STREAMS = 200
MAX_STREAMS_EACH = 8
HEARTBEAT_TICKS = 15
RECHECK_TICKS = 30
POLL_TICKS = 2
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

    def admit(self, who: str) -> None:
        """Take a place. Raises Overloaded when all, or all of this visitor's, are taken."""
        if self.is_closed or self.count >= MAX_STREAMS or self._open[who] >= MAX_STREAMS_EACH:
            raise Overloaded("Há telas demais abertas ao mesmo tempo.", hint="Feche alguma e recarregue esta página.")
        self._open[who] += 1

    def leave(self, who: str) -> None:
        """Give the place back."""
        self._open[who] -= 1
        self._open += Counter()


@router.get("/ao-vivo", include_in_schema=False)
async def hints(request: Request) -> StreamingResponse:
    """Stream hints for as long as the visitor is logged in."""
    visitor = await require_visitor(request)
    bus: Bus = request.app.state.bus
    streams: Streams = request.app.state.streams
    who = visitor.actor.label
    streams.admit(who)

    async def body() -> AsyncIterator[bytes]:
        try:
            async with aclosing(_events(bus, visitor.actor, visitor.is_still_in)) as events:
                async for event in events:
                    # The bus ticks every second, so a stopping process waits no longer than that for a stream.
                    if streams.is_closed:
                        return
                    yield event
        finally:
            streams.leave(who)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)


async def _events(bus: Bus, actor: Actor, is_welcome: Callable[[], Awaitable[bool]]) -> AsyncGenerator[bytes, None]:
    yield b"retry: 2000\nevent: aberto\ndata: {}\n\n"
    ticks = 0
    async with aclosing(bus.listen()) as changes:
        async for change in changes:
            if change is not None:
                if actor.may_see(change.company_id):
                    yield _hint(change)
                continue
            ticks += 1
            if ticks % RECHECK_TICKS == 0 and not await is_welcome():
                yield b"event: fim\ndata: {}\n\n"
                return
            if not bus.is_up and ticks % POLL_TICKS == 0:
                yield b"event: consulte\ndata: {}\n\n"
            elif ticks % HEARTBEAT_TICKS == 0:
                yield _BEAT


def _hint(change: Change) -> bytes:
    data = orjson.dumps({"execution_id": change.execution_id, "status": change.status})
    return b"event: mudou\ndata: " + data + b"\n\n"
