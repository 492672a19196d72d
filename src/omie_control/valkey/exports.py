"""Exports in Valkey: sealed parts of a long reading, and how far it has come. May vanish; then it is read again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT_SECONDS = 3_600
_TIMEOUT_SECONDS = 1.0
_AWAY = (RedisError, OSError, TimeoutError)
_RENEW = "for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[1]) end"


class ExportsAway(Exception):
    """Valkey did not answer, or not in time."""


class ExportStore:
    """Keeps parts for an hour after the last one was written."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, company: str, execution: str, number: int, part: bytes, progress: Mapping[str, Any]) -> None:
        """Keep a part, and how far the export has come with it. Raises ExportsAway."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await self._redis.set(_part(company, execution, number), part, ex=KEPT_SECONDS)
                await self._redis.set(_progress(company, execution), orjson.dumps(progress), ex=KEPT_SECONDS)
        except _AWAY as exc:
            raise ExportsAway from exc

    async def renew(self, company: str, execution: str, parts: int) -> None:
        """Keep every part so far for an hour from now on. Raises ExportsAway."""
        try:
            keys = [_part(company, execution, number) for number in range(1, parts + 1)]
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                # Not as a pipeline, which a cluster's client does not take: an export's keys lie in one slot.
                await self._redis.execute_command("EVAL", _RENEW, len(keys), *keys, KEPT_SECONDS)  # type: ignore[no-untyped-call]
        except _AWAY as exc:
            raise ExportsAway from exc

    async def part(self, company: str, execution: str, number: int) -> bytes | None:
        """Return a part, or None when it is not kept (any more). Raises ExportsAway."""
        found: bytes | None = await self._get(_part(company, execution, number))
        return found

    async def progress(self, company: str, execution: str) -> dict[str, Any] | None:
        """Return how far an export has come, or None when nobody knows. Raises ExportsAway."""
        found = await self._get(_progress(company, execution))
        return None if found is None else orjson.loads(found)

    async def _get(self, key: str) -> Any:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await self._redis.get(key)
        except _AWAY as exc:
            raise ExportsAway from exc


def _part(company: str, execution: str, number: int) -> str:
    return f"export:{{{company}}}:part:{execution}:{number}"


def _progress(company: str, execution: str) -> str:
    return f"export:{{{company}}}:progress:{execution}"
