"""What the application's and the reader's logins may do inside PostgreSQL, table by table."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.conftest import Database

# Every table of ours: what the application may do with its rows. A table that is not here is a mistake.
APPLICATION = {
    "api_tokens": "select insert update",
    "audit_events": "select insert",
    "audit_verifications": "select insert",
    "companies": "select insert update",
    "data_keys": "select insert update",
    "configuration_history": "select",
    "erasures": "select insert update",
    "errands": "select insert update",
    "execution_bodies": "select insert update delete",
    "gate_calls": "select insert update delete",
    "gate_egresses": "select insert update",
    "gate_lines": "select insert update",
    "gate_waiters": "select insert update delete",
    "identity_roles": "select insert update delete",
    "idempotency_keys": "select insert update delete",
    "index_key": "select insert update",
    "instances": "select insert update delete",
    "integration_alerts": "select insert update",
    "legal_holds": "select insert update",
    "login_attempts": "select insert update delete",
    "lookup_lines": "select insert update delete",
    "master_keys": "select insert update",
    "omie_api_metrics": "select insert update",
    "omie_blocks": "select insert update delete",
    "process_executions": "select insert update",
    "recovery_codes": "select insert update delete",
    "roles": "select insert update delete",
    "rollup_deltas": "select insert update delete",
    "rollup_hours": "select insert update",
    "rollup_minutes": "select insert update",
    "schedules": "select insert update",
    "schema_migrations": "select",
    "seal_keys": "select insert update",
    "seal_queue": "select insert delete",
    "seals": "select insert",
    "spent_states": "select insert delete",
    "system_configurations": "select insert update",
    "tool_usage_analytics": "select insert update",
    "uncertain_executions": "select insert update delete",
    "user_identities": "select insert update delete",
    "user_links": "select insert update delete",
    "users": "select insert update",
    "web_sessions": "select insert update delete",
    "webhook_addresses": "select insert update",
    "webhook_events": "select insert update",
}
VERBS = ("select", "insert", "update", "delete", "truncate", "references", "trigger")


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.reader_url)
    yield connection
    await connection.close()


async def rights(connection: asyncpg.Connection, kinds: str) -> dict[str, str]:
    rows = await connection.fetch(
        """
        select relname as name,
               (select string_agg(verb, ' ' order by n) from unnest($1::text[]) with ordinality as v (verb, n)
                 where has_table_privilege(pg_class.oid, verb)) as verbs
          from pg_class
         where relnamespace = 'public'::regnamespace and relkind::text = any(string_to_array($2, null))
           and not relispartition""",
        VERBS,
        kinds,
    )
    return {row["name"]: row["verbs"] or "" for row in rows}


async def test_the_application_has_exactly_these_rights(conn: asyncpg.Connection) -> None:
    assert await rights(conn, "rp") == APPLICATION
    assert set((await rights(conn, "v")).values()) == {"select"}


async def test_a_partition_gives_what_its_parent_gives_and_nothing_to_the_reader(
    conn: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    await conn.execute("select make_partitions('2031-01-01', 1)")
    different = """
        select inhrelid::regclass::text, verb from pg_inherits, unnest($1::text[]) as verb
         where inhparent::regclass::text = any($2)
           and has_table_privilege(inhrelid, verb) is distinct from (has_table_privilege(inhparent, verb) and $3)"""
    parents = ["process_executions", "execution_bodies", "omie_api_metrics"]
    assert await conn.fetchval("select count(*) from pg_inherits where inhparent = 'execution_bodies'::regclass") >= 4
    assert await conn.fetch(different, VERBS, parents, True) == []
    assert await reader.fetch(different, VERBS, parents, False) == []


async def test_the_application_is_refused(conn: asyncpg.Connection) -> None:
    await conn.execute("insert into audit_events (actor, action) values ('user:maria', 'probe.made')")
    for statement in (
        "update audit_events set actor = 'somebody else'",
        "delete from audit_events",
        "truncate audit_events",
        "update seals set root = ''",
        "delete from seals",
        "delete from audit_verifications",
        "delete from process_executions",
        "truncate process_executions",
        "drop table audit_events",
        "alter table audit_events disable trigger all",
        "create table mine (id int)",
        "create table mine partition of process_executions for values from (minvalue) to (maxvalue)",
        "select make_partition('process_executions', '2040-01-01', 'process_executions_2040_01')",
        "update schema_migrations set checksum = ''",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)
    assert await conn.fetchval("select actor from audit_events") == "user:maria"


async def test_the_application_makes_partitions_only_through_the_maker(conn: asyncpg.Connection) -> None:
    assert await conn.fetchval("select make_partitions('2032-11-15', 3)") == 9
    assert await conn.fetchval("select make_partitions('2032-11-15', 3)") == 0
    assert await conn.fetchval("select to_regclass('process_executions_2033_01') is not null")
    await conn.execute(
        "insert into process_executions (id, process_type, execution_id) "
        "values (uuid7('2033-01-31 23:59:59.999+00'), 't', 'last')"
    )
    with pytest.raises(asyncpg.PostgresError, match="between 1 and 36"):
        await conn.execute("select make_partitions('2032-11-15', 1000)")


async def test_the_reader_is_refused(reader: asyncpg.Connection) -> None:
    for statement in (
        "select * from execution_bodies",
        "select sealed from execution_bodies",
        "select * from data_keys",
        "select * from web_sessions",
        "select credentials from companies",
        "select * from companies",
        "select password_hash from users",
        "select token_hash from api_tokens",
        "select secret_hash from webhook_addresses",
        "select sealed from webhook_events",
        "select config_value from system_configurations",
        "select make_partitions('2030-01-01', 1)",
        "insert into integration_alerts (alert_type, severity, title) values ('a', 'info', 'a')",
        "update process_executions set status = 'failed'",
        "delete from process_executions",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)


async def test_the_reader_reads(reader: asyncpg.Connection) -> None:
    for statement in (
        "select * from process_executions",
        "select * from omie_api_metrics",
        "select * from integration_alerts",
        "select * from active_processes",
        "select * from usage_now",
        "select slug, name, app_key_hint from companies",
        "select username, role from users",
        "select name, prefix, expires_at from api_tokens",
        "select config_key, config_type from system_configurations",
        "select * from audit_events",
    ):
        assert await reader.fetch(statement) == []
