"""The cache in a real Valkey: generations, leases, and quick to say that it is away."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio
from tests.conftest import eventually
from tests.integration.valkey.conftest import OwnValkey

from omie_control.valkey import cache as cache_module
from omie_control.valkey import connection
from omie_control.valkey.cache import Cache, CacheAway, CacheKey, Versions

pytestmark = pytest.mark.usefixtures("patient")

AT = datetime(2026, 11, 23, 15, 0, 7, 123456, tzinfo=UTC)
LONG_AGO = AT - timedelta(days=1)
KEY = CacheKey("padaria", "d1", ("geral/clientes",))
OTHER = CacheKey("oficina", "d1", ("geral/clientes",))
# What a connection waits for an answer in life; the cache waits half as long.
HASTY_SECONDS = connection.TIMEOUT_SECONDS


@pytest.fixture
def cache(own_client: redis.asyncio.Redis) -> Cache:
    return Cache(own_client)


async def seen(cache: Cache, key: CacheKey = KEY) -> Versions:
    return await cache.versions(key.company, key.entities)


async def keep(cache: Cache, key: CacheKey = KEY, value: bytes = b"sealed", versions: Versions | None = None) -> bool:
    versions = await seen(cache, key) if versions is None else versions
    return await cache.put(key, value, ttl_seconds=60, seen=versions, stored_at=AT)


async def test_what_was_put_is_found_with_its_instant(cache: Cache) -> None:
    assert await cache.get(KEY) is None
    assert await keep(cache)
    found = await cache.get(KEY)
    assert found is not None
    assert (found.value, found.stored_at) == (b"sealed", AT)


async def test_a_write_makes_old_what_its_own_company_kept(cache: Cache) -> None:
    await keep(cache)
    await keep(cache, OTHER)
    await cache.invalidate("padaria", ["geral/clientes", "crm/contas"])
    assert await cache.get(KEY) is None
    assert await cache.get(OTHER) is not None


async def test_an_answer_from_before_a_write_is_not_kept(cache: Cache) -> None:
    before = await seen(cache)
    await cache.invalidate("padaria", ["geral/clientes"])
    assert not await keep(cache, versions=before)
    assert await cache.get(KEY) is None


async def test_an_answer_from_before_a_write_is_not_kept_even_when_valkey_forgot_both(
    cache: Cache, own_client: redis.asyncio.Redis
) -> None:
    before = await seen(cache)
    await cache.invalidate("padaria", ["geral/clientes"])
    await own_client.flushall()
    await seen(cache)
    assert not await keep(cache, versions=before)


async def test_every_key_expires_and_generations_outlive_values(cache: Cache, own_client: redis.asyncio.Redis) -> None:
    versions = await seen(cache)
    await keep(cache)
    await cache.invalidate("padaria", ["geral/clientes", "financas/mf"])
    assert await cache.lead(KEY, versions, "one", 60)
    spans = {key.decode(): await own_client.ttl(key) async for key in own_client.scan_iter()}
    assert len(spans) == 4
    assert all(span > 0 for span in spans.values())
    assert min(span for key, span in spans.items() if ":generation:" in key) > 86_400


async def test_one_leads_and_the_next_when_it_gives_back(cache: Cache) -> None:
    versions = await seen(cache)
    assert await cache.lead(KEY, versions, "one", 60)
    assert not await cache.lead(KEY, versions, "two", 60)
    await cache.release(KEY, versions, "two")
    assert not await cache.lead(KEY, versions, "two", 60)
    assert await cache.renew(KEY, versions, "one", 60)
    await cache.release(KEY, versions, "one")
    assert await cache.lead(KEY, versions, "two", 60)
    assert not await cache.renew(KEY, versions, "one", 60)


async def test_a_dead_leader_frees_the_lead_by_its_lease(cache: Cache) -> None:
    versions = await seen(cache)
    assert await cache.lead(KEY, versions, "dead", 0.2)

    async def led() -> bool:
        return await cache.lead(KEY, versions, "next", 5)

    await eventually(led)


async def test_who_waits_gets_the_leaders_answer_or_hears_that_there_is_none(cache: Cache) -> None:
    versions = await seen(cache)
    await cache.lead(KEY, versions, "one", 30)
    waiting = asyncio.create_task(cache.wait(KEY, versions, 30, since=LONG_AGO))
    await asyncio.sleep(0)
    await keep(cache)
    found = await waiting
    assert found is not None and found.value == b"sealed"
    too_old = asyncio.create_task(cache.wait(KEY, versions, 30, since=AT + timedelta(seconds=1)))
    await asyncio.sleep(0)
    await cache.release(KEY, versions, "one")
    assert await too_old is None


async def test_a_flight_from_before_a_write_does_not_hold_up_one_after_it(cache: Cache) -> None:
    assert await cache.lead(KEY, await seen(cache), "one", 30)
    await cache.invalidate("padaria", ["geral/clientes"])
    assert await cache.lead(KEY, await seen(cache), "two", 30)


async def test_a_frozen_valkey_is_left_soon_and_not_asked_again_at_once(
    own_valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TIMEOUT_SECONDS", HASTY_SECONDS)
    client = connection.connect(own_valkey.url)
    cache = Cache(client)
    await keep(cache)
    monkeypatch.setattr(cache_module, "TIMEOUT_SECONDS", HASTY_SECONDS / 2)
    # Longer than in life, for a machine that pauses us between two questions.
    monkeypatch.setattr(cache_module, "_QUIET_SECONDS", 5.0)
    own_valkey.freeze()
    try:
        begun = time.monotonic()
        with pytest.raises(CacheAway):
            await cache.get(KEY)
        first = time.monotonic() - begun
        with pytest.raises(CacheAway, match="resting"):
            await cache.get(KEY)
        # As soon as in life, and what a busy machine adds.
        assert first < 5 * HASTY_SECONDS
    finally:
        own_valkey.thaw()
    monkeypatch.setattr(cache_module, "TIMEOUT_SECONDS", 20.0)

    async def back() -> bool:
        try:
            return await cache.get(KEY) is not None
        except CacheAway:
            return False

    await eventually(back)
    await client.aclose()
