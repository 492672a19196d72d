"""Every column of a sealed table is in its leaf, or left out on purpose; both ways of hashing a content agree."""

from __future__ import annotations

import asyncpg
import pytest
from tests.integration.postgres.rows import add_execution

from omie_control.domain.sealed_records import CONTENT_COLUMNS, EVENT_COLUMNS, EXECUTION_COLUMNS
from omie_control.domain.seals import Kind
from omie_control.postgres import sealed_rows

# What the other columns are proved against, so not proved itself.
LEFT_OUT = {"content_hash"}


@pytest.mark.parametrize(
    ("table", "covered"),
    [
        ("process_executions", {*EXECUTION_COLUMNS, *CONTENT_COLUMNS} | LEFT_OUT),
        ("audit_events", set(EVENT_COLUMNS)),
    ],
)
async def test_every_column_is_covered(conn: asyncpg.Connection, table: str, covered: set[str]) -> None:
    rows = await conn.fetch(
        "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped",
        table,
    )
    assert {row["attname"] for row in rows} == covered, "a new column needs a new version of the record's tag"


async def test_postgresql_hashes_a_content_as_we_do(conn: asyncpg.Connection) -> None:
    bodies = [None, "null", "{}", '{"a": 1.50, "b": [1, "çã – 😀", null], "c": 1e400, "d": "\\n"}']
    ids = [
        (await add_execution(conn, status="completed", response_data=body, input_parameters="[1]"))[0]
        for body in bodies
    ]
    rows = await conn.fetch(f"select id, {sealed_rows.content_hash_sql()} as hash from process_executions")
    async with conn.transaction():
        await sealed_rows.pin(conn)
        read = await sealed_rows.read(conn, Kind.EXECUTION, ids)
    assert {row["id"]: row["hash"] for row in rows} == {id: read[id].hash_of_content for id in ids}
    assert len({record.hash for record in read.values()}) == len(bodies)


async def test_the_session_changes_no_hash(conn: asyncpg.Connection) -> None:
    id, _ = await add_execution(conn, status="completed", response_data="{}")
    hashes = set()
    for zone, style in (("UTC", "ISO, YMD"), ("America/Sao_Paulo", "SQL, DMY"), ("Asia/Tokyo", "German")):
        await conn.execute(f"set timezone = '{zone}'; set datestyle = '{style}'; set bytea_output = 'escape'")
        async with conn.transaction():
            await sealed_rows.pin(conn)
            hashes.add((await sealed_rows.read(conn, Kind.EXECUTION, [id]))[id].hash)
    assert len(hashes) == 1
