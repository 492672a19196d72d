"""Invalidations that Valkey must hear of: owed until it has, however long it is away.

What is owed is old for this process at once. Other processes learn it when Valkey answers again; until then they
cannot read from it either.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

from omie_control.valkey.cache import Cache, CacheAway

_AGAIN_SECONDS = 0.25
_CANCEL_SECONDS = 0.2


class Invalidations:
    """Counts the writes of this process, and tells Valkey of each."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._writes: Counter[tuple[str, str]] = Counter()
        self._owed: dict[str, dict[str, int]] = {}
        self._payer: asyncio.Task[None] | None = None

    def writes(self, company: str, entities: Iterable[str]) -> tuple[int, ...]:
        """Return how often each entity was written by this process: flights do not outlive a write."""
        return tuple(self._writes[company, entity] for entity in entities)

    def is_owed(self, company: str, entities: Iterable[str]) -> bool:
        """Say whether Valkey may still hold, as good, what a write of ours has made old."""
        owed = self._owed.get(company)
        return owed is not None and not owed.keys().isdisjoint(entities)

    async def send(self, company: str, entities: Sequence[str]) -> bool:
        """Make entities old here, at once, and in Valkey: now, or as soon as it answers. Never raises CacheAway.

        Returns whether Valkey has heard of it by now.
        """
        for entity in entities:
            self._writes[company, entity] += 1
            self._owed.setdefault(company, {})[entity] = self._writes[company, entity]
        try:
            await self._pay(company)
        except CacheAway:
            return False
        else:
            return True
        finally:
            # A caller that was cancelled in the middle leaves its debt to the payer.
            if self._owed and (self._payer is None or self._payer.done()):
                self._payer = asyncio.create_task(self._pay_all(), name="cache invalidations")

    async def close(self) -> None:
        """Stop trying."""
        payer, self._payer = self._payer, None
        self._owed.clear()
        while payer is not None and not payer.done():
            # Python 3.11 and the client library may swallow a cancellation that meets an answer: ask until it ends.
            payer.cancel()
            await asyncio.wait([payer], timeout=_CANCEL_SECONDS)

    async def _pay_all(self) -> None:
        while self._owed:
            try:
                for company in list(self._owed):
                    await self._pay(company)
            except CacheAway:
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _pay(self, company: str) -> None:
        owed = dict(self._owed.get(company, {}))
        if not owed:
            return
        await self._cache.invalidate(company, list(owed))
        left = {entity: serial for entity, serial in self._owed.get(company, {}).items() if owed.get(entity) != serial}
        if left:
            self._owed[company] = left
        else:
            self._owed.pop(company, None)
