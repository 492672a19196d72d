"""Statements find their rows by an index, in the right months only, and pages need no sort.

The planner decides by statistics, so these tests look at plans over enough rows: three months of 20,000, this one
filled to its end, for of a month that has just begun a few rows are read faster than its index.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from tests.conftest import Database, at_database, run_on

from omie_control.postgres.queries import Statement, queries

# The same for all tests, so that no month begins between two of them.
NOW = datetime.now(UTC)
_MONTHS = f"select make_partitions((timestamptz '{NOW}' at time zone 'UTC' - interval '2 months')::date, 3)"
_ROWS = f"""
insert into process_executions (id, process_type, execution_id, status, started_at, created_at, completed_at,
                                duration_ms, fastmcp_session_id, parent_id, response_data)
select id, 'type_' || n % 20, 'name_' || n,
       case when n % 2000 = 0 then 'running' else 'completed' end::execution_status,
       at, at, at, 5, 's' || n % 50, case when n % 100 = 0 then id end, '{{"a": 1}}'
  from (select n, at, uuid7(at) as id
          from generate_series(1, 60000) as n,
               lateral (select last - n * (last - first) / 60000 as at
                          from (select (month - interval '2 months') at time zone 'UTC' as first,
                                       (month + interval '1 month') at time zone 'UTC' as last
                                  from date_trunc('month', timestamptz '{NOW}' at time zone 'UTC') as month
                               ) as span) as instant) as rows;
insert into omie_api_metrics (endpoint, response_time_ms, success, process_execution_id, timestamp)
select 'a/b/' || process_type, 5, true, id, created_at from process_executions;
insert into idempotency_keys (id, company_id, process_type, key, is_derived, state, endpoint, digest, execution_id,
                              execution_name, expires_at, key_id, request, answer)
select uuid7(at), uuid7(at), 'incluir_cliente', 'chave_' || n, true, 'answered', 'a/b/C', 'd', uuid7(at), 'name_' || n,
       timestamptz '{NOW}' + interval '1 day', uuid7(at), 'pedido', 'resposta'
  from generate_series(1, 20000) as n, lateral (select timestamptz '{NOW}' - n * interval '1 second' as at) as instant;
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(postgres_server: str, template: Database) -> AsyncIterator[str]:
    """Give a database with rows in three months, for all tests of this file."""
    name = f"{template.name}_plans_{os.getpid()}"
    await run_on(postgres_server, f"create database {name} template {template.name}")
    url = at_database(template.owner_url, name)
    await run_on(
        url, _MONTHS, _ROWS, "analyze process_executions", "analyze omie_api_metrics", "analyze idempotency_keys"
    )
    yield at_database(template.app_url, name)
    await run_on(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
async def planner(filled: str) -> AsyncIterator[asyncpg.Connection]:
    # As the pools of the product connect.
    connection = await asyncpg.connect(filled, server_settings={"plan_cache_mode": "force_custom_plan"})
    yield connection
    await connection.close()


class Plan:
    """A plan as EXPLAIN tells it, with what the tests ask of it."""

    def __init__(self, node: dict[str, Any]) -> None:
        self.nodes = list(_walk(node))
        self.kinds = {each["Node Type"] for each in self.nodes}
        self.indexes = {each["Index Name"] for each in self.nodes if "Index Name" in each}
        self.executions = {
            name for each in self.nodes if (name := each.get("Relation Name", "")).startswith("process_executions_")
        }
        self.calls = {
            name for each in self.nodes if (name := each.get("Relation Name", "")).startswith("omie_api_metrics_")
        }

    @property
    def read_whole(self) -> set[str]:
        """Months that are read from end to end; those to come are empty, so that nothing is cheaper."""
        whole = {each["Relation Name"] for each in self.nodes if each["Node Type"] == "Seq Scan"}
        return {name for name in whole & (self.executions | self.calls) if name[-7:] <= f"{NOW:%Y_%m}"}

    def uses(self, part: str) -> bool:
        return bool(self.indexes) and any(part in index for index in self.indexes)


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


async def explain(connection: asyncpg.Connection, statement: Statement, **given: Any) -> Plan:
    values = [given.get(name) for name in statement.names]
    answer = await connection.fetchval(f"explain (format json, costs off) {statement.sql}", *values)
    return Plan(json.loads(answer)[0]["Plan"])


async def explain_text(connection: asyncpg.Connection, sql: str) -> Plan:
    answer = await connection.fetchval(f"explain (format json, costs off) {sql}")
    return Plan(json.loads(answer)[0]["Plan"])


async def test_the_first_page_reads_the_key_backwards_and_sorts_nothing(planner: asyncpg.Connection) -> None:
    plan = await explain(planner, queries("executions").page, limit=50)
    assert "Sort" not in plan.kinds and not plan.read_whole
    assert plan.uses("_pkey")


async def test_a_page_since_an_hour_ago_looks_at_no_older_month(planner: asyncpg.Connection) -> None:
    since = NOW - timedelta(hours=1)
    plan = await explain(planner, queries("executions").page, since=since, limit=50)
    assert f"process_executions_{since:%Y_%m}" in plan.executions
    assert not any(name < f"process_executions_{since:%Y_%m}" for name in plan.executions)
    assert "Sort" not in plan.kinds


async def test_a_page_after_a_cursor_looks_at_no_newer_month(planner: asyncpg.Connection) -> None:
    month_ago = NOW - timedelta(days=31)
    before = await planner.fetchval("select uuid7_floor($1)", month_ago)
    plan = await explain(planner, queries("executions").page, before=before, limit=50)
    assert plan.executions and all(name <= f"process_executions_{month_ago:%Y_%m}" for name in plan.executions)
    assert "Sort" not in plan.kinds


async def test_an_execution_is_found_by_its_key_in_its_month_alone(planner: asyncpg.Connection) -> None:
    id = await planner.fetchval("select id from process_executions order by id desc limit 1")
    plan = await explain(planner, queries("executions").by_id, id=id)
    assert plan.uses("_pkey") and not plan.read_whole


async def test_an_execution_is_found_by_its_name_through_the_index_of_each_month(planner: asyncpg.Connection) -> None:
    plan = await explain(planner, queries("executions").key_of, execution_id="name_77")
    by_hand = await explain_text(
        planner, "update process_executions set error_message = '' where execution_id = 'name_77'"
    )
    for each in (plan, by_hand):
        full = {index for index in each.indexes if index.startswith("idx_process_executions_execution_id_")}
        assert len(full) >= 3


@pytest.mark.parametrize("part", ["running", "by_hand", "rescue"])
async def test_what_runs_is_found_by_the_partial_index(planner: asyncpg.Connection, part: str) -> None:
    if part == "running":
        plan = await explain(planner, queries("executions").running, limit=200)
    elif part == "rescue":
        plan = await explain(
            planner,
            queries("instances").rescue,
            lost_after=timedelta(seconds=20),
            gone=[],
            limit=500,
            read_message="",
            write_message="",
            bounds=[1.0],
        )
    else:
        plan = await explain_text(
            planner,
            "select count(*) from process_executions "
            "where status = 'running' and started_at > now() - interval '1 hour'",
        )
    assert plan.uses("status") and not plan.read_whole


async def test_children_are_found_by_their_parent(planner: asyncpg.Connection) -> None:
    parent = await planner.fetchval("select parent_id from process_executions where parent_id is not null limit 1")
    assert (await explain(planner, queries("executions").children, id=parent)).uses("parent_id")


async def test_calls_are_found_by_their_execution_in_its_months(planner: asyncpg.Connection) -> None:
    since = NOW - timedelta(hours=1)
    id = await planner.fetchval("select id from process_executions order by id desc limit 1")
    plan = await explain(planner, queries("executions").calls, id=id, since=since)
    assert plan.uses("process_execution_id")
    assert not any(name < f"omie_api_metrics_{since:%Y_%m}" for name in plan.calls)


async def test_the_three_questions_read_no_month_before_their_span(planner: asyncpg.Connection) -> None:
    day_ago = NOW - timedelta(hours=25)
    rate = await explain_text(planner, "select * from process_success_rate_24h")
    assert not any(name < f"process_executions_{day_ago:%Y_%m}" for name in rate.executions)
    speed = await explain_text(planner, "select * from endpoint_performance_1h")
    hour_ago = NOW - timedelta(hours=1)
    assert not any(name < f"omie_api_metrics_{hour_ago:%Y_%m}" for name in speed.calls)


async def test_a_gate_that_is_rebuilt_reads_the_last_calls_alone(planner: asyncpg.Connection) -> None:
    # While it reads, nobody enters. The last calls here are those of the end of the month.
    last = (NOW.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)).replace(day=1) - timedelta(hours=1)
    # The statement's own now: the suite may have run for an hour since this file was read.
    now = await planner.fetchval("select now()")
    plan = await explain(planner, queries("gate").measured, span=(now - last).total_seconds())
    assert plan.uses("success_timestamp") and not plan.read_whole
    assert not any(name < f"omie_api_metrics_{NOW:%Y_%m}" for name in plan.calls)


async def test_keys_that_have_expired_are_found_by_when_they_did(planner: asyncpg.Connection) -> None:
    plan = await explain(planner, queries("idempotency").prune, limit=2000)
    assert plan.uses("idx_idempotency_keys_expires")


async def test_a_page_of_a_rare_type_goes_by_the_index_of_types_or_by_key(planner: asyncpg.Connection) -> None:
    plan = await explain(planner, queries("executions").page, process_type="type_7", limit=50)
    assert plan.uses("_pkey") or plan.uses("process_type")
