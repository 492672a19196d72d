"""The script alone, against a real Valkey: every rule on the server's clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
import redis.asyncio
from tests.conftest import eventually
from tests.fixtures_gate import WRITE, ask
from tests.integration.valkey.conftest import OwnValkey

from omie_control.domain.gate import (
    Admitted,
    Answer,
    Ask,
    Limits,
    Line,
    Memory,
    TurnedAway,
    Verdict,
    Wait,
    Why,
    leaving,
)
from omie_control.valkey.connection import connect
from omie_control.valkey.gate import EpochLost, ValkeyGate, ValkeyLost

pytestmark = pytest.mark.usefixtures("patient")

# Omie's own, but for what passes between two steps of a test: a slow machine must not make it pass.
LIMITS = replace(Limits(), window_seconds=600.0, lease_seconds=750.0, pause_seconds=600.0, waiter_seconds=60.0)
# What rounding to milliseconds may make of a span.
SLACK = 0.05


class Door:
    """A gate in its first epoch."""

    def __init__(self, redis: redis.asyncio.Redis, limits: Limits = LIMITS) -> None:
        self.redis = redis
        self.gate = ValkeyGate(redis, limits)

    async def enter(self, asked: Ask, id: str | None = None, *, patience: float = 20.0, waited: float = 0.0) -> Answer:
        return await self.gate.enter("1", id or str(uuid4()), asked, patience=patience, waited=waited)

    async def go(self, asked: Ask) -> str:
        id = str(uuid4())
        assert isinstance(await self.enter(asked, id), Admitted)
        return id

    async def leave(self, id: str, asked: Ask, verdict: Verdict = Verdict.DONE, seconds: float = 0.0) -> Line | None:
        passage = leaving(id, asked, verdict, seconds, self.gate.limits)
        return await self.gate.leave("1", asked, passage, verdict, seconds)

    async def fail(self, times: int, verdict: Verdict = Verdict.FAULT, start: int = 0) -> None:
        for number in range(start, start + times):
            await self.leave(await self.go(ask(number)), ask(number), verdict)


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    client = connect(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
async def door(client: redis.asyncio.Redis) -> AsyncIterator[Door]:
    yield await opened(client, LIMITS)


async def opened(client: redis.asyncio.Redis, limits: Limits) -> Door:
    made = Door(client, limits)
    assert await made.gate.seed("default", "1", await made.gate.seen_epoch("default"), Memory())
    return made


async def test_four_reads_at_once_pass_and_the_fifth_waits(door: Door) -> None:
    ids = [await door.go(ask(number)) for number in range(4)]
    fifth = await door.enter(ask(5), "00000000-0000-4000-8000-000000000005")
    assert isinstance(fifth, Wait) and fifth.why is Why.CROWD
    await door.leave(ids[0], ask(0))
    assert isinstance(await door.enter(ask(5), "00000000-0000-4000-8000-000000000005"), Admitted)


async def test_one_write_at_once_passes(door: Door) -> None:
    first = ask(1, endpoint=WRITE, writes=True)
    id = await door.go(first)
    other = str(uuid4())
    assert isinstance(await door.enter(ask(2, endpoint=WRITE, writes=True), other), Wait)
    await door.leave(id, first)
    assert isinstance(await door.enter(ask(2, endpoint=WRITE, writes=True), other), Admitted)


async def test_the_call_after_the_last_of_a_minute_is_told_how_long(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS, per_method=3))
    for number in range(3):
        await door.leave(await door.go(ask(number)), ask(number))
    away = await door.enter(ask(9))
    assert isinstance(away, TurnedAway) and away.why is Why.RATE
    assert 500 < away.seconds <= LIMITS.held_seconds
    waits = await door.enter(ask(9), patience=900)
    assert isinstance(waits, Wait) and waits.why is Why.RATE and waits.seconds > 500
    assert isinstance(await door.enter(ask(9, endpoint="geral/produtos/ListarProdutos")), Admitted)


async def test_the_egress_has_a_limit_over_all_companies(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS, per_egress=3))
    for number in range(3):
        await door.go(ask(number, app_key=f"key{number}"))
    away = await door.enter(ask(9, app_key="key9"))
    assert isinstance(away, TurnedAway) and away.why is Why.RATE


async def test_a_call_still_running_counts_however_long_it_takes(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS.scaled(600), per_method=1, lease_seconds=300))
    id = await door.go(ask(1))
    waits = await door.enter(ask(2))
    assert isinstance(waits, Wait)
    score = await client.zscore("gate:{default}:window:" + ask(1).line, id)
    server = (await client.time())[0] * 1000
    assert score is not None and score > server + 200_000


async def test_the_same_call_is_refused_for_the_seconds_that_are_left(door: Door) -> None:
    await door.leave(await door.go(ask(1)), ask(1))
    again = await door.enter(ask(1))
    assert isinstance(again, TurnedAway) and again.why is Why.REDUNDANT
    assert 500 < again.seconds <= LIMITS.held_seconds
    assert isinstance(await door.enter(ask(2)), Admitted)


@pytest.mark.parametrize("verdict", [Verdict.REFUSED_BUSY, Verdict.REFUSED_RATE, Verdict.NOT_SENT])
async def test_a_call_that_was_proved_not_to_run_may_be_repeated(door: Door, verdict: Verdict) -> None:
    await door.leave(await door.go(ask(1)), ask(1), verdict)
    again = await door.enter(ask(1), patience=100)
    assert isinstance(again, Admitted) or again.why is Why.PAUSE


async def test_a_call_never_sent_uses_nothing(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS, per_method=1, per_egress=1))
    await door.leave(await door.go(ask(1)), ask(1), Verdict.NOT_SENT)
    await door.go(ask(1))


async def test_a_method_that_answered_1880_pauses_and_takes_one_at_a_time_from_then_on(
    client: redis.asyncio.Redis,
) -> None:
    door = await opened(client, replace(LIMITS, busy_first_seconds=1.5))
    id = await door.go(ask(1))
    began = time.monotonic()
    learnt = await door.leave(id, ask(1), Verdict.REFUSED_BUSY)
    assert learnt is not None and learnt.lone_for > 600_000

    second = str(uuid4())

    async def admits() -> bool:
        return isinstance(await door.enter(ask(2), second), Admitted)

    await eventually(admits)
    assert time.monotonic() - began > 1.5 - SLACK
    assert isinstance(await door.enter(ask(3)), Wait)


async def test_a_second_1880_in_a_row_pauses_for_a_minute(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS, busy_first_seconds=0.0, margin_seconds=0.0))
    await door.leave(await door.go(ask(1)), ask(1), Verdict.REFUSED_BUSY)
    line = await door.leave(await door.go(ask(1)), ask(1), Verdict.REFUSED_BUSY)
    assert line is not None and 60 < line.paused_for <= 61


async def test_too_many_requests_pause_their_method_for_a_minute(door: Door) -> None:
    await door.leave(await door.go(ask(1)), ask(1), Verdict.REFUSED_RATE)
    away = await door.enter(ask(2))
    assert isinstance(away, TurnedAway) and away.why is Why.PAUSE and away.seconds > 30


@pytest.mark.parametrize("verdict", [Verdict.FAULT, Verdict.UNKNOWN])
async def test_the_breaker_opens_at_the_sixth_error_in_a_row(client: redis.asyncio.Redis, verdict: Verdict) -> None:
    door = await opened(client, replace(LIMITS, linger_seconds=0.0))
    await door.fail(5, verdict)
    await door.leave(await door.go(ask(50)), ask(50))
    await door.fail(5, verdict, start=60)
    assert isinstance(await door.enter(ask(70)), Admitted)
    await door.fail(1, verdict, start=71)
    away = await door.enter(ask(80))
    assert isinstance(away, TurnedAway) and away.why is Why.BREAKER and away.seconds > 500


async def test_an_open_breaker_lets_one_known_good_read_try_and_closes_when_it_succeeds(
    client: redis.asyncio.Redis,
) -> None:
    door = await opened(client, replace(LIMITS, pause_seconds=1.5))
    await door.fail(5)
    began = time.monotonic()
    await door.fail(1, start=5)
    trial = ask(90, is_known_good=True)
    id, other = str(uuid4()), str(uuid4())

    async def tries() -> bool:
        return isinstance(await door.enter(trial, id), Admitted)

    await eventually(tries)
    assert time.monotonic() - began > 1.5 - SLACK
    assert isinstance(await door.enter(ask(91, is_known_good=True), other), Wait)
    assert isinstance(await door.enter(ask(92)), Wait)
    await door.leave(id, trial)
    assert isinstance(await door.enter(ask(91, is_known_good=True), other), Admitted)


async def test_calls_under_way_and_errors_together_never_reach_the_ten_of_omie(door: Door) -> None:
    await door.fail(5)
    for number in range(100, 104):
        await door.go(ask(number))
    assert isinstance(await door.enter(ask(110)), Wait)
    assert 5 + 4 <= LIMITS.errors_most < 10


async def test_a_block_shuts_every_method_of_the_company_and_no_other(door: Door) -> None:
    await door.gate.block("default", ask().app_key, 1800)
    for endpoint in (ask().endpoint, WRITE):
        away = await door.enter(ask(1, endpoint=endpoint))
        assert isinstance(away, TurnedAway) and away.why is Why.BLOCK and 1500 < away.seconds <= 1800
    await door.gate.block("default", ask().app_key, 10)
    longer = await door.enter(ask(1))
    assert isinstance(longer, TurnedAway) and longer.seconds > 1500
    assert isinstance(await door.enter(ask(1, app_key="other")), Admitted)


async def queue_up(door: Door, asks: list[Ask]) -> list[str]:
    ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(len(asks))]
    for number, (id, asked) in enumerate(zip(ids, asks, strict=True)):
        assert isinstance(await door.enter(asked, id, waited=100 - number), Wait)
    return ids


async def serve(door: Door, asks: list[Ask], ids: list[str], running: str, holder: Ask) -> list[int]:
    order: list[int] = []
    left = dict(enumerate(ids))
    while left:
        await door.leave(running, holder)
        for number, id in list(left.items()):
            if isinstance(await door.enter(asks[number], id, waited=100 - number), Admitted):
                order.append(number)
                running, holder = id, asks[number]
                del left[number]
                break
        else:
            raise AssertionError("nobody got the free place")
    return order


async def test_a_flood_of_one_company_or_caller_does_not_starve_another(door: Door) -> None:
    write = {"endpoint": WRITE, "writes": True}
    holder = ask("holder", **write)
    running = await door.go(holder)
    asks = [ask(n, caller="flood", **write) for n in range(6)]
    asks += [ask(10, caller="small", **write), ask(20, company="other", **write), ask(21, company="other", **write)]
    order = await serve(door, asks, await queue_up(door, asks), running, holder)
    assert order.index(7) <= 1 and order.index(8) <= 3
    assert order.index(6) <= 3
    flood = [number for number in order if number < 6]
    assert flood == sorted(flood)


async def test_background_waits_for_everybody_interactive(door: Door) -> None:
    write = {"endpoint": WRITE, "writes": True}
    holder = ask("holder", **write)
    running = await door.go(holder)
    asks = [ask(n, company=f"b{n}", is_background=True, **write) for n in range(2)]
    asks += [ask(n, **write) for n in range(10, 13)]
    order = await serve(door, asks, await queue_up(door, asks), running, holder)
    assert order[-2:] == [0, 1]


async def test_a_newcomer_does_not_overtake_those_who_wait(door: Door) -> None:
    ids = [await door.go(ask(number)) for number in range(4)]
    first = str(uuid4())
    assert isinstance(await door.enter(ask(5), first), Wait)
    await door.leave(ids[0], ask(0))
    assert isinstance(await door.enter(ask(6)), Wait)
    assert isinstance(await door.enter(ask(5), first, waited=1), Admitted)


async def test_a_dead_waiter_loses_its_place(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS, waiter_seconds=1.5))
    ids = [await door.go(ask(number)) for number in range(4)]
    began = time.monotonic()
    assert isinstance(await door.enter(ask(5)), Wait)
    await door.leave(ids[0], ask(0))
    living = str(uuid4())

    async def passes() -> bool:
        return isinstance(await door.enter(ask(6), living), Admitted)

    await eventually(passes)
    assert time.monotonic() - began > 1.5 - SLACK


async def test_a_dead_caller_gives_its_place_back_when_its_lease_ends(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS, lease_seconds=1.5))
    first, second = (ask(number, endpoint=WRITE, writes=True) for number in range(2))
    began = time.monotonic()
    await door.go(first)
    other = str(uuid4())

    async def passes() -> bool:
        return isinstance(await door.enter(second, other), Admitted)

    await eventually(passes)
    assert time.monotonic() - began > 1.5 - SLACK


async def test_a_full_queue_turns_people_away(client: redis.asyncio.Redis) -> None:
    door = await opened(client, replace(LIMITS, most_waiters=1))
    for number in range(4):
        await door.go(ask(number))
    assert isinstance(await door.enter(ask(5)), Wait)
    away = await door.enter(ask(6))
    assert isinstance(away, TurnedAway) and away.why is Why.QUEUE


async def test_an_epoch_is_lost_by_a_flush_and_by_a_new_server_that_does_not_know_the_script(door: Door) -> None:
    await door.go(ask(1))
    await door.redis.script_flush()
    with pytest.raises(EpochLost):
        await door.enter(ask(2))
    assert await door.gate.seed("default", "2", "", Memory())
    with pytest.raises(EpochLost) as lost:
        await door.enter(ask(2))
    assert lost.value.current == "2"
    assert not await door.gate.seed("default", "3", "", Memory())


async def test_a_restart_while_nobody_asks_costs_an_epoch_and_no_error(
    own_valkey: OwnValkey, own_client: redis.asyncio.Redis
) -> None:
    door = await opened(own_client, LIMITS)
    await asyncio.gather(*(door.go(ask(number)) for number in range(4)))
    # In a thread, so that the loop hears of the closed sockets as it does in life.
    await asyncio.to_thread(own_valkey.kill)
    await asyncio.to_thread(own_valkey.start)
    with pytest.raises(EpochLost) as lost:
        await door.enter(ask(9))
    assert lost.value.current == ""


async def test_a_frozen_server_fails_one_question_and_takes_the_next_when_it_goes_on(
    own_valkey: OwnValkey, own_client: redis.asyncio.Redis
) -> None:
    door = await opened(own_client, LIMITS)
    await asyncio.gather(*(door.go(ask(number)) for number in range(4)))
    own_valkey.freeze()
    for line in door.gate._lines._idle:
        line.socket_timeout = 1.0
    with pytest.raises(ValkeyLost):
        await door.enter(ask(9))
    own_valkey.thaw()
    assert isinstance(await door.enter(ask(10)), Wait)


async def test_every_key_expires_and_lies_in_the_slot_of_its_egress(door: Door) -> None:
    await door.fail(1)
    for number in range(10, 14):
        await door.go(ask(number))
    await door.enter(ask(20))
    await door.gate.block("default", "k", 60)
    keys = [key async for key in door.redis.scan_iter(match="gate:*")]
    assert len(keys) >= 9
    for key in keys:
        assert key.startswith(b"gate:{default}:")
        assert await door.redis.pttl(key) > 0, key
