"""The recorder on good days and with bad rows: every acknowledged row is there, once, and exactly as given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from tests.conftest import Database, eventually
from tests.integration.postgres.recorded import call, finish_row, recording, start_row, whole_row, wired

from omie_control.domain.executions import Change, Status, uuid7
from omie_control.errors import InvalidInput, Overloaded, StorageDown
from omie_control.postgres import recorder as recorder_module
from omie_control.postgres.batches import Batch
from omie_control.postgres.committer import Committer
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import SealedBody, WholeRow
from omie_control.telemetry import Event, subscribe


@pytest.fixture
async def recorder(database: Database) -> AsyncIterator[Recorder]:
    async with recording(database.app_url) as opened:
        yield opened


async def test_a_start_is_committed_when_it_returns(recorder: Recorder, conn: asyncpg.Connection) -> None:
    row = start_row(body=SealedBody(0, start_row().id, b"input", b"h" * 8))
    await recorder.start(row)
    found = await conn.fetchrow("select * from process_executions where id = $1", row.id)
    assert found is not None
    assert (found["status"], found["execution_id"], found["attempt"]) == ("running", row.execution_id, 1)
    assert await conn.fetchval("select sealed from execution_bodies where execution_id = $1", row.id) == b"input"


async def test_a_finish_writes_end_body_calls_and_roll_ups(recorder: Recorder, conn: asyncpg.Connection) -> None:
    row = start_row()
    await recorder.start(row)
    assert await recorder.finish(finish_row(row, status=Status.FAILED, error_code="falha_omie", calls=(call(), call())))
    found = await conn.fetchrow("select * from process_executions where id = $1", row.id)
    assert found is not None
    assert (found["status"], found["duration_ms"], found["error_code"]) == ("failed", 120, "falha_omie")
    assert found["input_parameters"] == '{"pagina": 1}'
    assert await conn.fetchval("select document_hashes from execution_bodies") == b"h" * 8 + b"i" * 8
    assert await conn.fetchval("select count(*) from omie_api_metrics where process_execution_id = $1", row.id) == 2
    sums = await conn.fetch("select subject, sum(count), sum(error_count) from rollup_deltas group by 1 order by 1")
    assert [tuple(each) for each in sums] == [("endpoint", 2, 0), ("tool", 1, 1)]


async def test_a_refusal_is_born_ended_and_counted(recorder: Recorder, conn: asyncpg.Connection) -> None:
    assert await recorder.record(whole_row(status=Status.FAILED, error_code="sem_permissao", commitment=None))
    assert await conn.fetchval("select error_code from process_executions") == "sem_permissao"
    assert await conn.fetchval("select sum(error_count) from rollup_deltas where subject = 'tool'") == 1


async def test_a_whole_is_the_row_that_a_start_and_its_end_would_have_made(
    recorder: Recorder, conn: asyncpg.Connection
) -> None:
    start = start_row(user_agent="agente", session_id="s-1", omie_endpoint="a/b/C", trace_id=b"t" * 16)
    given: dict[str, Any] = {"calls": (), "commitment": b"c" * 32, "error_message": "um\x00aviso"}
    other = start._replace(id=start_row().id, execution_id="outra")
    await recorder.start(start)
    assert await recorder.finish(finish_row(start, **given))
    assert await recorder.record(WholeRow(other, finish_row(other, **given)))
    one, two = await conn.fetch("select * from process_executions order by execution_id = 'outra'")
    own = {"id", "execution_id", "created_at", "updated_at", "completed_at"}
    assert {k: v for k, v in one.items() if k not in own} == {k: v for k, v in two.items() if k not in own}
    assert (two["status"], two["is_cleaned"], two["error_message"]) == ("completed", True, "um\ufffdaviso")
    bodies = await conn.fetch("select part, sealed, document_hashes from execution_bodies order by execution_id")
    assert len(bodies) == 2 and bodies[0] == bodies[1]
    assert {id for ids in await conn.fetch("select ids from seal_queue") for id in ids[0]} == {start.id, other.id}
    counts = await conn.fetch(
        "select name, sum(count), sum(success_count), sum(total_ms) from rollup_deltas group by 1"
    )
    assert [tuple(each) for each in counts] == [(start.process_type, 2, 2, 240)]


async def test_the_end_of_a_held_start_is_written_after_it(recorder: Recorder, conn: asyncpg.Connection) -> None:
    starts = [start_row() for _ in range(20)]
    ends = []
    for start in starts:
        # Queued in one breath, as when a held start's time is over just as its end comes.
        recorder.submit_held_start(start)
        ends.append(recorder.submit_finish(finish_row(start)))
    assert all(await asyncio.gather(*ends))
    assert await conn.fetchval("select count(*) from process_executions where status = 'completed'") == 20


async def test_a_held_start_is_written_though_nobody_waits(recorder: Recorder, conn: asyncpg.Connection) -> None:
    start = start_row()
    recorder.submit_held_start(start).cancel()
    assert await recorder.finish(finish_row(start))
    assert await conn.fetchval("select status from process_executions where id = $1", start.id) == "completed"


async def test_a_whole_with_a_body_that_is_refused_keeps_its_end(recorder: Recorder, conn: asyncpg.Connection) -> None:
    good, bad = whole_row(), whole_row(response_data='{"cut')
    worse = whole_row()
    worse = worse._replace(start=worse.start._replace(input_parameters='{"cut'))
    recorded = await asyncio.gather(*map(recorder.record, (good, bad, worse)), return_exceptions=True)
    assert recorded[:2] == [True, True]
    assert isinstance(recorded[2], InvalidInput)
    kept = {row["id"]: row for row in await conn.fetch("select id, status, response_data from process_executions")}
    assert kept.keys() == {good.id, bad.id}
    assert (kept[bad.id]["status"], kept[bad.id]["response_data"]) == ("completed", None)


async def test_rows_that_wait_together_share_a_commit(recorder: Recorder, conn: asyncpg.Connection) -> None:
    rows = [start_row() for _ in range(200)]
    await asyncio.gather(*(recorder.start(row) for row in rows))
    assert all(await asyncio.gather(*(recorder.finish(finish_row(row)) for row in rows)))
    assert await conn.fetchval("select count(*) from process_executions where status = 'completed'") == 200
    assert await conn.fetchval("select count(distinct xmin::text) from process_executions") <= 4
    assert recorder.depth == 0


async def test_a_batch_of_this_month_goes_straight_to_its_partition_and_any_other_is_routed(
    recorder: Recorder, conn: asyncpg.Connection
) -> None:
    now = datetime.now(UTC)
    last_month = int(now.replace(day=1).timestamp() * 1000) - 86_400_000
    old, new = start_row(id=uuid7(last_month, b"0123456789")), start_row()
    await asyncio.gather(recorder.start(old), recorder.start(new))
    assert await asyncio.gather(recorder.finish(finish_row(old)), recorder.finish(finish_row(new))) == [True, True]
    assert await conn.fetchval("select count(distinct tableoid) from process_executions") == 2


async def test_a_missing_partition_is_made_on_the_spot(database: Database, owner_conn: asyncpg.Connection) -> None:
    for table in ("process_executions", "execution_bodies", "omie_api_metrics"):
        await owner_conn.execute(f"drop table {table}_{datetime.now(UTC):%Y_%m}")
    async with recording(database.app_url) as recorder:
        row = start_row()
        await recorder.start(row)
        assert await recorder.finish(finish_row(row))


@pytest.mark.parametrize("count", [1, 2, 33])
async def test_only_the_bad_row_of_a_batch_fails(recorder: Recorder, conn: asyncpg.Connection, count: int) -> None:
    rows = [start_row() for _ in range(count)]
    rows.insert(count // 2, start_row(input_parameters='{"quebrado": '))
    outcomes = await asyncio.gather(*(recorder.start(row) for row in rows), return_exceptions=True)
    errors = [outcome for outcome in outcomes if outcome is not None]
    assert len(errors) == 1
    assert isinstance(errors[0], InvalidInput)
    assert isinstance(outcomes[count // 2], InvalidInput)
    assert await conn.fetchval("select count(*) from process_executions") == count


async def test_a_value_that_the_driver_cannot_encode_fails_alone_too(recorder: Recorder) -> None:
    rows = [start_row(), start_row(attempt=2**40), start_row()]
    outcomes = await asyncio.gather(*(recorder.start(row) for row in rows), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), InvalidInput, type(None)]


async def test_an_end_whose_body_is_refused_still_ends_the_execution(
    recorder: Recorder, conn: asyncpg.Connection
) -> None:
    good, bad = start_row(), start_row()
    await asyncio.gather(recorder.start(good), recorder.start(bad))
    ends = [finish_row(good), finish_row(bad, response_data='{"texto": "a\\u0000b"}')]
    assert await asyncio.gather(*(recorder.finish(end) for end in ends)) == [True, True]
    found = await conn.fetchrow("select * from process_executions where id = $1", bad.id)
    assert found is not None
    assert (found["status"], found["response_data"], found["is_cleaned"]) == ("completed", None, True)
    assert "recusou" in found["error_message"]
    assert await conn.fetchval("select response_data from process_executions where id = $1", good.id) is not None


async def test_texts_are_made_fit_and_the_row_says_so(recorder: Recorder, conn: asyncpg.Connection) -> None:
    row = start_row(user_agent="a\x00gente \ud800", actor="x" * 300, session_id="s\x00", ip_address="não é um endereço")
    await recorder.start(row)
    await recorder.finish(finish_row(row, error_message="fim\x00", error_code="c" * 80))
    found = await conn.fetchrow("select * from process_executions")
    assert found is not None
    assert (found["user_agent"], found["actor"], found["ip_address"]) == ("a\ufffdgente \ufffd", "x" * 100, None)
    assert (found["error_message"], found["error_code"]) == ("fim\ufffd", "c" * 50)
    assert found["is_cleaned"]


async def test_a_zombie_attempt_changes_nothing(recorder: Recorder, conn: asyncpg.Connection) -> None:
    row = start_row(attempt=2)
    await recorder.start(row)
    assert not await recorder.finish(finish_row(row, attempt=1, calls=()))
    assert await conn.fetchval("select status from process_executions") == "running"
    assert await conn.fetchval("select count(*) from execution_bodies") == 0
    assert await conn.fetchval("select count(*) from rollup_deltas") == 0


async def test_only_the_first_of_two_ends_counts(recorder: Recorder, conn: asyncpg.Connection) -> None:
    row = start_row()
    await recorder.start(row)
    ends = [finish_row(row, status=Status.COMPLETED), finish_row(row, status=Status.FAILED)]
    assert sorted(await asyncio.gather(*(recorder.finish(end) for end in ends))) == [False, True]
    assert not await recorder.finish(finish_row(row))
    assert await conn.fetchval("select sum(count) from rollup_deltas where subject = 'tool'") == 1


async def test_an_uncertain_end_counts_only_once_it_is_resolved(recorder: Recorder, conn: asyncpg.Connection) -> None:
    row = start_row()
    await recorder.start(row)
    assert await recorder.finish(finish_row(row, status=Status.UNCERTAIN, body=None, calls=()))
    assert await conn.fetchval("select count(*) from rollup_deltas") == 0
    assert await recorder.finish(finish_row(row, status=Status.COMPLETED, calls=()))
    assert await conn.fetchval("select sum(count) from rollup_deltas") == 1


async def test_a_caller_cancelled_in_its_start_leaves_nothing_running(
    recorder: Recorder, conn: asyncpg.Connection
) -> None:
    rows = [start_row() for _ in range(20)]
    tasks = [asyncio.create_task(recorder.start(row)) for row in rows]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in tasks[1:10]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(outcome is None for outcome in outcomes[10:])

    async def ended() -> bool:
        return await conn.fetchval("select count(*) from process_executions where status = 'running'") == 10

    await eventually(ended)
    statuses = await conn.fetch("select distinct status from process_executions where error_code = 'abandonada'")
    assert all(each["status"] == "cancelled" for each in statuses)


async def test_a_caller_cancelled_in_its_finish_does_not_take_it_back(
    recorder: Recorder, conn: asyncpg.Connection
) -> None:
    row = start_row()
    await recorder.start(row)
    task = asyncio.create_task(recorder.finish(finish_row(row)))
    await asyncio.sleep(0)
    task.cancel()

    async def ended() -> bool:
        return await conn.fetchval("select status = 'completed' from process_executions")

    await eventually(ended)


async def test_what_was_committed_is_told_in_order(database: Database) -> None:
    told: list[Change] = []
    async with recording(database.app_url, on_commit=told.extend) as recorder:
        row = start_row()
        await recorder.start(row)
        await recorder.finish(finish_row(row))
        await recorder.finish(finish_row(row))
        await recorder.start(start_row())
    assert [change.status for change in told] == ["running", "completed", "running"]
    assert told[1].duration_ms == 120


async def test_a_listener_that_fails_does_not_stop_the_writing(database: Database) -> None:
    def broken(changes: object) -> None:
        raise RuntimeError("broken")

    async with recording(database.app_url, on_commit=broken) as recorder:
        await recorder.start(start_row())
        await recorder.start(start_row())


async def test_close_writes_what_waits_and_then_nothing_is_accepted(
    database: Database, conn: asyncpg.Connection
) -> None:
    async with recording(database.app_url) as recorder:
        waiting = [recorder.submit_start(start_row()) for _ in range(50)]
    await asyncio.gather(*waiting)
    assert await conn.fetchval("select count(*) from process_executions") == 50
    with pytest.raises(StorageDown):
        await recorder.start(start_row())


async def test_a_full_queue_turns_starts_away_before_ends(database: Database) -> None:
    async with recording(database.app_url, max_rows=10) as recorder:
        rows = [start_row() for _ in range(5)]
        await asyncio.gather(*(recorder.start(row) for row in rows))
        waiting = [recorder.submit_start(start_row()) for _ in range(5)]
        with pytest.raises(Overloaded):
            recorder.submit_start(start_row())
        ends = [recorder.submit_finish(finish_row(row)) for row in rows]
        with pytest.raises(Overloaded):
            recorder.submit_finish(finish_row(rows[0]))
        await asyncio.gather(*waiting, *ends)


async def test_a_queue_full_of_bytes_turns_starts_away(database: Database) -> None:
    async with recording(database.app_url, max_bytes=100_000) as recorder:
        waiting = recorder.submit_start(start_row(input_parameters='"' + "x" * 60_000 + '"'))
        with pytest.raises(Overloaded):
            recorder.submit_start(start_row())
        await waiting


@pytest.mark.parametrize(("busy_share", "is_busy"), [(-1.0, True), (1e9, False)])
async def test_callers_are_answered_by_halves_only_while_the_processor_is_what_they_wait_for(
    database: Database, monkeypatch: pytest.MonkeyPatch, busy_share: float, is_busy: bool
) -> None:
    monkeypatch.setattr(recorder_module, "_BUSY_SHARE", busy_share)
    sizes: list[int] = []
    async with recording(database.app_url) as recorder:
        has_looked = asyncio.get_running_loop().time() + 0.5

        async def caller() -> None:
            while len(sizes) < 40:
                await recorder.start(start_row())

        def note(event: Event, facts: dict[str, object]) -> None:
            if event is Event.BATCH_COMMITTED and asyncio.get_running_loop().time() > has_looked:
                sizes.append(int(str(facts["starts"])))

        end = subscribe(note)
        await asyncio.gather(*(caller() for _ in range(16)))
        end()
    assert sorted(sizes)[20] == (8 if is_busy else 16)


async def test_who_waits_for_an_answer_that_does_not_come_is_not_told_that_there_is_too_much_to_do(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Committer.commit

    async def commit_late(self: Committer, batch: Batch) -> list[Batch]:
        # On a busy machine a batch leaves a little later than its rows came.
        await asyncio.sleep(0.15)
        return await commit(self, batch)

    monkeypatch.setattr(Committer, "commit", commit_late)
    async with wired(database.app_url) as (wire, url), recording(url, patience_seconds=1.0) as recorder:
        await recorder.start(start_row())
        wire.freeze()
        with pytest.raises(StorageDown):
            await recorder.start(start_row())
        wire.thaw()
