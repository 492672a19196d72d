"""The schema as the database's own catalogue tells it: what `schema.sql` holds, and a test compares.

`python -m omie_control.postgres.catalogue <the owner's address>` prints it for a migrated database.
"""

from __future__ import annotations

import asyncio
import sys

import asyncpg

from omie_control.postgres.queries import queries

_sql = queries("catalogue")
_HEAD = (
    "-- The schema that all migrations make together. Generated (see catalogue.py), never edited, never run in life."
)


async def schema_sql(connection: asyncpg.Connection) -> str:
    """Return the schema as statements that would make it in an empty database."""
    # Whether a definition names its schema depends on the path of who asks.
    await connection.execute("set search_path = public")
    texts = [_HEAD]
    for part in (
        _sql.enums,
        _sql.functions,
        _sql.sequences,
        _sql.tables,
        _sql.storage,
        _sql.foreign_keys,
        _sql.indexes,
        _sql.views,
        _sql.comments,
    ):
        texts += [row[0].strip() for row in await part.fetch(connection)]
    return "\n\n".join(texts) + "\n"


async def _print(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        sys.stdout.write(await schema_sql(connection))
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(_print(sys.argv[1]))
