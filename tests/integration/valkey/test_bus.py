"""Hints travel from whoever commits to whoever looks; without Valkey there are ticks instead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import redis.asyncio
from asyncpg.pgproto.pgproto import UUID as DriverUUID
from tests.conftest import eventually
from tests.integration.valkey.conftest import OwnValkey

from omie_control.domain.executions import Change, Status
from omie_control.valkey import Bus, Live

pytestmark = pytest.mark.usefixtures("patient")

COMPANY = UUID("01990000-0000-7000-8000-000000000001")
CHANGE = Change("fechar_mes_1", "fechar_mes", Status.COMPLETED, datetime(2026, 11, 23, tzinfo=UTC), COMPANY)


@pytest.fixture
async def live(own_client: redis.asyncio.Redis) -> AsyncIterator[Live]:
    made = Live(own_client)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def bus(own_client: redis.asyncio.Redis) -> AsyncIterator[Bus]:
    made = Bus(own_client)
    yield made
    await made.close()


async def is_connected(bus: Bus) -> None:
    async def condition() -> bool:
        return bus.is_up

    await eventually(condition)


async def first_change(bus: Bus) -> Change:
    async with asyncio.timeout(60), aclosing(bus.listen()) as changes:
        async for change in changes:
            if change is not None:
                return change
    raise AssertionError("the bus ended")


async def test_two_listeners_hear_a_change_over_one_subscription(
    bus: Bus, live: Live, own_client: redis.asyncio.Redis
) -> None:
    async with asyncio.TaskGroup() as group:
        heard = [group.create_task(first_change(bus)) for _ in range(2)]
        await is_connected(bus)
        assert (await own_client.pubsub_numsub("live:changes"))[0][1] == 1
        live.note([CHANGE])
    assert [task.result().execution_id for task in heard] == ["fechar_mes_1", "fechar_mes_1"]
    assert heard[0].result().company_id == COMPANY


async def test_a_change_of_a_row_that_was_read_is_heard_as_any_other(bus: Bus, live: Live) -> None:
    # As a rescue tells them, and the end of what another process began: the driver has a UUID of its own.
    listening = asyncio.create_task(first_change(bus))
    await is_connected(bus)
    live.note([replace(CHANGE, company_id=DriverUUID(str(COMPANY)))])
    assert (await listening).company_id == COMPANY


async def test_the_last_listener_lets_go_of_valkey(bus: Bus, live: Live, own_client: redis.asyncio.Redis) -> None:
    listening = asyncio.create_task(first_change(bus))
    await is_connected(bus)
    live.note([CHANGE])
    await listening

    async def is_free() -> bool:
        return bool((await own_client.pubsub_numsub("live:changes"))[0][1] == 0)

    await eventually(is_free)


async def test_without_valkey_a_listener_gets_ticks(bus: Bus, own_valkey: OwnValkey) -> None:
    own_valkey.kill()
    async with asyncio.timeout(60), aclosing(bus.listen()) as changes:
        assert [await anext(changes), await anext(changes)] == [None, None]
    assert not bus.is_up


async def test_a_listener_hears_again_after_valkey_came_back(bus: Bus, live: Live, own_valkey: OwnValkey) -> None:
    listening = asyncio.create_task(first_change(bus))
    await is_connected(bus)
    own_valkey.kill()

    async def is_lost() -> bool:
        return not bus.is_up

    await eventually(is_lost)
    own_valkey.start()
    await is_connected(bus)
    live.note([CHANGE])
    assert (await listening).execution_id == "fechar_mes_1"


async def test_closing_ends_every_listener_at_once(bus: Bus) -> None:
    async def listen() -> int:
        return len([change async for change in bus.listen()])

    listening = asyncio.create_task(listen())
    await is_connected(bus)
    await bus.close()
    async with asyncio.timeout(60):
        await listening


async def test_a_message_of_somebody_else_is_passed_over(bus: Bus, live: Live, own_client: redis.asyncio.Redis) -> None:
    listening = asyncio.create_task(first_change(bus))
    await is_connected(bus)
    for nonsense in (b"", b"{", b"[1]", b'[{"execution_id": 1}]', b'[{"status": "gone"}]'):
        await own_client.publish("live:changes", nonsense)
    live.note([CHANGE])
    assert (await listening).execution_id == "fechar_mes_1"
