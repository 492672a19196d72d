"""The tables keep the names, columns, types and indexes that were promised to whoever writes SQL by hand."""

from __future__ import annotations

import asyncpg
import pytest

from omie_control.domain.executions import Category, Complexity, Status
from omie_control.postgres.alerts import Severity
from omie_control.postgres.configurations import ConfigType

COLUMNS = {
    "process_executions": """
        id uuid, process_type character varying(100), execution_id character varying(100), status execution_status,
        started_at timestamp with time zone, completed_at timestamp with time zone, duration_ms integer,
        input_parameters jsonb, omie_endpoint character varying(200), request_payload jsonb,
        response_status_code integer, response_data jsonb, error_message text, error_code character varying(50),
        user_agent text, ip_address inet, fastmcp_session_id character varying(100),
        created_at timestamp with time zone, updated_at timestamp with time zone""",
    "omie_api_metrics": """
        id bigint, endpoint character varying(200), method character varying(10), response_time_ms integer,
        status_code integer, success boolean, request_size_bytes integer, response_size_bytes integer,
        rate_limit_remaining integer, rate_limit_reset_at timestamp with time zone, process_execution_id uuid,
        timestamp timestamp with time zone""",
    "system_configurations": """
        id integer, config_key character varying(100), config_value jsonb, config_type character varying(50),
        is_encrypted boolean, is_active boolean, description text, created_by character varying(100),
        created_at timestamp with time zone, updated_at timestamp with time zone""",
    "integration_alerts": """
        id bigint, alert_type character varying(50), severity alert_severity, title character varying(200),
        message text, context_data jsonb, process_execution_id uuid, endpoint character varying(200),
        is_resolved boolean, resolved_at timestamp with time zone, resolved_by character varying(100),
        created_at timestamp with time zone""",
    "tool_usage_analytics": """
        id bigint, tool_name character varying(100), category tool_category, complexity tool_complexity,
        usage_count integer, total_execution_time_ms bigint, success_count integer, error_count integer,
        date_key date, hour_key integer, avg_response_time_ms integer, success_rate numeric(5,2)""",
}
INDEXES = {
    "process_executions": {
        "idx_process_executions_status",
        "idx_process_executions_type_created",
        "idx_process_executions_created_at",
    },
    "omie_api_metrics": {"idx_omie_metrics_endpoint_timestamp", "idx_omie_metrics_success_timestamp"},
    "integration_alerts": {"idx_alerts_severity_created", "idx_alerts_unresolved"},
    "tool_usage_analytics": {"idx_tool_analytics_date_tool"},
}
ENUMS = {
    "execution_status": [
        "running", "completed", "failed", "timeout", "cancelled", "queued", "awaiting_approval", "uncertain"
    ],
    "alert_severity": ["info", "warning", "critical"],
    "tool_category": ["sistema", "organizacional", "financeiro", "comercial", "produtos", "relatorios"],
    "tool_complexity": ["basica", "intermediaria", "avancada", "especializada"],
}  # fmt: skip


def split(columns: str) -> list[str]:
    return [" ".join(part.split()) for part in columns.replace(",\n", ", ").split(", ")]


async def test_the_promised_columns_come_first_and_in_order(conn: asyncpg.Connection) -> None:
    for table, columns in COLUMNS.items():
        rows = await conn.fetch(
            "select attname || ' ' || format_type(atttypid, atttypmod) as column from pg_attribute "
            "where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum",
            table,
        )
        expected = split(columns)
        assert [row["column"] for row in rows][: len(expected)] == expected, table


async def test_columns_of_our_own_never_stand_in_the_way_of_an_insert(conn: asyncpg.Connection) -> None:
    rows = await conn.fetch(
        "select attrelid::regclass::text as table, attname from pg_attribute "
        "where attrelid::regclass::text = any($1) and attnum > 0 and attnotnull and not atthasdef",
        list(COLUMNS),
    )
    needed = {(row["table"], row["attname"]) for row in rows}
    assert needed == {
        ("process_executions", "process_type"),
        ("process_executions", "execution_id"),
        ("omie_api_metrics", "endpoint"),
        ("system_configurations", "config_key"),
        ("system_configurations", "config_value"),
        ("system_configurations", "config_type"),
        ("integration_alerts", "alert_type"),
        ("integration_alerts", "severity"),
        ("integration_alerts", "title"),
        ("tool_usage_analytics", "tool_name"),
        ("tool_usage_analytics", "date_key"),
        ("tool_usage_analytics", "hour_key"),
    }


async def test_the_promised_indexes_have_their_names(conn: asyncpg.Connection) -> None:
    for table, names in INDEXES.items():
        rows = await conn.fetch("select indexname from pg_indexes where tablename = $1", table)
        assert names <= {row["indexname"] for row in rows}, table


async def test_execution_id_is_unique_in_every_month_and_has_no_index_of_that_name_on_the_parent(
    conn: asyncpg.Connection,
) -> None:
    children = "select inhrelid::regclass::text from pg_inherits where inhparent = 'process_executions'::regclass"
    months = [row[0] for row in await conn.fetch(children)]
    assert len(months) >= 4
    for month in months:
        name = f"idx_process_executions_execution_id_{month[-7:]}"
        definition = await conn.fetchval(
            "select indexdef from pg_indexes where tablename = $1 and indexname = $2", month, name
        )
        assert definition.startswith("CREATE UNIQUE INDEX") and definition.endswith("(execution_id)")
    assert await conn.fetchval("select to_regclass('idx_process_executions_execution_id')") is None


async def test_only_what_has_not_ended_is_in_the_status_index(conn: asyncpg.Connection) -> None:
    predicate = await conn.fetchval(
        "select pg_get_expr(indpred, indrelid) from pg_index "
        "where indexrelid = 'idx_process_executions_status'::regclass"
    )
    for status in Status:
        assert (f"'{status}'" in predicate) is not status.has_ended, status


async def test_the_enums_have_their_values_in_order(conn: asyncpg.Connection) -> None:
    labels = "select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = $1::text::regtype"
    for name, values in ENUMS.items():
        assert await conn.fetchval(labels, name) == values
    ours = {"execution_status": Status, "tool_category": Category, "tool_complexity": Complexity}
    for name, words in (ours | {"alert_severity": Severity}).items():
        assert {word.value for word in words} == set(ENUMS[name])


async def test_no_table_refers_to_an_execution_or_a_call(conn: asyncpg.Connection) -> None:
    # Decision 0003: a reference would lock them while an old month leaves.
    assert not await conn.fetch(
        "select conname from pg_constraint where contype = 'f' "
        "and confrelid in ('process_executions'::regclass, 'omie_api_metrics'::regclass)"
    )


async def test_a_key_made_by_the_database_carries_its_instant(conn: asyncpg.Connection) -> None:
    row = await conn.fetchrow(
        "select uuid7('2026-11-23 12:00:00.123+00') as id, uuid7_floor('2026-11-23 12:00:00.123+00') as floor"
    )
    assert row is not None
    assert row["id"].version == 7 and row["id"].variant == "specified in RFC 4122"
    assert row["id"].int >> 80 == row["floor"].int >> 80 == 1795435200123
    assert row["floor"].int & ((1 << 80) - 1) == 0


@pytest.mark.parametrize(
    "value",
    [
        '{"app_key": "1", "app_secret": "2"}',
        '"plain"',
        '{"key_id": "k", "ciphertext": "c", "app_secret": "2"}',
        '{"ciphertext": "c"}',
    ],
)
async def test_a_credential_that_is_not_ciphertext_is_refused(conn: asyncpg.Connection, value: str) -> None:
    insert = """
        insert into system_configurations (config_key, config_value, config_type, is_encrypted)
        values ('k', $1::jsonb, 'credentials', $2)"""
    for is_encrypted in (True, False):
        with pytest.raises(asyncpg.CheckViolationError):
            await conn.execute(insert, value, is_encrypted)
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute(insert, '{"key_id": "k", "ciphertext": "c"}', False)
    await conn.execute(insert, '{"key_id": "k", "ciphertext": "c"}', True)
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute("update system_configurations set config_value = $1::jsonb", value)


async def test_a_configuration_has_one_of_the_four_types(conn: asyncpg.Connection) -> None:
    insert = "insert into system_configurations (config_key, config_value, config_type) values ($1, '1', $1)"
    for config_type in ConfigType:
        if config_type is not ConfigType.CREDENTIALS:
            await conn.execute(insert, config_type.value)
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute(insert, "other")
