"""Every statement of every noun fits the schema, is named with its parameters and says what it is for."""

from __future__ import annotations

import asyncpg
import pytest

from omie_control.postgres.queries import Statement, nouns, parse, queries

EVERY = [pytest.param(statement, id=f"{noun}.{statement.name}") for noun in nouns() for statement in queries(noun)]


def test_there_are_statements_to_check() -> None:
    assert len(EVERY) > 30


async def test_every_statement_fits_the_schema_and_the_rights_of_the_application(conn: asyncpg.Connection) -> None:
    wrong: list[str] = []
    for parameter in EVERY:
        statement = parameter.values[0]
        assert isinstance(statement, Statement)
        try:
            prepared = await conn.prepare(statement.sql)
            # Rights are looked at when a plan starts, not when it is prepared.
            await conn.execute(f"explain (generic_plan) {statement.sql}")
        except asyncpg.PostgresError as exc:
            wrong.append(f"{parameter.id}: {exc}")
            continue
        if len(prepared.get_parameters()) != len(statement.names):
            wrong.append(f"{parameter.id}: {len(prepared.get_parameters())} parameters for {statement.names}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("statement", EVERY)
def test_every_statement_says_in_a_sentence_what_it_is_for(statement: Statement) -> None:
    assert statement.sentence.strip().endswith("."), f"{statement.name}: {statement.sentence!r}"
    assert len(statement.sentence.split()) >= 2


async def test_a_parameter_that_is_not_there_is_named(conn: asyncpg.Connection) -> None:
    statement = next(iter(parse("probe", "-- name: probe(a, b)\n-- Probe something.\nselect :a::int + :b::int;")))
    assert await statement.value(conn, a=1, b=2) == 3
    with pytest.raises(TypeError, match="takes a, b"):
        await statement.value(conn, a=1)
    with pytest.raises(KeyError):
        await statement.value(conn, a=1, c=2)
