"""The plan of a batch: one index look-up an end, whether the tables are empty or full, through parent or partition."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import asyncpg
import pytest
from tests.conftest import TIMEZONE, Database

from omie_control.postgres.database import Postgres
from omie_control.postgres.statements import PARENTS, Part, Tables, statement

MONTH = Tables(*(f"{name}_{datetime.now(UTC):%Y_%m}" for name in PARENTS))
FILL = """
insert into process_executions (process_type, execution_id, status, attempt)
select 't', 't_' || n, 'completed', 1 from generate_series(1, 5000) n
"""


@pytest.mark.parametrize("tables", [PARENTS, MONTH], ids=["parents", "partition"])
@pytest.mark.parametrize("is_full", [False, True], ids=["empty", "full"])
async def test_ends_are_found_one_by_one_by_their_id(
    database: Database, owner_conn: asyncpg.Connection, tables: Tables, is_full: bool
) -> None:
    if is_full:
        await owner_conn.execute(FILL)
        await owner_conn.execute("vacuum analyze process_executions")
    writer = await Postgres(database.app_url, timezone=TIMEZONE).connect_writer()
    sql = statement(Part.FINISHES | Part.CALLS, tables)
    await writer.execute(f"prepare batch as {sql}")
    nulls = ", ".join(["null"] * max(int(number) for number in re.findall(r"\$(\d+)", sql)))
    plan = "\n".join(row[0] for row in await writer.fetch(f"explain (costs off) execute batch({nulls})"))
    await writer.close()
    update = plan.partition("CTE end_bodies")[0]
    assert "Seq Scan" not in update
    assert re.search(r"Nested Loop\n\s*->  Function Scan on u\n", update), update
    assert "Index Cond: (id = u.id)" in update
