"""The document's own way of recording, as it stands: six awaited statements an execution, on a pool of ten.

One INSERT, one SETEX, one UPDATE, one SETEX, one metrics INSERT, one analytics UPSERT. Its five tables without
anything of ours: no masking, no sealed bodies, no partitions, no histograms, no guard against a second end.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

import asyncpg
import redis.asyncio
from benchmarks.workload import ENDPOINT, INPUT, PROCESS_TYPE, answers

SCHEMA = """
create type execution_status as enum ('running', 'completed', 'failed', 'timeout', 'cancelled');
create type alert_severity as enum ('info', 'warning', 'critical');
create type tool_category as enum ('sistema', 'organizacional', 'financeiro', 'comercial', 'produtos', 'relatorios');
create type tool_complexity as enum ('basica', 'intermediaria', 'avancada', 'especializada');
create table process_executions (
    id uuid primary key default gen_random_uuid(),
    process_type varchar(100) not null,
    execution_id varchar(100) unique not null,
    status execution_status not null default 'running',
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    duration_ms integer,
    input_parameters jsonb,
    omie_endpoint varchar(200),
    request_payload jsonb,
    response_status_code integer,
    response_data jsonb,
    error_message text,
    error_code varchar(50),
    user_agent text,
    ip_address inet,
    fastmcp_session_id varchar(100),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now());
create index idx_process_executions_status on process_executions (status);
create index idx_process_executions_type_created on process_executions (process_type, created_at);
create index idx_process_executions_execution_id on process_executions (execution_id);
create index idx_process_executions_created_at on process_executions (created_at);
create table omie_api_metrics (
    id bigserial primary key,
    endpoint varchar(200) not null,
    method varchar(10) not null default 'POST',
    response_time_ms integer,
    status_code integer,
    success boolean,
    request_size_bytes integer,
    response_size_bytes integer,
    rate_limit_remaining integer,
    rate_limit_reset_at timestamptz,
    process_execution_id uuid references process_executions (id),
    timestamp timestamptz not null default now());
create index idx_omie_metrics_endpoint_timestamp on omie_api_metrics (endpoint, timestamp);
create index idx_omie_metrics_success_timestamp on omie_api_metrics (success, timestamp);
create table system_configurations (
    id serial primary key, config_key varchar(100) unique not null, config_value jsonb not null,
    config_type varchar(50) not null, is_encrypted boolean default false, is_active boolean default true,
    description text, created_by varchar(100), created_at timestamptz default now(),
    updated_at timestamptz default now());
create table integration_alerts (
    id bigserial primary key, alert_type varchar(50) not null, severity alert_severity not null,
    title varchar(200) not null, message text, context_data jsonb,
    process_execution_id uuid references process_executions (id), endpoint varchar(200),
    is_resolved boolean default false, resolved_at timestamptz, resolved_by varchar(100),
    created_at timestamptz default now());
create index idx_alerts_severity_created on integration_alerts (severity, created_at);
create index idx_alerts_unresolved on integration_alerts (is_resolved, created_at);
create table tool_usage_analytics (
    id bigserial primary key, tool_name varchar(100) not null, category tool_category, complexity tool_complexity,
    usage_count integer default 0, total_execution_time_ms bigint default 0, success_count integer default 0,
    error_count integer default 0, date_key date not null, hour_key integer not null,
    avg_response_time_ms integer, success_rate decimal(5, 2), unique (tool_name, date_key, hour_key));
create index idx_tool_analytics_date_tool on tool_usage_analytics (date_key, tool_name);
"""

_START = """
insert into process_executions (process_type, execution_id, input_parameters, status)
values ($1, $2, $3, 'running') returning id
"""
_END = """
update process_executions
   set status = $1, completed_at = now(), response_data = $2, error_message = $3,
       duration_ms = extract(epoch from (now() - started_at)) * 1000
 where execution_id = $4
"""
_METRIC = """
insert into omie_api_metrics
       (endpoint, response_time_ms, status_code, success, request_size_bytes, response_size_bytes, process_execution_id)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_USAGE = """
insert into tool_usage_analytics as a
       (tool_name, category, complexity, usage_count, total_execution_time_ms, success_count, date_key, hour_key)
values ($1, 'comercial', 'basica', 1, $2, 1, current_date, extract(hour from now())::integer)
on conflict (tool_name, date_key, hour_key) do update
   set usage_count = a.usage_count + 1,
       total_execution_time_ms = a.total_execution_time_ms + excluded.total_execution_time_ms,
       success_count = a.success_count + 1,
       avg_response_time_ms = (a.total_execution_time_ms + excluded.total_execution_time_ms) / (a.usage_count + 1),
       success_rate = (a.success_count + 1) * 100.0 / (a.usage_count + 1)
"""


class Document:
    """The document's ProcessController, as far as it records."""

    def __init__(self, database_url: str, valkey_url: str) -> None:
        self._database_url = database_url
        self._valkey_url = valkey_url
        self._answers = answers()

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(self._database_url, min_size=10, max_size=10)
        self._redis = redis.asyncio.Redis.from_url(self._valkey_url)
        if await self._pool.fetchval("select to_regclass('process_executions')") is None:
            await self._pool.execute(SCHEMA)

    async def close(self) -> None:
        await self._pool.close()
        await self._redis.aclose()

    async def run(self, turn: int) -> None:
        """Record one execution."""
        begun = perf_counter()
        # With all of the id, not the eight letters of the document, which collide within minutes at these rates.
        execution_id = f"{PROCESS_TYPE}_{datetime.now(UTC):%Y%m%d_%H%M%S}_{uuid4().hex}"
        id = await self._pool.fetchval(_START, PROCESS_TYPE, execution_id, json.dumps(INPUT))
        running = {"status": "running", "started_at": _now(), "process_type": PROCESS_TYPE}
        await self._remember(execution_id, 3600, running)
        answer = json.dumps(self._answers[turn % len(self._answers)])
        await self._pool.execute(_END, "completed", answer, None, execution_id)
        await self._remember(execution_id, 86400, {"status": "completed", "completed_at": _now(), "success": True})
        took = int((perf_counter() - begun) * 1000)
        await self._pool.execute(_METRIC, ENDPOINT, 120, 200, True, 210, len(answer), id)
        await self._pool.execute(_USAGE, PROCESS_TYPE, took)

    async def _remember(self, execution_id: str, seconds: int, state: dict[str, Any]) -> None:
        # The client's own method of this name takes time to say that it is an old one.
        await self._redis.execute_command("SETEX", f"process:{execution_id}", seconds, json.dumps(state))


def _now() -> str:
    return datetime.now(UTC).isoformat()
