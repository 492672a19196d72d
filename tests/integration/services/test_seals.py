"""Everything that ends or happens gets into exactly one seal, and whatever is done to it later is found and named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import Database
from tests.sealing import Books, books, ended, started, told

from omie_control.domain.executions import Status
from omie_control.domain.seals import Kind, State, unpack
from omie_control.postgres import executions, seals
from omie_control.postgres.rows import WholeRow


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Books]:
    async with books(database, tmp_path) as opened:
        yield opened


async def leaves(conn: asyncpg.Connection) -> list[tuple[Kind, State, str]]:
    rows = await conn.fetch("select leaves from seals order by sequence")
    return [(leaf.kind, leaf.state, str(leaf.id)) for row in rows for leaf in unpack(row["leaves"])]


async def test_what_ended_and_what_happened_is_sealed_once(house: Books, conn: asyncpg.Connection) -> None:
    ends = [await house.run(status) for status in (Status.COMPLETED, Status.FAILED, Status.UNCERTAIN)]
    running = started()
    await house.recorder.start(running)
    refused = started()
    end = ended(refused, status=Status.FAILED, error_code="nao_encontrado", calls=(), commitment=None)
    assert await house.recorder.record(WholeRow(refused, end))
    await house.happen()
    # The making of the data key and of the signing key are events too.
    assert await house.seals.turn() == len(ends) + 1 + 3
    assert await house.seals.turn() == 0
    sealed = await leaves(conn)
    assert {id for kind, _, id in sealed if kind is Kind.EXECUTION} == {str(end.id) for end in ends} | {str(refused.id)}
    assert sorted(state for kind, state, _ in sealed if kind is Kind.EXECUTION) == [
        State.COMPLETED,
        State.FAILED,
        State.FAILED,
        State.UNCERTAIN,
    ]
    assert len(sealed) == len(set(sealed)) == 7
    assert await house.verify() == []
    assert await conn.fetchval("select count(*) from seal_queue") == 0


async def test_what_commits_late_is_sealed_later(house: Books, database: Database, conn: asyncpg.Connection) -> None:
    end = await house.run()
    late = await asyncpg.connect(database.app_url)
    transaction = late.transaction()
    await transaction.start()
    await late.execute(
        "with a as (insert into audit_events (actor, action) values ('a', 'b') returning id)"
        " insert into seal_queue (kind, ids) select 2, array_agg(id) from a"
    )
    await house.seals.turn()
    assert await house.verify() == []
    await transaction.commit()
    await late.close()
    # Between its commit and its seal a record waits; it is neither missed nor taken for a forgery.
    assert await house.verify() == []
    assert await house.seals.turn() == 1
    assert await house.verify() == []
    assert str(end.id) in {id for _, _, id in await leaves(conn)}


async def test_many_sealers_and_many_recorders_miss_nothing(
    house: Books, database: Database, tmp_path: Path, conn: asyncpg.Connection
) -> None:
    async with books(database, tmp_path) as other:
        is_over = asyncio.Event()

        async def keep_sealing(each: Books) -> None:
            while not is_over.is_set():
                await each.seals.turn()

        async def keep_running(each: Books) -> None:
            for _ in range(60):
                await each.run()
                await each.happen()

        async def keep_verifying() -> None:
            while not is_over.is_set():
                assert await house.verify() == []

        sealing = [asyncio.create_task(keep_sealing(each)) for each in (house, other)]
        sealing.append(asyncio.create_task(keep_verifying()))
        await asyncio.gather(*(keep_running(each) for each in (house, other) for _ in range(4)))
        is_over.set()
        await asyncio.gather(*sealing)
        await house.seals.turn()
    sealed = await leaves(conn)
    assert len(sealed) == len(set(sealed))
    there = await conn.fetch("select id from process_executions union all select id from audit_events")
    assert {id for _, _, id in sealed} == {str(row["id"]) for row in there}
    assert await house.verify() == []
    sequences = [row["sequence"] for row in await conn.fetch("select sequence from seals order by sequence")]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_later_end_gets_a_leaf_of_its_own(house: Books, conn: asyncpg.Connection) -> None:
    unsure = await house.run(Status.UNCERTAIN)
    lost = await house.run(Status.TIMEOUT, error_code="instance_lost")
    await house.seals.turn()
    assert await house.recorder.finish(unsure._replace(status=Status.COMPLETED))
    async with house.postgres.transaction() as tx:
        assert await executions.correct_lost(tx, lost._replace(status=Status.COMPLETED, error_code=None))
    assert await house.verify() == []
    await house.seals.turn()
    assert await house.verify() == []
    states = [state for _, state, id in await leaves(conn) if id == str(unsure.id)]
    assert states == [State.UNCERTAIN, State.COMPLETED]


async def test_every_tampering_is_named(house: Books, owner_conn: asyncpg.Connection) -> None:
    ends = [await house.run() for _ in range(5)]
    await house.happen("um.evento")
    await house.seals.turn()
    await house.happen("outro.evento")
    await house.seals.turn()
    change = "update process_executions set response_data = jsonb_set(response_data, '{x}', '9') where id = $1"
    await owner_conn.execute(change, ends[0].id)
    await owner_conn.execute("delete from process_executions where id = $1", ends[1].id)
    await owner_conn.execute("update process_executions set status = 'running' where id = $1", ends[2].id)
    event = await owner_conn.fetchval(
        "update audit_events set actor = 'user:outra' where action = 'um.evento' returning id"
    )
    gone = await owner_conn.fetchval("delete from audit_events where action = 'outro.evento' returning id")
    forged = await owner_conn.fetchval("insert into audit_events (actor, action) values ('a', 'b') returning id")
    copied = await owner_conn.fetchval(
        "insert into process_executions (process_type, execution_id, status) values ('x', 'x', 'failed') returning id"
    )
    assert sorted(told(await house.verify())) == sorted(
        [
            ("changed", "execution", str(ends[0].id)),
            ("removed", "execution", str(ends[1].id)),
            ("changed", "execution", str(ends[2].id)),
            ("changed", "event", str(event)),
            ("removed", "event", str(gone)),
            ("inserted", "event", str(forged)),
            ("inserted", "execution", str(copied)),
        ]
    )


async def test_seals_cannot_be_touched_either(house: Books, owner_conn: asyncpg.Connection) -> None:
    for _ in range(4):
        await house.run()
        await house.seals.turn()

    async def after(statement: str) -> list[tuple[str, str, str]]:
        await owner_conn.execute("create table if not exists kept as select * from seals")
        await owner_conn.execute(statement)
        found = told(await house.verify())
        await owner_conn.execute("delete from seals; insert into seals select * from kept")
        assert await house.verify() == []
        return found

    assert ("seal_changed", "seal", "2") in await after("update seals set at = at + interval '1 ms' where sequence = 2")
    assert ("seal_removed", "seal", "2") in await after("delete from seals where sequence = 2")
    assert ("truncated", "seal", "4") in await after("delete from seals where sequence = 4")
    assert ("truncated", "seal", "1") in await after("delete from seals")
    assert ("seal_forged", "seal", "3") in await after(
        "update seals set signature = sha256(signature) || sha256('') where sequence = 3"
    )
    swap = "update seals a set leaves = b.leaves from seals b where (a.sequence, b.sequence) in ((1, 2), (2, 1))"
    assert {("seal_changed", "seal", "1"), ("seal_changed", "seal", "2")} <= set(await after(swap))
    assert await seals.newest(owner_conn) == 4


async def test_only_what_is_new_is_verified_when_asked(house: Books, owner_conn: asyncpg.Connection) -> None:
    old = await house.run(ago=timedelta(hours=3))
    await house.seals.turn()
    await house.run()
    await house.seals.turn()
    await owner_conn.execute("update process_executions set actor = 'x' where id = $1", old.id)
    assert await house.verify(after=1) == []
    assert told(await house.verify()) == [("changed", "execution", str(old.id))]
    assert await house.verify(since=datetime.now(UTC) + timedelta(minutes=1)) == []


async def test_a_cut_end_stays_visible_after_the_sealer_goes_on(
    house: Books, database: Database, tmp_path: Path, owner_conn: asyncpg.Connection
) -> None:
    for _ in range(3):
        await house.run()
        await house.seals.turn()
    await owner_conn.execute("delete from seals where sequence >= 2")
    await house.run()
    async with books(database, tmp_path) as later:
        await later.seals.turn()
        found = told(await later.verify())
    assert ("seal_removed", "seal", "2") in found
    assert await owner_conn.fetchval("select max(sequence) from seals") == 4
    alert = await owner_conn.fetchrow("select * from integration_alerts where alert_type = 'audit_truncated'")
    assert alert is not None and alert["severity"] == "critical"


async def test_a_start_is_not_sealed_before_its_end(house: Books, conn: asyncpg.Connection) -> None:
    start = started()
    await house.recorder.start(start)
    await house.seals.turn()
    assert str(start.id) not in {id for _, _, id in await leaves(conn)}
    assert await house.recorder.finish(ended(start))
    await house.seals.turn()
    assert str(start.id) in {id for _, _, id in await leaves(conn)}
