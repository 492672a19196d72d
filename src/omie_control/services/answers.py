"""Answers: a read of Omie told again while it is good, asked once however many want it, old after our own writes.

Valkey may be away at any moment: then every question goes to Omie, once per process at a time. Nothing here ever
fails a caller but Omie's own refusal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from omie_control.domain import freshness
from omie_control.domain.companies import Company
from omie_control.domain.configuration import CACHE_ENABLED, DEFAULTS, Values
from omie_control.domain.sealing import canonical
from omie_control.errors import ControlError
from omie_control.omie.catalog import Catalog, Method
from omie_control.omie.protocol import Payload
from omie_control.services import answer_bodies
from omie_control.services.answer_bodies import Sealer
from omie_control.services.flights import LEASE_SECONDS, Flights, Landed, leading
from omie_control.services.invalidations import Invalidations
from omie_control.services.keys import Keys
from omie_control.valkey.cache import Cache, CacheAway, Cached, CacheKey, Versions

Fetch = Callable[[], Awaitable[Payload]]
FROM_OMIE, FROM_CACHE, FROM_FLIGHT = "omie", "cache", "voo"

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_FRESH = timedelta(seconds=freshness.SHORTEST_SECONDS)
_WARM_PAGE_ROWS = 100
_WARM_PAGES = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What Omie answered, how old that is, and whence it came: `omie`, `cache`, or `voo` (another's flight)."""

    payload: Payload
    age_seconds: float
    source: str
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class _Question:
    company: Company
    method: Method
    key: CacheKey
    fetch: Fetch
    since: datetime


class Answers:
    """Reads through the cache, and makes it old after writes."""

    def __init__(
        self,
        cache: Cache,
        keys: Keys,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        configuration: Values = DEFAULTS,
    ) -> None:
        self._configuration = configuration
        self._cache = cache
        self._keys = keys
        self._clock = clock
        self._sealer = Sealer(keys)
        self._flights = Flights()
        self._invalidations = Invalidations(cache)

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self._invalidations.close()

    async def read(
        self, company: Company, method: Method, param: Mapping[str, Any], fetch: Fetch, *, fresh: bool = False
    ) -> Answer:
        """Return what is kept, or what another caller is just asking, or what `fetch` brings from Omie.

        `fresh`: nothing older than Omie would let us ask again (60 seconds), and nothing from before a write.
        Raises only what `fetch` raises, the caller's own or that of the flight it joined.
        """
        lives = freshness.life_seconds(method.path, method.call, method.kind) is not None
        if not lives or not self._configuration.get(CACHE_ENABLED):
            return self._answer(await fetch(), self._clock(), FROM_OMIE)
        key = CacheKey(str(company.id), self._digest(company, method, param), (freshness.entity_of(method.path),))
        question = _Question(company, method, key, fetch, self._clock() - _FRESH if fresh else _NO_TIME)
        return await self._found(question.key, question.since) or await self._asked(question)

    async def written(self, company: Company, method: Method) -> None:
        """Make old whatever a write may have changed. For every write that may have reached Omie, ended well or not."""
        await self.settled(company.id, (method.endpoint,))

    async def settled(self, company: UUID, endpoints: Iterable[str]) -> None:
        """Make old what writes in doubt may have changed, once it is known what became of them."""
        await self.changed(company, (endpoint.rpartition("/")[0] for endpoint in endpoints))

    async def changed(self, company: UUID, services: Iterable[str]) -> bool:
        """Make old whatever a change of these services may have changed, whoever made it.

        False: Valkey is away. It is told when it answers again, while this process lives.
        """
        touched = dict.fromkeys(entity for path in services for entity in freshness.touched_by(path))
        return not touched or await self._invalidations.send(str(company), tuple(touched))

    async def forget(self, company: UUID, catalog: Catalog) -> None:
        """Make old whatever is kept of a company, also while Valkey is away. Omie is asked when somebody asks."""
        await self._invalidations.send(str(company), tuple(map(freshness.entity_of, catalog.services)))

    async def kept(self, company: Company, method: Method, param: Mapping[str, Any]) -> Answer | None:
        """Return what is at hand for a question, without asking Omie; None also while Valkey is away."""
        key = CacheKey(str(company.id), self._digest(company, method, param), (freshness.entity_of(method.path),))
        return await self._found(key, _NO_TIME)

    async def warm(
        self, company: Company, catalog: Catalog, fetch: Callable[[Method, Mapping[str, Any]], Awaitable[Payload]]
    ) -> int:
        """Have the small tables at hand before somebody asks; return how many pages are.

        A table that Omie refuses is left out; nothing is raised.
        """
        pages = 0
        for path, call in freshness.WARM:
            with suppress(ControlError):
                async for _ in self._pages(company, catalog.method(path, call), fetch):
                    pages += 1
        return pages

    async def _pages(
        self, company: Company, method: Method, fetch: Callable[[Method, Mapping[str, Any]], Awaitable[Payload]]
    ) -> AsyncIterator[Answer]:
        for number in range(1, _WARM_PAGES + 1):
            param = page_param(method, number)
            answer = await self.read(company, method, param, lambda param=param: fetch(method, param))  # type: ignore[misc]
            yield answer
            if number >= _page_count(method, answer.payload):
                return

    async def _found(self, key: CacheKey, since: datetime) -> Answer | None:
        if self._is_owed(key):
            return None
        try:
            found = await self._cache.get(key)
        except CacheAway:
            return None
        return await self._opened(key, since, found, FROM_CACHE)

    async def _opened(self, key: CacheKey, since: datetime, found: Cached | None, source: str) -> Answer | None:
        if found is None or found.stored_at < since:
            return None
        payload = await self._sealer.open(key, found.value)
        return None if payload is None else self._answer(payload, found.stored_at, source)

    async def _asked(self, question: _Question) -> Answer:
        """Follow the flight of this question, or fly; whoever followed one that failed alone looks again."""
        while True:
            seen = await self._versions(question.key)
            id = (question.key, seen, self._invalidations.writes(question.key.company, question.key.entities))
            if not self._flights.is_flying(id):
                return await self._fly(id, question, seen)
            landed = await self._flights.join(id)
            if landed is not None and landed.stored_at >= question.since:
                return self._answer(answer_bodies.read(landed.clear), landed.stored_at, FROM_FLIGHT)

    async def _fly(self, id: object, question: _Question, seen: Versions | None) -> Answer:
        brought: list[Answer] = []

        async def ask() -> Landed:
            answer, clear = await self._led(question, seen)
            brought.append(answer)
            return Landed(clear, answer.stored_at)

        await self._flights.fly(id, ask)
        return brought[0]

    async def _led(self, question: _Question, seen: Versions | None) -> tuple[Answer, bytes]:
        """Ask Omie when this process has the lead among all; else wait for the one who has."""
        while seen is not None:
            try:
                async with leading(self._cache, question.key, seen) as is_ours:
                    if is_ours:
                        # Another process may have landed between our look and our lead.
                        found = await self._found(question.key, question.since)
                        return _with_clear(found) if found else await self._fetched(question, seen)
                waited = await self._cache.wait(question.key, seen, LEASE_SECONDS, since=question.since)
            except CacheAway:
                break
            answer = await self._opened(question.key, question.since, waited, FROM_FLIGHT)
            if answer is not None:
                return _with_clear(answer)
            seen = await self._versions(question.key)
        return await self._fetched(question, None)

    async def _fetched(self, question: _Question, seen: Versions | None) -> tuple[Answer, bytes]:
        payload = await question.fetch()
        now = self._clock()
        clear = answer_bodies.write(payload)
        if seen is not None:
            await self._keep(question, seen, clear, now, is_empty=payload.is_empty_page)
        return self._answer(payload, now, FROM_OMIE), clear

    async def _keep(self, question: _Question, seen: Versions, clear: bytes, now: datetime, *, is_empty: bool) -> None:
        method = question.method
        life = freshness.life_seconds(method.path, method.call, method.kind, is_empty=is_empty)
        sealed = await self._sealer.seal(question.company.id, question.key, clear, now)
        if life is None or sealed is None:
            return
        with suppress(CacheAway):
            await self._cache.put(question.key, sealed, ttl_seconds=life, seen=seen, stored_at=now)

    async def _versions(self, key: CacheKey) -> Versions | None:
        """Return the generations to ask under; None while Valkey cannot be trusted with this question."""
        if self._is_owed(key):
            return None
        try:
            return await self._cache.versions(key.company, key.entities)
        except CacheAway:
            return None

    def _is_owed(self, key: CacheKey) -> bool:
        return self._invalidations.is_owed(key.company, key.entities)

    def _digest(self, company: Company, method: Method, param: Mapping[str, Any]) -> str:
        # Keyed: a CPF in a question could be guessed from a plain hash of it.
        # The seal: of another application, the same question has another answer.
        text = f"answers/{company.id}/{company.seal}/{method.endpoint}/{canonical(param).decode()}"
        return self._keys.hasher.digest(text).hex()

    def _answer(self, payload: Payload, stored_at: datetime, source: str) -> Answer:
        return Answer(payload, max(0.0, (self._clock() - stored_at).total_seconds()), source, stored_at)


def _with_clear(answer: Answer) -> tuple[Answer, bytes]:
    return answer, answer_bodies.write(answer.payload)


def page_param(method: Method, page: int = 1, rows: int = _WARM_PAGE_ROWS) -> dict[str, Any]:
    """Return the plain question for one page of a table, the same wherever it is asked: that makes it a hit."""
    if method.paging is None:
        return {}
    return {method.paging.page: page, method.paging.size: rows}


def _page_count(method: Method, payload: Payload) -> int:
    name = method.paging.answered_pages if method.paging is not None else None
    count = payload.data.get(name) if name is not None else None
    return count if isinstance(count, int) and not payload.is_empty_page and not payload.is_past_end else 1
