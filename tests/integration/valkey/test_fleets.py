"""Every room of Valkey behind sentinels and on a cluster, and through the loss of the server that leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import DataError, RedisError
from tests.conftest import TIMEZONE, Database, eventually
from tests.fixtures_gate import WRITE, ask, open_gate, read_pages
from tests.integration.services.test_gate import FEW, PACE, judge, scaled, violations
from tests.integration.valkey.fleets import Clustered, Fleet, Watched, running

from omie_control.app import open_app
from omie_control.domain.executions import Change, Status
from omie_control.domain.gate import Verdict
from omie_control.settings import Settings
from omie_control.telemetry import Event, subscribe
from omie_control.valkey import Bus, Live, Sessions, connect
from omie_control.valkey.cache import Cache, CacheAway, CacheKey
from omie_control.valkey.exports import ExportStore
from omie_control.valkey.purges import purge

AT = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
KEY = CacheKey("padaria", "d1", ("geral/clientes", "geral/produtos"))
SCALE = 30.0
# Longer than any failover takes, on a machine that has a lot to do.
PATIENT = {"patience_seconds": 100.0}

Kind = type[Watched] | type[Clustered]


@pytest.fixture
def told() -> Iterator[list[Event]]:
    heard: list[Event] = []
    end = subscribe(lambda event, facts: heard.append(event))
    yield heard
    end()


def changes(first: int, count: int) -> list[Change]:
    return [Change(f"consultar_{n}", "consultar", Status.COMPLETED, AT) for n in range(first, first + count)]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("kind", [Watched, Clustered])
async def test_every_room_works_and_the_app_starts(kind: Kind, database: Database, tmp_path: Path) -> None:
    async with running(kind) as fleet:
        await _rooms_work(fleet, database)
        await _app_starts(fleet, database, tmp_path)


async def _rooms_work(fleet: Fleet, database: Database) -> None:
    async with open_gate(database.app_url, fleet.url, pace=PACE) as house:
        await _cache_works(Cache(house.redis))
        await _exports_work(house.redis)
        await _purges_work(house.redis)
        live, bus = Live(house.redis), Bus(house.redis)
        await live.open()
        listening = asyncio.create_task(_hears(bus, "consultar_999"))
        await eventually(lambda: _is_up(bus))
        live.note(changes(0, 1000))
        await asyncio.wait_for(listening, 60)
        sessions = Sessions(house.redis, live)
        for number in range(50):
            sessions.note(f"s{number}", "token:claude", "http")
        await eventually(lambda: _has(sessions, 50))
        kept = [await house.redis.ttl(f"process:consultar_{number}") for number in range(1000)]
        assert min(kept) > 80_000
        assert await house.redis.hgetall(f"live:second:{int(AT.timestamp())}") == {b"completed": b"1000"}
        first = await house.gate.enter(ask(1, endpoint=WRITE, writes=True))
        second = asyncio.create_task(house.gate.enter(ask(2, endpoint=WRITE, writes=True)))
        await eventually(lambda: _waits(house.redis))
        await house.gate.leave(first, Verdict.DONE)
        await house.gate.leave(await second, Verdict.DONE)
        await bus.close()
        await live.close()
        assert live.is_up


@pytest.mark.parametrize(("kind", "how"), [(Watched, "killed"), (Watched, "frozen"), (Clustered, "killed")])
async def test_the_leading_server_falls_under_load(kind: Kind, how: str, database: Database, told: list[Event]) -> None:
    async with (
        running(kind) as fleet,
        judge(SCALE) as (server, client),
        open_gate(database.app_url, fleet.url, scaled(SCALE), PACE) as house,
    ):
        live, cache = Live(house.redis), Cache(house.redis)
        await live.open()
        noting = asyncio.create_task(_note_on(live))
        reading = asyncio.create_task(read_pages(house.gate, server, client, range(1, 2 * FEW), 8, **PATIENT))
        await eventually(lambda: _is(lambda: len(server.simulator.book.entries) > FEW // 2))
        leader = await fleet.leader()
        before = len(told)
        leader.kill() if how == "killed" else leader.freeze()
        seen = await asyncio.wait_for(reading, 120)
        await eventually(lambda: _cache_lives(cache), within=60)
        # Whether PostgreSQL decided meanwhile is a matter of who was quicker; whoever leads now begins an epoch.
        await eventually(lambda: _is(lambda: Event.GATE_REBUILT in told[before:]), within=60)
        if how == "frozen":
            leader.thaw()
        pages = read_pages(house.gate, server, client, range(5000, 5000 + FEW // 2), 8, **PATIENT)
        again = await asyncio.wait_for(pages, 120)
        noting.cancel()
        await eventually(lambda: _goes_on(live, house.redis), within=60)
        await eventually(lambda: _is(lambda: live.is_up), within=60)
        lost_and_back = [event for event in told if event in (Event.LIVE_LOST, Event.LIVE_BACK)]
        await live.close()
        assert violations(server) == []
        assert set(seen) == set(again) == {Verdict.DONE}
        # Each loss is told once, and its end: how many there are is up to the machine.
        assert lost_and_back == [Event.LIVE_LOST, Event.LIVE_BACK] * (len(lost_and_back) // 2)
        assert Event.LOOP_FAILED not in told


async def _app_starts(fleet: Fleet, database: Database, tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "OMIE_CONTROL_DATABASE_URL": database.app_url,
            "OMIE_CONTROL_DATABASE_OWNER_URL": database.owner_url,
            "OMIE_CONTROL_VALKEY_URL": fleet.url,
            "OMIE_CONTROL_HOME": str(tmp_path),
            "OMIE_CONTROL_TZ": TIMEZONE,
        }
    )
    async with open_app(settings, kind="serve") as app:
        assert await app.db.redis.ping()
        assert (await app.db.redis.info("server"))["valkey_version"]
        state = await app.services.system.probe()
        assert (state.is_ready, state.degraded, state.active_sessions) == (True, [], 50)


@pytest.mark.usefixtures("patient")
async def test_a_slot_moves_under_load_and_no_limit_breaks(database: Database) -> None:
    async with (
        running(Clustered) as fleet,
        judge(SCALE) as (server, client),
        open_gate(database.app_url, fleet.url, scaled(SCALE), PACE) as house,
    ):
        assert isinstance(fleet, Clustered)
        live = Live(house.redis)
        await live.open()
        reading = asyncio.create_task(read_pages(house.gate, server, client, range(1, 2 * FEW), 8, **PATIENT))
        await eventually(lambda: _is(lambda: len(server.simulator.book.entries) > FEW // 2))
        await fleet.move_the_gate()
        assert set(await asyncio.wait_for(reading, 120)) == {Verdict.DONE}
        await eventually(lambda: _goes_on(live, house.redis))
        await live.close()
        assert violations(server) == []


async def test_a_cluster_refuses_what_would_reach_one_node_only() -> None:
    client = connect("redis+cluster://127.0.0.1:1")
    for command in ("SCAN 0", "FLUSHDB", "KEYS *", "WATCH k", "GET"):
        with pytest.raises(DataError):
            await client.execute_command(*command.split())  # type: ignore[no-untyped-call]
    with pytest.raises(DataError):
        client.pipeline()
    await client.aclose()


async def _cache_works(cache: Cache, key: CacheKey = KEY) -> None:
    seen = await cache.versions(key.company, key.entities)
    assert await cache.lead(key, seen, "one", 60) and not await cache.lead(key, seen, "two", 60)
    assert await cache.put(key, b"sealed", ttl_seconds=60, seen=seen, stored_at=AT)
    found = await cache.wait(key, seen, 1, since=AT)
    assert found is not None and found.value == b"sealed"
    await cache.release(key, seen, "one")
    await cache.invalidate(key.company, key.entities[1:])
    assert await cache.get(key) is None


async def _exports_work(redis: Redis) -> None:
    store = ExportStore(redis)
    for number in (1, 2):
        await store.put("padaria", "e1", number, b"parte %d" % number, {"parts": number})
        await redis.expire(f"export:{{padaria}}:part:e1:{number}", 60)
    await store.renew("padaria", "e1", 2)
    assert [await store.part("padaria", "e1", number) for number in (1, 2, 3)] == [b"parte 1", b"parte 2", None]
    assert await store.progress("padaria", "e1") == {"parts": 2}
    assert await redis.ttl("export:{padaria}:part:e1:1") > 3_000


async def _purges_work(redis: Redis) -> None:
    cache, store = Cache(redis), ExportStore(redis)
    companies = ["padaria", *(f"empresa{number}" for number in range(30))]
    for company in companies:
        key = replace(KEY, company=company)
        seen = await cache.versions(company, key.entities)
        assert await cache.put(key, b"sealed", ttl_seconds=60, seen=seen, stored_at=AT)
    await store.put("padaria", "e2", 1, b"parte", {"parts": 1})
    assert await purge(redis, "padaria") == 1 + 3
    assert await cache.get(replace(KEY, company="padaria")) is None
    assert await cache.get(replace(KEY, company="empresa7")) is not None
    assert await purge(redis) == 30
    assert await cache.get(replace(KEY, company="empresa7")) is None


async def _cache_lives(cache: Cache) -> bool:
    with suppress(CacheAway):
        # A question of its own: the lead of a try that a falling server broke off lasts on.
        await _cache_works(cache, replace(KEY, digest=uuid4().hex))
        return True
    return False


async def _note_on(live: Live) -> None:
    number = 0
    while True:
        live.note(changes(number, 10))
        number += 10
        await asyncio.sleep(0.01)


async def _hears(bus: Bus, execution_id: str) -> None:
    async with aclosing(bus.listen()) as heard:
        async for change in heard:
            if change is not None and change.execution_id == execution_id:
                return


async def _is(condition: Callable[[], bool]) -> bool:
    return condition()


async def _is_up(bus: Bus) -> bool:
    return bus.is_up


async def _has(sessions: Sessions, number: int) -> bool:
    return len(await sessions.active() or []) == number


async def _waits(client: Redis) -> bool:
    return bool(await client.hlen("gate:{default}:waiters") == 1)


async def _goes_on(live: Live, client: Redis) -> bool:
    # Noted again each time: what a master had not passed on when it fell is gone, and may be.
    live.note(changes(10**6, 300))
    await asyncio.sleep(0.05)
    with suppress(RedisError, OSError):
        return bool(await client.exists(f"process:consultar_{10**6 + 299}"))
    return False
