"""What is kept of Omie's answers, gone at once: answers and parts of exports, of one company or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_BATCH = 500
_AWAY = (RedisError, OSError, TimeoutError)


class PurgeFailed(Exception):
    """Valkey did not answer: what it kept may still be there, for as long as each piece lives."""


async def purge(redis: Redis, company: str | None = None) -> int:
    """Delete every kept answer and export part; returns how many. Raises PurgeFailed."""
    scope = "{*}" if company is None else f"{{{company}}}"
    count = 0
    try:
        for pattern in (f"cache:{scope}:answer:*", f"export:{scope}:part:*"):
            batch: list[bytes] = []
            async for key in redis.scan_iter(match=pattern, count=_BATCH):
                # One by one: the keys of a cluster lie in slots of their own.
                batch.append(key)
            for key in batch:
                count += int(await redis.unlink(key))
    except _AWAY as exc:
        raise PurgeFailed(type(exc).__name__) from exc
    return count
