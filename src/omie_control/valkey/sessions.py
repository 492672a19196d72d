"""Who is connected now, as a shadow that expires by itself; the truth about each call is its execution row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from redis.exceptions import RedisError

from omie_control.valkey import wire
from omie_control.valkey.live import Live

if TYPE_CHECKING:
    from redis.asyncio import Redis

SESSION_SECONDS = 900
# One hash tag for all of them: a cluster answers for many keys at once only when they share a slot.
INDEX = b"{sessions}:active"
_KEY = b"{sessions}:id:"
_REFRESH_SECONDS = 30
_MAX_REMEMBERED = 10_000
_MAX_LISTED = 500


@dataclass(frozen=True, slots=True)
class Session:
    """A client that spoke to us within the last fifteen minutes."""

    id: str
    actor: str
    transport: str
    seen_at: datetime
    user_agent: str | None = None
    ip_address: str | None = None


class Sessions:
    """Active sessions: `note` costs a dictionary look-up for all but one call in thirty seconds."""

    def __init__(self, redis: Redis, live: Live, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._redis = redis
        self._live = live
        self._clock = clock
        self._noted: dict[str, float] = {}

    def note(
        self, id: str, actor: str, transport: str, *, user_agent: str | None = None, ip_address: str | None = None
    ) -> None:
        """Remember that a session is alive. Never blocks; best effort."""
        now = self._clock()
        if now.timestamp() - self._noted.get(id, 0.0) < _REFRESH_SECONDS:
            return
        if len(self._noted) >= _MAX_REMEMBERED:
            self._noted.clear()
        self._noted[id] = now.timestamp()
        session = Session(_told(id), _told(actor), transport, now, user_agent and _told(user_agent), ip_address)
        for command in _remember(session):
            self._live.aside(command)

    async def active(self) -> list[Session] | None:
        """List the sessions alive now, newest first; None while Valkey is away."""
        floor = self._clock().timestamp() - SESSION_SECONDS
        try:
            found = await self._bodies(floor)
        except (RedisError, OSError, TimeoutError):
            return None
        return [_read(text) for text in found if text is not None]

    async def _bodies(self, floor: float) -> list[bytes | None]:
        command = self._redis.execute_command
        newest = await command("ZREVRANGEBYSCORE", INDEX, "+inf", floor, "LIMIT", 0, _MAX_LISTED)  # type: ignore[no-untyped-call]
        keys = [_KEY + session_id for session_id in newest]
        return list(await self._redis.mget(keys)) if keys else []  # type: ignore[arg-type]


def _told(text: str) -> str:
    # What UTF-8 cannot write (lone surrogates) must not fail a call whose start is on record by now.
    return text.encode(errors="replace").decode()


def _remember(session: Session) -> tuple[bytes, ...]:
    seen = session.seen_at.timestamp()
    ttl = b"%d" % SESSION_SECONDS
    return (
        wire.setex(_KEY + session.id.encode(), SESSION_SECONDS, orjson.dumps(session)),
        wire.pack(b"ZADD", INDEX, b"%.3f" % seen, session.id.encode()),
        wire.pack(b"ZREMRANGEBYSCORE", INDEX, b"-inf", b"(%.3f" % (seen - SESSION_SECONDS)),
        wire.pack(b"EXPIRE", INDEX, ttl),
    )


def _read(text: bytes) -> Session:
    fields = orjson.loads(text)
    return Session(**{**fields, "seen_at": datetime.fromisoformat(fields["seen_at"])})
