"""The gate's book in PostgreSQL: epochs, who decides, what is remembered, blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from tests.conftest import TIMEZONE, Database
from tests.fixtures_gate import WRITE, ask

from omie_control.domain.gate import Admitted, Limits, Line, Memory, Verdict, Wait, entering, leaving
from omie_control.postgres.database import Postgres
from omie_control.postgres.gate import PostgresGate, Standing

EGRESS = "default"
# Ten times Omie's own: what was written down a moment ago still counts on a machine that has a lot to do.
LIMITS = Limits().scaled(0.1)


@pytest.fixture
async def gate(database: Database) -> AsyncIterator[PostgresGate]:
    postgres = Postgres(database.app_url, timezone=TIMEZONE)
    await postgres.open()
    yield PostgresGate(postgres, LIMITS)
    await postgres.close()


async def keep(epoch: int, memory: Memory) -> bool:
    return True


async def rebuild(gate: PostgresGate, epoch: int, *, known: dict[str, str] | None = None) -> Memory:
    kept: list[Memory] = []

    async def seed(epoch: int, memory: Memory) -> bool:
        kept.append(memory)
        return True

    await gate.rebuild(EGRESS, epoch, seed, settle=0.0, oldest=0.0, known=known or {})
    return kept[0]


async def test_an_epoch_begins_once_however_many_want_it(gate: PostgresGate) -> None:
    assert await gate.standing(EGRESS) == Standing(0, False)
    began: list[int] = []

    async def seed(epoch: int, memory: Memory) -> bool:
        began.append(epoch)
        return True

    async def begin() -> Standing:
        return await gate.rebuild(EGRESS, 0, seed, settle=0.01, oldest=0.0, known={})

    assert set(await asyncio.gather(*(begin() for _ in range(4)))) == {Standing(1, False)}
    assert began == [1]


async def test_a_seed_that_came_too_late_changes_nothing(gate: PostgresGate) -> None:
    async def late(epoch: int, memory: Memory) -> bool:
        return False

    assert await gate.rebuild(EGRESS, 0, late, settle=0.0, oldest=0.0, known={}) == Standing(0, False)


async def test_one_falls_back_and_the_others_follow(gate: PostgresGate) -> None:
    await gate.standing(EGRESS)
    assert await gate.fall_back(EGRESS, 0) == Standing(1, True)
    assert await gate.fall_back(EGRESS, 0) == Standing(1, True)
    young = await gate.rebuild(EGRESS, 1, keep, settle=0.0, oldest=60.0, known={})
    assert young == Standing(1, True)
    assert await gate.rebuild(EGRESS, 1, keep, settle=0.0, oldest=0.0, known={}) == Standing(2, False)


async def test_nobody_enters_here_while_valkey_decides_nor_just_after(gate: PostgresGate) -> None:
    assert await gate.enter(str(uuid4()), ask(1), patience=1, waited=0, settle=0) is None
    await gate.fall_back(EGRESS, 0)
    early = await gate.enter(str(uuid4()), ask(1), patience=1, waited=0, settle=300)
    assert isinstance(early, Wait) and early.seconds > 200
    assert isinstance(await gate.enter(str(uuid4()), ask(1), patience=1, waited=0, settle=0), Admitted)


async def test_what_was_written_down_is_remembered(gate: PostgresGate) -> None:
    await gate.standing(EGRESS)
    first, second = str(uuid4()), str(uuid4())
    line = Line(ask().app_key, ask().endpoint, "acme", errors=3, lone_for=5000)
    passages = [
        (EGRESS, entering(first, ask(1), gate.limits)),
        (EGRESS, leaving(second, ask(2), Verdict.DONE, None, gate.limits)),
        (EGRESS, leaving(str(uuid4()), ask(3), Verdict.NOT_SENT, None, gate.limits)),
    ]
    assert await gate.book(passages, [(EGRESS, line)], [EGRESS]) == {EGRESS: Standing(0, False)}
    memory = await rebuild(gate, 0)
    by_id = {each.id: each for each in memory.passages}
    assert set(by_id) == {first, second}
    assert by_id[first].running_for > 600 and by_id[second].running_for == 0
    assert 500 < by_id[second].counts_for <= gate.limits.held_seconds
    assert memory.lines[0].errors == 3 and 4900 < memory.lines[0].lone_for <= 5000


async def test_the_book_that_holds_more_calls_is_believed(gate: PostgresGate, conn: asyncpg.Connection) -> None:
    company = str(await conn.fetchval("select uuid7()"))
    await conn.execute("select make_partitions(current_date, 1)")
    await conn.execute(
        "insert into omie_api_metrics (endpoint, response_time_ms, company_id, timestamp)"
        " select $1, 1000, $2::uuid, now() - make_interval(secs => s) from unnest(array[2, 20, 50, 900]) s",
        ask().endpoint,
        company,
    )
    await gate.standing(EGRESS)
    booked = leaving(str(uuid4()), ask(1, company=company), Verdict.DONE, None, gate.limits)
    await gate.book([(EGRESS, booked)], [], [])
    memory = await rebuild(gate, 0)
    assert len(memory.passages) == 3
    assert {each.app_key for each in memory.passages} == {ask().app_key}


async def test_an_open_execution_counts_as_a_call(gate: PostgresGate, conn: asyncpg.Connection) -> None:
    company = str(await conn.fetchval("select uuid7()"))
    await conn.execute(
        "insert into process_executions (process_type, execution_id, omie_endpoint, company_id)"
        " values ('incluir', 'x1', $1, $2::uuid), ('incluir', 'x2', $1, $2::uuid)",
        WRITE,
        company,
    )
    memory = await rebuild(gate, 0, known={company: "k1"})
    assert [(each.app_key, each.endpoint) for each in memory.passages] == [("k1", WRITE)] * 2
    assert all(500 < each.counts_for <= gate.limits.held_seconds for each in memory.passages)


async def test_a_block_only_grows_and_is_told_to_every_egress(gate: PostgresGate) -> None:
    await gate.standing(EGRESS)
    await gate.standing("other")
    assert (await gate.block("k1", "acme", WRITE, 1800))[1] == [EGRESS, "other"]
    lasts, _ = await gate.block("k1", "acme", WRITE, 5)
    assert 1700 < lasts <= 1800
    memory = await rebuild(gate, 0)
    assert memory.blocks[0][0] == "k1"


async def test_what_no_longer_matters_is_pruned(gate: PostgresGate, conn: asyncpg.Connection) -> None:
    await gate.book([(EGRESS, entering(str(uuid4()), ask(1), gate.limits))], [], [])
    await conn.execute("update gate_calls set counts_until = now() - interval '6 minutes' returning id")
    await gate.book([(EGRESS, entering(str(uuid4()), ask(2), gate.limits))], [], [])
    await gate.prune()
    assert await conn.fetchval("select count(*) from gate_calls") == 1
