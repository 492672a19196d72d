"""The recorder while PostgreSQL is cut off, killed or frozen: nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from tests.conftest import Database, eventually
from tests.integration.postgres.recorded import Wire, finish_row, recording, start_row, whole_row, wired

from omie_control.domain.executions import Status
from omie_control.errors import Overloaded, StorageDown
from omie_control.postgres import writer
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import StartRow
from omie_control.telemetry import Event, subscribe

PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def kept_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a slow batch keep its plans: what is cut is then the batch itself, and not the question for new ones."""
    monkeypatch.setattr(writer, "_SLOW_SECONDS", 3600.0)


class Heard:
    """What was told while it listened."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, dict[str, object]]] = []
        self._end = subscribe(lambda event, facts: self.events.append((event, facts)))

    def __enter__(self) -> Heard:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def of(self, event: Event) -> list[dict[str, object]]:
        return [facts for each, facts in self.events if each is event]


async def running(recorder: Recorder, count: int = 1) -> list[StartRow]:
    rows = [start_row() for _ in range(count)]
    await asyncio.gather(*(recorder.start(row) for row in rows))
    return rows


async def books(conn: asyncpg.Connection) -> tuple[int, int, int, int]:
    """Count executions, calls, and what the roll-ups say of both."""
    row = await conn.fetchrow(
        "select (select count(*) from process_executions), (select count(*) from omie_api_metrics),"
        " (select coalesce(sum(count), 0) from rollup_deltas where subject = 'tool'),"
        " (select coalesce(sum(count), 0) from rollup_deltas where subject = 'endpoint')"
    )
    assert row is not None
    return tuple(row)


def hurry(recorder: Recorder, patience_seconds: float) -> None:
    """From now on nobody waits longer: not before, for a busy machine takes its time for the honest part too."""
    recorder._patience = patience_seconds


def lose_answer(wire: Wire) -> None:
    wire.lose_next_answer = True


def lose_request(wire: Wire) -> None:
    wire.lose_next_request = True


@pytest.mark.parametrize(("cut", "was_committed"), [(lose_answer, True), (lose_request, False)])
@pytest.mark.parametrize("what", ["start", "finish", "whole"])
async def test_a_lost_answer_is_settled_by_looking(
    database: Database, conn: asyncpg.Connection, cut: object, was_committed: bool, what: str
) -> None:
    async with wired(database.app_url) as (wire, url), recording(url) as recorder:
        (row,) = await running(recorder)
        # Once before, so that the statement is prepared and the cut meets the batch itself.
        (other,) = await running(recorder)
        assert await recorder.finish(finish_row(other)) and await recorder.record(whole_row())
        with Heard() as heard:
            cut(wire)  # type: ignore[operator]
            if what == "start":
                await recorder.start(start_row())
            elif what == "whole":
                assert await recorder.record(whole_row()) is True
            else:
                assert await recorder.finish(finish_row(row)) is True
        assert [facts["was_committed"] for facts in heard.of(Event.BATCH_SETTLED)] == [was_committed]
        assert len(heard.of(Event.STORAGE_LOST)) == len(heard.of(Event.STORAGE_BACK)) == 1
        wanted = {"start": (4, 1, 2, 1), "finish": (3, 2, 3, 2), "whole": (4, 1, 3, 1)}
        assert await books(conn) == wanted[what]


async def test_a_lost_answer_to_an_end_that_somebody_else_had_written_counts_its_calls_once(
    database: Database, conn: asyncpg.Connection
) -> None:
    async with wired(database.app_url) as (wire, url), recording(url) as recorder:
        rows = await running(recorder, 2)
        await recorder.finish(finish_row(rows[0]))
        await conn.execute("update process_executions set status = 'timeout' where status = 'running'")
        wire.lose_next_answer = True
        assert await recorder.finish(finish_row(rows[1])) is False
        assert await books(conn) == (2, 2, 1, 2)
        assert await conn.fetchval("select status from process_executions where id = $1", rows[1].id) == "timeout"


async def test_a_backend_that_still_works_on_the_lost_batch_is_ended_before_it_is_judged(
    database: Database, conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    async with wired(database.app_url) as (wire, url), recording(url) as recorder:
        await running(recorder, 2)
        async with owner_conn.transaction():
            # The batch hangs on this lock inside PostgreSQL while its wire is cut on our side alone.
            await owner_conn.execute("lock table process_executions in share mode")
            wire.keep_server_side = True
            started = asyncio.create_task(recorder.start(start_row()))

            async def lost_backend_hangs_and_another_came() -> bool:
                return await owner_conn.fetchval(
                    "select count(*) filter (where wait_event_type = 'Lock') = 1 from pg_stat_activity"
                    " where application_name = 'omie-control writer' and datname = current_database()"
                )

            await eventually(lost_backend_hangs_and_another_came)
        await started
        assert (await books(conn))[0] == 3


async def test_a_backend_killed_under_load_loses_and_doubles_nothing(
    database: Database, conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    done: list[StartRow] = []
    is_over = asyncio.Event()

    async def caller(recorder: Recorder) -> None:
        # For as long as the killing takes: nobody knows how much is written between two kills.
        while not is_over.is_set():
            row = start_row()
            await recorder.start(row)
            assert await recorder.finish(finish_row(row))
            done.append(row)

    async with recording(database.app_url) as recorder:
        callers = [asyncio.create_task(caller(recorder)) for _ in range(16)]
        for _ in range(6):
            least = len(done) + 40
            await eventually(lambda least=least: _has(done, least))  # type: ignore[misc]
            killed = 0
            # Between two of its connections there is nobody to kill.
            while not killed:
                killed = await owner_conn.fetchval(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                    " where application_name = 'omie-control writer' and datname = current_database()"
                )
        is_over.set()
        await asyncio.gather(*callers)
    assert await books(conn) == (len(done),) * 4
    ids = await conn.fetchval(
        "select count(*) from process_executions where status = 'completed' and id = any($1)", [r.id for r in done]
    )
    assert ids == len(done)


async def test_callers_of_a_frozen_server_are_told_and_nothing_stays_running(
    database: Database, conn: asyncpg.Connection
) -> None:
    async with wired(database.app_url) as (wire, url), recording(url) as recorder:
        (row,) = await running(recorder)
        hurry(recorder, 1.0)
        wire.freeze()
        sent = asyncio.create_task(recorder.start(start_row()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        queued = asyncio.create_task(recorder.start(start_row()))
        ended = asyncio.create_task(recorder.finish(finish_row(row)))
        outcomes = await asyncio.gather(sent, queued, ended, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StorageDown] * 3
        since = recorder.health.down_since
        assert since is not None
        await eventually(lambda: _is_past(since + timedelta(seconds=1.05)))
        with pytest.raises(StorageDown):
            recorder.submit_start(start_row())
        wire.thaw()

        async def all_ended() -> bool:
            return await conn.fetchval(
                "select count(*) filter (where status = 'running') = 0"
                " and count(*) filter (where status = 'completed') = 1 from process_executions"
            )

        await eventually(all_ended)
        # The start that waited in our queue was never written; the one on the wire was, and ended by us.
        codes = await conn.fetch("select error_code from process_executions where status = 'failed'")
        assert [each["error_code"] for each in codes] == ["abandonada"]
        await eventually(lambda: _is_up(recorder))
        hurry(recorder, PATIENCE_SECONDS)
        await recorder.start(start_row())


async def test_a_server_that_stays_silent_is_given_up_and_dialled_anew(
    database: Database, conn: asyncpg.Connection
) -> None:
    async with (
        wired(database.app_url) as (wire, url),
        recording(url, stall_seconds=2.0) as recorder,
    ):
        (row,) = await running(recorder)
        hurry(recorder, 1.0)
        wire.freeze()
        with pytest.raises(StorageDown):
            await recorder.finish(finish_row(row))
        await eventually(lambda: _reconnects(recorder))
        # A server that goes on is not given up again, however slow it is.
        recorder._stall = 3600.0
        wire.thaw()

        async def ended() -> bool:
            return await conn.fetchval("select status = 'completed' from process_executions")

        await eventually(ended)
        await eventually(lambda: _is_up(recorder))
        assert await books(conn) == (1, 1, 1, 1)


async def test_a_server_that_greets_and_then_stays_silent_is_given_up_too(
    database: Database, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_OPEN_SECONDS", 0.5)
    async with wired(database.app_url) as (wire, url), recording(url) as recorder:
        (row,) = await running(recorder)
        hurry(recorder, 0.2)
        wire.lose_next_request = wire.mute_next_question = True
        # Down, or up and too slow: it has just greeted.
        with pytest.raises((StorageDown, Overloaded)):
            await recorder.finish(finish_row(row))
        await eventually(lambda: _was_muted(wire))
        # The next to greet is no silent one, and may take its time.
        monkeypatch.setattr(writer, "_OPEN_SECONDS", 60.0)

        async def ended() -> bool:
            return await conn.fetchval("select status = 'completed' from process_executions")

        await eventually(ended)
        assert await books(conn) == (1, 1, 1, 1)


async def test_an_idle_recorder_notices_by_itself_that_the_storage_is_back(database: Database) -> None:
    async with recording(database.app_url) as recorder:
        recorder.health.lost("a pool could not connect")
        await eventually(lambda: _is_up(recorder))


async def test_ends_wait_for_a_server_that_is_away_and_are_then_written(
    database: Database, conn: asyncpg.Connection
) -> None:
    async with wired(database.app_url) as (wire, url), recording(url) as recorder:
        rows = await running(recorder, 20)
        wire.refuses = True
        wire.lose_next_request = True
        ends = [asyncio.create_task(recorder.finish(finish_row(row))) for row in rows]
        await eventually(lambda: _is_down(recorder))
        hurry(recorder, 0.2)
        outcomes = await asyncio.gather(*ends, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StorageDown}
        assert recorder.depth == 20
        wire.refuses = False

        async def written() -> bool:
            return recorder.depth == 0

        await eventually(written)
        assert await books(conn) == (20, 20, 20, 20)


async def test_a_queued_job_whose_caller_was_told_no_does_not_stay_queued(
    database: Database, conn: asyncpg.Connection
) -> None:
    async with wired(database.app_url) as (wire, url), recording(url) as recorder:
        await running(recorder)
        hurry(recorder, 1.0)
        wire.freeze()
        with pytest.raises(StorageDown):
            await recorder.start(start_row(status=Status.QUEUED, attempt=0))
        wire.thaw()

        async def ended() -> bool:
            return await conn.fetchval("select count(*) = 1 from process_executions where error_code = 'abandonada'")

        await eventually(ended)


async def test_closing_while_the_server_is_away_says_what_was_not_written(database: Database) -> None:
    async with wired(database.app_url) as (wire, url):
        async with recording(url, drain_seconds=0.2) as recorder:
            (row,) = await running(recorder)
            wire.refuses = True
            wire.lose_next_request = True
            end = recorder.submit_finish(finish_row(row, completed_at=datetime.now(UTC)))
            await eventually(lambda: _is_down(recorder))
            hurry(recorder, 0.1)
            with Heard() as heard:
                await recorder.close()
        assert isinstance(end.exception(), StorageDown)
        assert [facts["execution_id"] for facts in heard.of(Event.ROW_REJECTED)] == [row.execution_id]


async def _has(done: list[StartRow], least: int) -> bool:
    return len(done) >= least


async def _is_past(instant: datetime) -> bool:
    return datetime.now(UTC) > instant


async def _is_up(recorder: Recorder) -> bool:
    return recorder.health.is_up


async def _is_down(recorder: Recorder) -> bool:
    return not recorder.health.is_up


async def _was_muted(wire: Wire) -> bool:
    return not wire.mute_next_question


async def _reconnects(recorder: Recorder) -> bool:
    return recorder.is_connecting
