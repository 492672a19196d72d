"""The statements that others write by hand against our tables run as they stand, as the application's login."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import asyncpg
from tests.conftest import TIMEZONE

_TEXT = Path(__file__).with_name("contract.sql").read_text("utf-8")
STATEMENTS = [part.strip() for part in re.sub(r"^--.*$", "", _TEXT, flags=re.MULTILINE).split(";") if part.strip()]
START, END, ACTIVE, SUCCESS, PERFORMANCE, CONFIGURE, ALERT, RESOLVE, USAGE = STATEMENTS


async def test_an_execution_is_started_ended_and_counted_by_hand(conn: asyncpg.Connection) -> None:
    first, second, third = (f"consultar_clientes_20261123_12000{n}_abc12345" for n in range(3))
    await conn.execute(START, "consultar_clientes", first, '{"pagina": 1}')
    await conn.execute(START, "consultar_clientes", second, '{"pagina": 2}')
    await conn.execute(START, "incluir_cliente", third, None)
    assert await conn.fetchval(ACTIVE) == 3

    assert await conn.execute(END, "completed", '{"total": 0}', None, first) == "UPDATE 1"
    assert await conn.execute(END, "failed", None, "recusado", third) == "UPDATE 1"
    assert await conn.fetchval(ACTIVE) == 1

    rates = {row["process_type"]: (row["total_executions"], row["success_rate"]) for row in await conn.fetch(SUCCESS)}
    assert rates == {"consultar_clientes": (2, 50), "incluir_cliente": (1, 0)}
    ended = await conn.fetchrow("select * from process_executions where status = 'completed'")
    assert ended is not None
    assert ended["id"].version == 7 and ended["completed_at"] is not None and ended["duration_ms"] >= 0
    assert json.loads(ended["response_data"]) == {"total": 0}


async def test_our_views_answer_as_the_statements_do(conn: asyncpg.Connection) -> None:
    called = "insert into omie_api_metrics (endpoint, response_time_ms, success) values ('a/b/C', $1, true)"
    for number in range(4):
        await conn.execute(START, "consultar_clientes", f"consultar_clientes_{number}", "{}")
        await conn.execute(called, 100 * number)
    await conn.execute(END, "completed", "{}", None, "consultar_clientes_0")
    assert await conn.fetchval("select count(*) from active_processes") == await conn.fetchval(ACTIVE) == 3
    assert await conn.fetch("select * from process_success_rate_24h") == await conn.fetch(SUCCESS)
    assert await conn.fetch("select * from endpoint_performance_1h") == await conn.fetch(PERFORMANCE)


async def test_an_alert_is_raised_and_resolved_by_hand(conn: asyncpg.Connection) -> None:
    await conn.execute(START, "consultar_clientes", "consultar_clientes_1", "{}")
    id = await conn.fetchval("select id from process_executions")
    await conn.execute(
        ALERT, "Omie lento", "Sem resposta em 60 s", '{"tentativas": 3}', id, "geral/clientes/ListarClientes"
    )
    alert = await conn.fetchrow("select * from integration_alerts")
    assert alert is not None and not alert["is_resolved"] and alert["process_execution_id"] == id
    await conn.execute(RESOLVE, alert["id"], "maria")
    settled = await conn.fetchrow("select * from integration_alerts")
    assert settled is not None and settled["is_resolved"] and settled["resolved_by"] == "maria"
    assert isinstance(settled["resolved_at"], datetime)


async def test_a_threshold_is_configured_by_hand(conn: asyncpg.Connection) -> None:
    await conn.execute(CONFIGURE, "alertas.p95_ms", '{"limite": 5000}', "Quando avisar", "maria")
    row = await conn.fetchrow("select config_type, is_active, is_encrypted from system_configurations")
    assert row is not None and tuple(row) == ("threshold", True, False)


async def test_the_usage_of_today_is_read_by_hand_in_our_time_zone(conn: asyncpg.Connection) -> None:
    # In one transaction it is the same day for both, at midnight too.
    async with conn.transaction():
        await conn.execute(
            """
            insert into tool_usage_analytics
                   (tool_name, category, complexity, usage_count, success_count, date_key, hour_key)
            values ('a', 'comercial', 'basica', 1, 1, (now() at time zone $1)::date, 12),
                   ('b', 'comercial', 'basica', 7, 7, (now() at time zone $1)::date, 12),
                   ('old', 'comercial', 'basica', 9, 9, (now() at time zone $1)::date - 1, 12)""",
            TIMEZONE,
        )
        assert [row["tool_name"] for row in await conn.fetch(USAGE)] == ["b", "a"]
