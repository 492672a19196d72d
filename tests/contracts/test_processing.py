"""The record of processing names every column that could hold personal data, and none that is not there."""

from __future__ import annotations

import asyncpg

from omie_control.services.processing import record

# What people or Omie put texts into, whatever its type; and everything of these types.
NAMES = ["user_agent", "username", "error_message", "message", "title", "detail", "goal", "outcome", "actor"]
NAMES += ["cancel_reason", "context_data", "person_hash", "email", "subject", "author"]
TYPES = ("jsonb", "bytea", "inet")
# Not about anybody: keys, hashes of ours over records, signatures, numbers of the installation itself.
ABOUT_NOBODY = {
    "api_tokens.token_hash",
    "audit_events.outcome",
    "audit_verifications.details",
    "companies.credentials",
    "configuration_history.before",
    "configuration_history.after",
    "data_keys.wrapped",
    "idempotency_keys.digest",
    "index_key.wrapped",
    "process_executions.trace_id",
    "process_executions.commitment",
    "process_executions.content_hash",
    "recovery_codes.code_hash",
    "rollup_deltas.subject",
    "rollup_hours.subject",
    "rollup_minutes.subject",
    "seal_keys.public_key",
    "seal_keys.wrapped",
    "seals.previous",
    "seals.root",
    "seals.leaves",
    "seals.hash",
    "seals.signature",
    "spent_states.state_hash",
    "system_configurations.config_value",
    "user_links.token_hash",
    "web_sessions.token_hash",
    "webhook_addresses.secret_hash",
    "webhook_events.dedupe",
}


async def test_every_column_that_may_hold_personal_data_is_told_of(owner_conn: asyncpg.Connection) -> None:
    rows = await owner_conn.fetch(
        "select table_name || '.' || column_name as name from information_schema.columns join pg_class"
        " on relname = table_name and relkind in ('r', 'p') and not relispartition"
        " where table_schema = 'public' and (udt_name = any($1) or column_name = any($2))",
        list(TYPES),
        NAMES,
    )
    there = {row["name"] for row in rows}
    told = {column for entry in record() for column in entry.columns}
    assert told & ABOUT_NOBODY == set()
    assert there - told - ABOUT_NOBODY == set(), (
        "say in services/processing.py what it holds, or here that it is nobody's"
    )
    assert (told | ABOUT_NOBODY) - there == set(), "there is no such column"


def test_every_operation_says_everything() -> None:
    for entry in record():
        for text in (entry.subject, entry.data, entry.where, entry.form, entry.kept, entry.purpose, entry.basis):
            assert text.strip(), entry
