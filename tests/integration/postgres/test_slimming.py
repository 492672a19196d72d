"""An old month becomes small while the traffic goes on, and loses nothing but what it may lose."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tests.conftest import Database
from tests.integration.postgres.rows import add_execution

from omie_control.errors import Conflict
from omie_control.postgres import executions, patience, slimming
from omie_control.postgres.slimming import slim_month

LONG = {
    "pagina": 1,
    "clientes": [{"codigo": n, "nome": f"Cliente {n}", "tags": ["a"]} for n in range(30)],
    "observacao": "x" * 500,
    "vazio": [],
}


def last_month() -> tuple[date, timedelta]:
    """The month before this one, and how long ago its middle was."""
    today = datetime.now(UTC)
    middle = (today.replace(day=1) - timedelta(days=15)).replace(hour=12)
    return middle.date().replace(day=1), today - middle


async def slim(value: Any, conn: asyncpg.Connection) -> Any:
    return json.loads(await conn.fetchval("select slim_json($1::jsonb)", json.dumps(value)))


async def test_a_slim_body_keeps_its_shape_and_says_how_much_there_was(conn: asyncpg.Connection) -> None:
    assert await slim(LONG, conn) == {
        "pagina": 1,
        "clientes": [{"_resumido": 30}],
        "observacao": "x" * 80 + "…",
        "vazio": [],
    }
    small: list[Any] = [None, True, 1.50, "curto", [], {}, [5], [{"a": {"b": 1}}], {"c": {"d": {}}}]
    for value in small:
        assert await slim(value, conn) == value


async def test_a_wide_or_deep_body_becomes_small_too(conn: asyncpg.Connection) -> None:
    wide = {f"campo_{n:02}": "valor " * 20 for n in range(60)}
    kept = await slim(wide, conn)
    assert len(kept) == 13 and kept["_resumido"] == 60
    deep: Any = {"fim": 1}
    for _ in range(20):
        deep = {"dentro": deep, "fora": [1, 2, 3]}
    assert len(json.dumps(await slim(deep, conn))) < 300


async def test_a_month_is_slimmed_once_and_keeps_every_row_and_right(
    conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    month, ago = last_month()
    body = json.dumps(LONG)
    for _ in range(5):
        await add_execution(conn, ago=ago, status="completed", response_data=body, commitment=b"kept")
    waiting, _ = await add_execution(conn, ago=ago, status="uncertain", response_data=body)
    young, _ = await add_execution(conn, status="completed", response_data=body)
    _, name = await add_execution(conn, ago=ago, status="failed")
    before = await conn.fetch("select * from process_executions order by id")

    assert await slim_month(owner_conn, month) == 7
    assert await slim_month(owner_conn, month) == 0

    after = await conn.fetch("select * from process_executions order by id")
    for old, new in zip(before, after, strict=True):
        # What was there is known by its hash from now on.
        rewritten = {"response_data", "content_hash"}
        same = {key: value for key, value in old.items() if key not in rewritten}
        assert same == {key: value for key, value in new.items() if key not in rewritten}
        assert (new["content_hash"] is not None) == (old["id"] not in (waiting, young))
        if old["id"] in (waiting, young) or old["response_data"] is None:
            assert new["response_data"] == old["response_data"]
        else:
            assert json.loads(new["response_data"])["clientes"] == [{"_resumido": 30}]

    assert (
        await conn.execute("update process_executions set error_message = 'x' where execution_id = $1", name)
        == "UPDATE 1"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await add_execution(conn, ago=ago, execution_id=name)
    partition = f"process_executions_{month:%Y_%m}"
    assert await conn.fetchval("select has_table_privilege($1, 'insert')", partition)
    assert await conn.fetchval(
        "select to_regclass($1) is not null", f"idx_process_executions_execution_id_{month:%Y_%m}"
    )
    assert await conn.fetchval("select count(*) from pg_constraint where conname = 'slim_range'") == 0


async def test_a_month_that_does_not_exist_has_no_rows(owner_conn: asyncpg.Connection) -> None:
    assert await slim_month(owner_conn, date(1999, 1, 1)) == 0


async def test_the_traffic_goes_on_meanwhile(
    conn: asyncpg.Connection, owner_conn: asyncpg.Connection, database: Database
) -> None:
    month, ago = last_month()
    old, _ = await add_execution(conn, ago=ago, status="completed", response_data=json.dumps(LONG))
    writer = await asyncpg.connect(database.app_url)
    stop = asyncio.Event()
    done = 0

    async def traffic() -> None:
        nonlocal done
        while not stop.is_set():
            _, name = await add_execution(writer)
            await writer.execute("update process_executions set status = 'completed' where execution_id = $1", name)
            done += 1

    load = asyncio.create_task(traffic())
    await slim_month(owner_conn, month)
    stop.set()
    await load
    await writer.close()
    assert (
        done and await conn.fetchval("select count(*) from process_executions where status = 'completed'") == done + 1
    )
    assert await conn.fetchval("select count(*) from process_executions where id = $1", old) == 1


async def test_behind_a_long_transaction_the_month_stays_as_it_was(
    conn: asyncpg.Connection, owner_conn: asyncpg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    month, ago = last_month()
    id, name = await add_execution(conn, ago=ago, status="completed", response_data=json.dumps(LONG))
    reader = await asyncpg.connect(database.app_url)
    async with reader.transaction():
        await reader.fetch("select * from process_executions")
        with monkeypatch.context() as impatient, pytest.raises(Conflict):
            impatient.setattr(patience, "_ATTEMPTS", 1)
            impatient.setattr(slimming, "LOCK_TIMEOUT", "100ms")
            await slim_month(owner_conn, month)
    await reader.close()
    found = await executions.find(conn, name, id)
    assert found is not None and found.response_data == LONG
    await conn.execute("update process_executions set error_message = 'x' where id = $1", id)
    assert await slim_month(owner_conn, month) == 1


async def test_a_change_to_a_month_being_rewritten_is_told_to_come_again(
    conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    month, ago = last_month()
    id, _ = await add_execution(conn, ago=ago)
    partition = f"process_executions_{month:%Y_%m}"
    change = "update process_executions set duration_ms = 1 where id = $1"
    async with slimming._standing_still(owner_conn, partition):
        with pytest.raises(asyncpg.SerializationError):
            await conn.execute(change, id)
        await add_execution(conn)
    assert await conn.execute(change, id) == "UPDATE 1"
