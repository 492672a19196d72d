"""The response cache in Valkey: sealed answers, generations of entities, leases of flights.

A generation is a random mark, never a number: one that was lost (flushed, evicted, expired) comes back as another,
so that whatever was made under the lost one stays old. All keys of a company share one slot of a cluster.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError, RedisError, ResponseError

if TYPE_CHECKING:
    from redis.asyncio import Redis

# Longer than any value lives, and renewed with each of them.
GENERATION_SECONDS = 172_800
TIMEOUT_SECONDS = 0.5
_QUIET_SECONDS = 1.0
_POLL_FIRST_SECONDS = 0.02
_POLL_MOST_SECONDS = 0.2
_MARK_BYTES = 8
_STAMP_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AWAY = (RedisError, OSError, TimeoutError)

Versions = tuple[bytes, ...]

_VERSIONS = """
local marks = {}
for i, key in ipairs(KEYS) do
  local mark = redis.call('GET', key)
  if not mark then
    mark = ARGV[1]
    redis.call('SET', key, mark, 'EX', ARGV[2])
  end
  marks[i] = mark
end
return marks
"""
# Kept only under the generations that its reader saw before it asked Omie.
_PUT = """
for i = 2, #KEYS do
  if redis.call('GET', KEYS[i]) ~= ARGV[i + 2] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
for i = 2, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
return 1
"""
_INVALIDATE = "for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'EX', ARGV[2]) end return 1"
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class CacheAway(Exception):
    """Valkey did not answer, or not in time."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """One question: whose, its keyed digest, and the entities that its answer shows."""

    company: str
    digest: str
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cached:
    """What was kept, as it was sealed, and since when."""

    value: bytes
    stored_at: datetime


class Cache:
    """Keeps and finds. Every verb raises CacheAway, within half a second at the latest; then it rests a second."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._quiet_until = 0.0

    async def get(self, key: CacheKey) -> Cached | None:
        """Return what is kept and not made old by a write since."""
        raw, *marks = await self._send("MGET", _value(key), *_generations(key.company, key.entities))
        return _opened(raw, marks)

    async def put(self, key: CacheKey, value: bytes, *, ttl_seconds: int, seen: Versions, stored_at: datetime) -> bool:
        """Keep an answer that was asked for after `seen` was read; False when a write has come between."""
        packed = b"".join((*seen, _stamp(stored_at), value))
        keys = (_value(key), *_generations(key.company, key.entities))
        return bool(await self._run(_PUT, keys, packed, ttl_seconds, GENERATION_SECONDS, *seen))

    async def versions(self, company: str, entities: Sequence[str]) -> Versions:
        """Return the generations of entities, beginning those that have none."""
        keys = _generations(company, entities)
        return tuple(await self._run(_VERSIONS, keys, os.urandom(_MARK_BYTES), GENERATION_SECONDS))

    async def invalidate(self, company: str, entities: Sequence[str]) -> None:
        """Begin new generations: everything that was kept or asked before is old."""
        await self._run(_INVALIDATE, _generations(company, entities), os.urandom(_MARK_BYTES), GENERATION_SECONDS)

    async def lead(self, key: CacheKey, seen: Versions, token: str, seconds: float) -> bool:
        """Take the lead of the flight for this question in this generation, unless somebody has it."""
        command = ("SET", _flight(key, seen), token, "NX", "PX", int(seconds * 1000))
        return await self._send(*command) is not None

    async def renew(self, key: CacheKey, seen: Versions, token: str, seconds: float) -> bool:
        """Keep the lead for longer; False when it is lost."""
        return bool(await self._run(_RENEW, (_flight(key, seen),), token, int(seconds * 1000)))

    async def release(self, key: CacheKey, seen: Versions, token: str) -> None:
        """Give the lead back, if it is still ours."""
        await self._run(_RELEASE, (_flight(key, seen),), token)

    async def wait(self, key: CacheKey, seen: Versions, seconds: float, *, since: datetime) -> Cached | None:
        """Wait for the leader's answer, not stored before `since`; None when the lead is free or time is over."""
        deadline = time.monotonic() + seconds
        pause = _POLL_FIRST_SECONDS
        keys = (_value(key), *_generations(key.company, key.entities))
        while True:
            lease, raw, *marks = await self._send("MGET", _flight(key, seen), *keys)
            found = _opened(raw, marks)
            if found is not None and found.stored_at >= since:
                return found
            if lease is None or time.monotonic() >= deadline:
                return None
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _POLL_MOST_SECONDS)

    async def _run(self, script: str, keys: Sequence[str], *arguments: Any) -> Any:
        digest = hashlib.sha1(script.encode()).hexdigest()  # noqa: S324 - as Valkey names it
        try:
            return await self._send("EVALSHA", digest, len(keys), *keys, *arguments)
        except _ScriptUnknown:
            return await self._send("EVAL", script, len(keys), *keys, *arguments)

    async def _send(self, *command: Any) -> Any:
        if time.monotonic() < self._quiet_until:
            raise CacheAway("resting")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except NoScriptError as exc:
            raise _ScriptUnknown from exc
        except _AWAY as exc:
            # A refusal (no memory left, no permission) answers at once: nothing to rest from.
            if not isinstance(exc, ResponseError):
                self._quiet_until = time.monotonic() + _QUIET_SECONDS
            raise CacheAway(type(exc).__name__) from exc


class _ScriptUnknown(Exception):
    """The server has not seen this script since it started."""


def _opened(raw: bytes | None, marks: Sequence[bytes | None]) -> Cached | None:
    if raw is None or None in marks:
        return None
    current = b"".join(mark for mark in marks if mark is not None)
    body = len(current) + _STAMP_BYTES
    if len(raw) < body or not raw.startswith(current):
        return None
    micros = int.from_bytes(raw[len(current) : body], "big")
    return Cached(raw[body:], _EPOCH + timedelta(microseconds=micros))


def _stamp(at: datetime) -> bytes:
    return ((at - _EPOCH) // timedelta(microseconds=1)).to_bytes(_STAMP_BYTES, "big")


def _value(key: CacheKey) -> str:
    return f"cache:{{{key.company}}}:answer:{key.digest}"


def _generations(company: str, entities: Sequence[str]) -> list[str]:
    return [f"cache:{{{company}}}:generation:{entity}" for entity in entities]


def _flight(key: CacheKey, seen: Versions) -> str:
    return f"cache:{{{key.company}}}:flight:{key.digest}:{b''.join(seen).hex()}"
