"""`schema.sql` is what the migrations make, and makes what they make."""

from __future__ import annotations

import re
from importlib.resources import files

import asyncpg

from omie_control.postgres.catalogue import schema_sql

FILE = (files("omie_control.postgres") / "schema.sql").read_text(encoding="utf-8")


def plain(schema: str) -> list[str]:
    # Reading its own words back, PostgreSQL moves casts and brackets about.
    return sorted(re.sub(r"::[a-z]+( varying)?(\[\])?|[()]", "", part) for part in schema.split("\n\n"))


async def test_the_migrations_make_the_schema_of_the_file(owner_conn: asyncpg.Connection) -> None:
    assert await schema_sql(owner_conn) == FILE


async def test_the_file_makes_the_schema_of_the_file(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    await connection.execute(FILE)
    made = await schema_sql(connection)
    await connection.close()
    assert plain(made) == plain(FILE)


async def test_a_change_to_the_schema_is_seen(owner_conn: asyncpg.Connection) -> None:
    await owner_conn.execute("alter table companies add column note text")
    assert await schema_sql(owner_conn) != FILE
