"""The live view in Valkey: written word for word, never waited for, back by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import redis.asyncio
from tests.conftest import eventually
from tests.integration.valkey.conftest import OwnValkey

from omie_control.domain.executions import Change, Status
from omie_control.telemetry import Event, subscribe
from omie_control.valkey import Live, Sessions
from omie_control.valkey import live as live_module
from omie_control.valkey.live import ENDED_SECONDS, MINUTE_COUNTER_SECONDS, RUNNING_SECONDS, SECOND_COUNTER_SECONDS

pytestmark = pytest.mark.usefixtures("patient")

AT = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)


@pytest.fixture
async def live(own_client: redis.asyncio.Redis) -> AsyncIterator[Live]:
    made = Live(own_client)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def told() -> AsyncIterator[list[tuple[Event, dict[str, Any]]]]:
    heard: list[tuple[Event, dict[str, Any]]] = []
    leave = subscribe(lambda event, facts: heard.append((event, facts)))
    yield heard
    leave()


def change(number: int, status: Status = Status.RUNNING) -> Change:
    return Change(f"consultar_clientes_{number}", "consultar_clientes", status, AT)


def holds(client: redis.asyncio.Redis, key: str) -> Callable[[], Any]:
    async def condition() -> bool:
        return bool(await client.exists(key))

    return condition


async def test_a_start_is_kept_for_an_hour_in_the_words_of_the_contract(
    live: Live, own_client: redis.asyncio.Redis
) -> None:
    live.note([change(1)])
    await eventually(holds(own_client, "process:consultar_clientes_1"))
    kept = orjson.loads(await own_client.get("process:consultar_clientes_1"))
    assert kept == {
        "status": "running",
        "started_at": "2026-11-23T15:00:07+00:00",
        "process_type": "consultar_clientes",
    }
    assert RUNNING_SECONDS - 300 <= await own_client.ttl("process:consultar_clientes_1") <= RUNNING_SECONDS


@pytest.mark.parametrize(("status", "success"), [(Status.COMPLETED, True), (Status.FAILED, False)])
async def test_an_end_is_kept_for_a_day_and_says_whether_it_went_well(
    live: Live, own_client: redis.asyncio.Redis, status: Status, success: bool
) -> None:
    live.note([change(1), change(1, status)])
    await eventually(holds(own_client, "process:consultar_clientes_1"))
    kept = orjson.loads(await own_client.get("process:consultar_clientes_1"))
    assert kept == {"status": status.value, "completed_at": "2026-11-23T15:00:07+00:00", "success": success}
    assert ENDED_SECONDS - 300 <= await own_client.ttl("process:consultar_clientes_1") <= ENDED_SECONDS


async def test_counters_add_up_per_second_and_minute(live: Live, own_client: redis.asyncio.Redis) -> None:
    live.note([change(n, Status.COMPLETED) for n in range(700)] + [change(n, Status.FAILED) for n in range(3)])
    second, minute = f"live:second:{int(AT.timestamp())}", f"live:minute:{int(AT.timestamp()) - 7}"

    async def is_counted() -> bool:
        return await own_client.hgetall(minute) == {b"completed": b"700", b"failed": b"3"}

    await eventually(is_counted)
    assert await own_client.hgetall(second) == {b"completed": b"700", b"failed": b"3"}
    assert 0 < await own_client.ttl(second) <= SECOND_COUNTER_SECONDS
    assert 0 < await own_client.ttl(minute) <= MINUTE_COUNTER_SECONDS


async def test_every_key_expires(live: Live, own_client: redis.asyncio.Redis) -> None:
    Sessions(own_client, live).note("s1", "token:claude", "http")
    live.note([change(1), change(2, Status.COMPLETED)])
    await eventually(holds(own_client, "process:consultar_clientes_2"))
    keys = [key async for key in own_client.scan_iter()]
    assert len(keys) == 6
    assert [key for key in keys if await own_client.ttl(key) <= 0] == []


def slowest_of(live: Live) -> float:
    """Note many ends, and return the seconds that the slowest took."""
    slowest = 0.0
    for number in range(2_000):
        began = time.perf_counter()
        live.note([change(number, Status.COMPLETED)])
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


async def test_a_frozen_valkey_delays_nobody_and_is_told_once(
    live: Live,
    own_valkey: OwnValkey,
    own_client: redis.asyncio.Redis,
    told: list[tuple[Event, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live.note([change(0)])
    await eventually(holds(own_client, "process:consultar_clientes_0"))
    monkeypatch.setattr(live_module, "TIMEOUT_SECONDS", 1.0)
    own_valkey.freeze()
    slowest = [slowest_of(live), slowest_of(live), slowest_of(live)]
    # Whoever waited for the server would do so every time; a busy machine does not pause us every time.
    assert min(slowest) < 0.9, slowest

    async def is_lost() -> bool:
        return not live.is_up

    await eventually(is_lost)
    assert live.down_since is not None
    # Once it goes on it is not lost again, however slow it is.
    monkeypatch.setattr(live_module, "TIMEOUT_SECONDS", 20.0)
    own_valkey.thaw()
    await eventually(holds(own_client, "process:consultar_clientes_1999"))

    async def is_back() -> bool:
        return live.is_up

    await eventually(is_back)
    assert [event for event, _ in told if event in (Event.LIVE_LOST, Event.LIVE_BACK)] == [
        Event.LIVE_LOST,
        Event.LIVE_BACK,
    ]


async def test_a_killed_valkey_gets_what_waited_when_it_is_back(
    live: Live, own_valkey: OwnValkey, own_client: redis.asyncio.Redis
) -> None:
    live.note([change(1)])
    await eventually(holds(own_client, "process:consultar_clientes_1"))
    own_valkey.kill()
    live.note([change(2, Status.COMPLETED)])

    async def is_lost() -> bool:
        return not live.is_up

    await eventually(is_lost)
    own_valkey.start()
    await eventually(holds(own_client, "process:consultar_clientes_2"))


async def test_away_for_long_the_newest_changes_are_kept_and_memory_is_bounded(
    live: Live, own_valkey: OwnValkey, own_client: redis.asyncio.Redis, told: list[tuple[Event, dict[str, Any]]]
) -> None:
    own_valkey.kill()
    live.note([change(number) for number in range(60_000)])
    own_valkey.start()
    await eventually(holds(own_client, "process:consultar_clientes_59999"), within=60)
    assert not await own_client.exists("process:consultar_clientes_0")


async def test_closing_flushes_what_was_noted_last(own_client: redis.asyncio.Redis) -> None:
    live = Live(own_client)
    await live.open()
    live.note([change(7, Status.COMPLETED)])
    await live.close()
    assert await own_client.exists("process:consultar_clientes_7")


async def test_closing_does_not_wait_for_a_frozen_valkey(
    own_valkey: OwnValkey, own_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "TIMEOUT_SECONDS", 1.0)
    live = Live(own_client)
    await live.open()
    own_valkey.freeze()
    live.note([change(7)])
    # Whoever waited for the server would wait for ever.
    async with asyncio.timeout(60):
        await live.close()
