"""Batches: which rows share a statement, and that arguments and placeholders always meet."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from omie_control.domain.executions import Call, Status, uuid7
from omie_control.postgres.batches import Batch, Waiting, tables_for
from omie_control.postgres.rows import FinishRow, Row, SealedBody, StartRow, WholeRow
from omie_control.postgres.statements import PARENTS, statement

NOW = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


def id_at(at: datetime) -> UUID:
    return uuid7(int(at.timestamp() * 1000), b"0123456789")


def start(at: datetime = NOW, **given: Any) -> StartRow:
    return StartRow(id_at(at), "t", "t_1", Status.RUNNING, at)._replace(**given)


def finish(at: datetime = NOW, **given: Any) -> FinishRow:
    return FinishRow(id_at(at), 1, Status.COMPLETED, at)._replace(**given)


def called(at: datetime = NOW) -> Call:
    return Call("geral/clientes/ListarClientes", at, 5, 200, True, 1, 1)


def whole(**given: Any) -> WholeRow:
    return WholeRow(start(), finish(execution_id="t_1", commitment=b"c", **given))


async def batch_of(*rows: Row) -> Batch:
    loop = asyncio.get_running_loop()
    return Batch(Waiting(row, loop.create_future(), 1, 0.0) for row in rows)


BODY = SealedBody(0, UUID(int=1), b"sealed", b"h" * 8)
SHAPES = {
    "a start": [start()],
    "a start with its body": [start(body=BODY)],
    "a whole": [whole()],
    "a whole with its body": [whole(body=BODY)],
    "wholes": [whole(), whole(body=BODY)],
    "a finish": [finish()],
    "a finish with calls": [finish(calls=(called(), called()))],
    "all at once": [start(), start(body=BODY), whole(), finish(body=BODY), finish(calls=(called(),))],
}


@pytest.mark.parametrize("rows", SHAPES.values(), ids=SHAPES)
async def test_every_placeholder_has_its_argument(rows: list[Any]) -> None:
    parts, arguments = (await batch_of(*rows)).arguments()
    numbers = {int(number) for number in re.findall(r"\$(\d+)", statement(parts))}
    assert numbers == set(range(1, len(arguments) + 1))


async def test_calls_of_one_minute_and_bucket_are_one_delta() -> None:
    batch = await batch_of(finish(calls=(called(), called())), finish(calls=(called(),)))
    _, arguments = batch.arguments()
    *_, counts, successes, total_ms = arguments
    assert (list(counts), list(successes), list(total_ms)) == ([3], [3], [15])


async def test_only_a_batch_of_this_month_goes_straight_to_its_partitions() -> None:
    inside = await batch_of(start(), finish(calls=(called(),)))
    assert tables_for(inside, NOW).executions == "process_executions_2026_12"
    for stranger in (start(NOW + timedelta(seconds=1)), finish(NOW - timedelta(days=31))):
        assert tables_for(await batch_of(start(), stranger), NOW) == PARENTS
    late_call = await batch_of(finish(calls=(called(NOW - timedelta(days=31)),)))
    assert tables_for(late_call, NOW) == PARENTS


async def test_halves_hold_every_row_once_and_keep_what_was_dropped() -> None:
    batch = await batch_of(start(), start(), start(), finish())
    batch.starts[0].future.cancel()
    batch.drop_unwanted()
    left, right = batch.halves()
    assert (len(left), len(right), len(left.unanswered), len(right.unanswered)) == (1, 2, 2, 2)


async def test_a_whole_tells_its_start_and_its_end_and_a_refusal_its_end_alone() -> None:
    lived, refused = whole(), whole()._replace(end=finish(execution_id="refused", status=Status.FAILED))
    assert [(change.execution_id, change.status) for change in (await batch_of(lived, refused)).changes()] == [
        ("t_1", Status.RUNNING),
        ("t_1", Status.COMPLETED),
        ("refused", Status.FAILED),
    ]


async def test_a_start_that_nobody_waits_for_is_unwanted_unless_it_is_kept() -> None:
    loop = asyncio.get_running_loop()
    for row, is_kept, is_unwanted in ((start(), False, True), (start(), True, False), (whole(), False, False)):
        waiting = Waiting(row, loop.create_future(), 1, 0.0, is_kept=is_kept)
        waiting.future.cancel()
        assert waiting.is_unwanted is is_unwanted


async def test_only_what_really_ended_is_told() -> None:
    batch = await batch_of(start(), finish(execution_id="ours"), finish(execution_id="somebody else's"))
    batch.note_ended([1])
    assert [(change.execution_id, change.status) for change in batch.changes()] == [
        ("t_1", Status.RUNNING),
        ("ours", Status.COMPLETED),
    ]
