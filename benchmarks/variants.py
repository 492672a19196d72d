"""Our schema and statement with one part changed, to see what that part costs."""

from __future__ import annotations

import asyncpg

from omie_control.postgres import statements

_TABLES = ("process_executions", "execution_bodies", "omie_api_metrics")


async def without_partitions(url: str) -> None:
    """Replace the partitioned tables by plain ones of the same columns and indexes."""
    connection = await asyncpg.connect(url)
    # It would leave together with the table that owns it.
    await connection.execute("alter sequence omie_api_metrics_id_seq owned by none")
    for table in _TABLES:
        views = await connection.fetch(
            "select distinct v.oid::regclass::text as name from pg_depend d join pg_rewrite r on r.oid = d.objid"
            " join pg_class v on v.oid = r.ev_class where d.refobjid = $1::text::regclass and v.relkind = 'v'",
            table,
        )
        for view in views:
            await connection.execute(f"drop view if exists {view['name']} cascade")
        await connection.execute(f"create table plain (like {table} including all)")
        await connection.execute(f"drop table {table} cascade")
        await connection.execute(f"alter table plain rename to {table}")
    await connection.execute("create unique index on process_executions (execution_id)")
    await connection.close()


async def without_indexes(url: str) -> None:
    """Keep only the primary keys."""
    connection = await asyncpg.connect(url)
    names = await connection.fetch(
        "select i.indexrelid::regclass::text as name from pg_index i join pg_class t on t.oid = i.indrelid"
        " join pg_class x on x.oid = i.indexrelid"
        " where not i.indisprimary and not x.relispartition"
        " and (t.relname like 'process_executions%' or t.relname like 'omie_api_metrics%')"
    )
    for row in names:
        await connection.execute(f"drop index {row['name']}")
    await connection.close()


async def with_foreign_key(url: str) -> None:
    """Tie each call to its execution, as the document does."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "alter table omie_api_metrics add foreign key (process_execution_id) references process_executions (id)"
    )
    await connection.close()


class WithoutRollups:
    """While it is entered, batches are recorded without their roll-up deltas (statements are made per connection)."""

    def __enter__(self) -> None:
        self._kept = statements._count
        statements._count = _uncounted
        statements.statement.cache_clear()

    def __exit__(self, *error: object) -> None:
        statements._count = self._kept
        statements.statement.cache_clear()


def _uncounted(parts: statements.Part, numbers: statements._Numbers) -> list[str]:
    # Their arguments are sent all the same.
    has_deltas = parts & (statements.Part.CALLS | statements.Part.WHOLES)
    return [f"counted as (select from {numbers.source(statements._DELTA_TYPES)})"] if has_deltas else []
