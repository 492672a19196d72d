"""Executions read back from PostgreSQL, and the transitions that are not the recorder's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.integration.postgres.rows import add_company, add_execution

from omie_control.domain.executions import Category, Status, id_of
from omie_control.errors import Conflict
from omie_control.postgres import executions


async def test_an_execution_is_found_by_its_name_with_bodies_company_and_parent(conn: asyncpg.Connection) -> None:
    company = await add_company(conn, "padaria")
    parent, parent_name = await add_execution(conn, process_type="fechar_mes")
    id, name = await add_execution(
        conn,
        company_id=company,
        parent_id=parent,
        actor="token:claude",
        category="comercial",
        input_parameters='{"pagina": 1}',
        response_data='{"total": 2}',
        ip_address="2001:db8::1",
        fastmcp_session_id="s-1",
    )
    found = await executions.find(conn, name, id_of(name))
    assert found is not None
    assert (found.id, found.company, found.parent, found.actor) == (id, "padaria", parent_name, "token:claude")
    assert (found.input_parameters, found.response_data, found.request_payload) == ({"pagina": 1}, {"total": 2}, None)
    assert (found.ip_address, found.session_id, found.category) == ("2001:db8::1", "s-1", Category.COMERCIAL)
    assert found.started_at.tzinfo is not None
    holder = await executions.find(conn, parent_name, parent)
    assert holder is not None and await executions.children(conn, holder) == [name]


async def test_a_name_of_another_form_is_found_by_the_index(conn: asyncpg.Connection) -> None:
    id, _ = await add_execution(conn, execution_id="consultar_clientes_20261123_120000_abc12345")
    name = "consultar_clientes_20261123_120000_abc12345"
    assert id_of(name) is None
    found = await executions.find(conn, name, None)
    assert found is not None and found.id == id


async def test_a_name_that_looks_like_ours_but_was_written_by_hand_is_found_too(conn: asyncpg.Connection) -> None:
    _, ours = await add_execution(conn)
    by_hand = f"other_{ours.removeprefix('consultar_clientes_')}"
    id, _ = await add_execution(conn, execution_id=by_hand)
    assert id_of(by_hand) not in (None, id)
    found = await executions.find(conn, by_hand, id_of(by_hand))
    held = await executions.lock(conn, by_hand)
    assert found is not None and held is not None and found.id == held.id == id


async def test_what_is_not_there_is_none(conn: asyncpg.Connection) -> None:
    assert await executions.find(conn, "nothing", None) is None
    assert await executions.find(conn, "nothing", uuid4()) is None
    assert await executions.lock(conn, "nothing") is None


async def test_pages_follow_each_other_without_a_gap_or_a_repetition(conn: asyncpg.Connection) -> None:
    names = [(await add_execution(conn, ago=timedelta(minutes=n)))[1] for n in range(7)]
    seen: list[str] = []
    before = None
    while page := await executions.page(conn, before=before, limit=3):
        seen += [execution.execution_id for execution in page]
        before = page[-1].id
        await add_execution(conn)  # what begins meanwhile does not shift the pages
    assert seen == names


async def test_each_filter_lets_only_its_own_pass(conn: asyncpg.Connection) -> None:
    ours, theirs = await add_company(conn, "nossa"), await add_company(conn, "deles")
    _, plain = await add_execution(conn, actor="user:joao", ago=timedelta(hours=3))
    _, failed = await add_execution(conn, status="failed", company_id=ours, actor="user:maria", ago=timedelta(hours=2))
    _, other = await add_execution(conn, process_type="incluir_cliente", company_id=theirs, fastmcp_session_id="s")

    async def names(**filters: object) -> set[str]:
        return {execution.execution_id for execution in await executions.page(conn, **filters)}  # type: ignore[arg-type]

    assert await names() == {plain, failed, other}
    assert await names(status=Status.FAILED) == {failed}
    assert await names(process_type="incluir_cliente") == {other}
    assert await names(company=ours) == {failed}
    assert await names(companies=[ours]) == {failed}
    assert await names(companies=[ours], asker="user:joao") == {plain, failed}
    assert await names(companies=[], asker="user:joao") == {plain}
    assert await names(companies=[], asker="user:maria") == set()
    assert await names(companies=[ours], company=theirs) == set()
    assert await names(session="s") == {other}
    assert await names(actor="user:maria") == {failed}
    assert await names(since=datetime.now(UTC) - timedelta(minutes=150)) == {failed, other}


async def test_what_runs_comes_with_the_longest_first(conn: asyncpg.Connection) -> None:
    await add_execution(conn, status="completed")
    _, young = await add_execution(conn)
    _, old = await add_execution(conn, ago=timedelta(hours=5))
    assert [execution.execution_id for execution in await executions.running(conn)] == [old, young]


async def test_the_calls_of_an_execution_come_in_order(conn: asyncpg.Connection) -> None:
    id, name = await add_execution(conn)
    now = datetime.now(UTC)
    for n in (2, 1):
        await conn.execute(
            "insert into omie_api_metrics (endpoint, response_time_ms, status_code, success, request_size_bytes, "
            "response_size_bytes, process_execution_id, fault_code, timestamp) "
            "values ('a/b/C', $1, 500, false, 10, 20, $2, 'x', $3)",
            n,
            id,
            now + timedelta(seconds=n),
        )
    found = await executions.find(conn, name, id)
    assert found is not None
    calls = await executions.calls(conn, found)
    assert [(call.response_time_ms, call.fault_code, call.method) for call in calls] == [
        (1, "x", "POST"),
        (2, "x", "POST"),
    ]


async def test_a_queued_execution_is_cancelled_once_and_counted_once(conn: asyncpg.Connection) -> None:
    _, name = await add_execution(conn, status="queued", ago=timedelta(seconds=3))
    seen = await executions.lock(conn, name)
    assert seen is not None
    change = await executions.cancel(conn, seen, "não precisa mais", by="user:maria")
    assert (change.execution_id, change.status) == (name, Status.CANCELLED)
    with pytest.raises(Conflict):
        await executions.cancel(conn, seen, "de novo", by="user:maria")
    ended = await executions.find(conn, name, seen.id)
    assert ended is not None and ended.completed_at is not None and ended.duration_ms is not None
    assert ended.error_message == "Cancelada por user:maria: não precisa mais" and ended.duration_ms >= 3000
    (total,) = await executions.summary(conn, datetime.now(UTC) - timedelta(hours=1))
    assert (total.process_type, total.total, total.succeeded, total.failed) == ("consultar_clientes", 1, 0, 1)


async def test_a_running_execution_is_asked_to_stop_and_hears_of_it(conn: asyncpg.Connection) -> None:
    id, name = await add_execution(conn, attempt=1)
    other, _ = await add_execution(conn, attempt=1)
    seen = await executions.lock(conn, name)
    assert seen is not None
    await executions.ask_to_stop(conn, seen, "pare")
    assert await executions.asked_to_stop(conn, [id, other]) == {id: "pare"}
    await conn.execute("update process_executions set status = 'completed' where id = $1", id)
    assert await executions.asked_to_stop(conn, [id, other]) == {}
    with pytest.raises(Conflict):
        await executions.ask_to_stop(conn, seen, "tarde demais")


async def test_the_summary_adds_hours_minutes_and_what_is_not_folded_yet(conn: asyncpg.Connection) -> None:
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    since = now - timedelta(hours=3)
    rolled = """
        insert into rollup_{0}s (subject, name, {0}, count, success_count, error_count, total_ms)
        values ('tool', 'a', $1, $2, $2, 0, 5)"""
    await conn.execute(rolled.format("hour"), now.replace(minute=0) - timedelta(hours=1), 100)
    await conn.execute(rolled.format("hour"), since.replace(minute=0), 999)  # before the edge: its minutes count
    await conn.execute(rolled.format("minute"), since, 10)
    await conn.execute(rolled.format("minute"), since - timedelta(minutes=1), 999)
    await conn.execute(rolled.format("minute"), now - timedelta(hours=1), 999)  # already in its hour
    await conn.execute(
        "insert into rollup_deltas (subject, name, minute, count, success_count, error_count, total_ms, bucket) "
        "values ('tool', 'a', $1, 1, 0, 1, 5, 3), ('endpoint', 'a', $1, 999, 0, 0, 5, 3)",
        now,
    )
    (total,) = await executions.summary(conn, since)
    assert (total.total, total.succeeded, total.failed, total.total_ms) == (111, 110, 1, 15)
