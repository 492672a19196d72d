"""Old months made small: their responses cut to a sample, their rows rewritten without a gap, their bodies gone.

An update in place would leave the table as large as it was, and VACUUM FULL would shut out every statement that
looks at all months. So the month is copied beside itself while its rows stand still, and swapped in one short
transaction (decision 0004). Runs on a connection of the owner.

A sealed body opens only beside the masked columns it was sealed with (decision 0010). So a row whose sealed body is
still there, such as one under a legal hold, stays whole, and its month is made small again once the body is gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID

import asyncpg

from omie_control.domain.sealed_records import CONTENT_COLUMNS
from omie_control.errors import ControlError
from omie_control.postgres.patience import LOCK_TIMEOUT, patiently
from omie_control.postgres.sealed_rows import content_hash_sql

_NOTE = "slim"
_SUFFIX = "_slim"
_IS_WHOLE = "status in ('completed', 'failed', 'timeout', 'cancelled') and content_hash is null"


async def slim_month(
    connection: asyncpg.Connection, month: date, *, before_swap: Callable[[str], Awaitable[None]] | None = None
) -> int:
    """Rewrite one month of executions with slim bodies; returns how many rows it has, 0 when there is nothing to do.

    Executions that have not ended, and those whose sealed body is still there, keep their bodies. For as long as the
    copy takes, a change to a row of that month is refused with "try again"; everything else goes on. Raises Conflict
    when a long transaction stands in the way; the month is then as it was. `before_swap` hears the name of the small
    copy before it takes its place.
    """
    old = f"process_executions_{month:%Y_%m}"
    note = await connection.fetchval("select obj_description(to_regclass($1), 'pg_class')", old)
    if note == _NOTE or await connection.fetchval("select to_regclass($1) is null", old):
        return 0
    if not await _has_any(connection, old, await _can_shrink(connection, month)):
        return 0
    fresh = f"{old}{_SUFFIX}"
    async with _standing_still(connection, old):
        try:
            rows = await _copy(connection, old, fresh, month)
            if before_swap is not None:
                await before_swap(fresh)
            await _patiently(lambda: _swap(connection, old, fresh, month))
        except (asyncpg.PostgresError, ControlError):
            await connection.execute(f"drop table if exists {fresh}")
            raise
    await _patiently(lambda: _empty_bodies(connection, f"execution_bodies_{month:%Y_%m}"))
    return rows


@asynccontextmanager
async def _standing_still(connection: asyncpg.Connection, old: str) -> AsyncIterator[None]:
    """Refuse changes to a month's rows for as long as this lasts; also when we die, no longer than that."""
    key = await connection.fetchval(
        "select hashtextextended('omie_control.rewrite', $1::text::regclass::oid::bigint)", old
    )
    await _patiently(lambda: _in_transaction(connection, _guard(old)))
    await _patiently(lambda: _take(connection, key))
    try:
        yield
    finally:
        await connection.execute("select pg_advisory_unlock($1)", key)


def _guard(table: str) -> str:
    return (
        f"create or replace trigger refuse_change before insert or update or delete on {table} "
        "for each row execute function refuse_change()"
    )


async def _take(connection: asyncpg.Connection, key: int) -> None:
    # Waits for whoever was changing a row of the month just now; the lock outlives the transaction.
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute("select pg_advisory_lock($1)", key)


async def _copy(connection: asyncpg.Connection, old: str, fresh: str, month: date) -> int:
    columns = await connection.fetch(
        "select quote_ident(attname) as name from pg_attribute "
        "where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum",
        old,
    )
    names = [row["name"] for row in columns]
    values = [_slim(name) for name in names]
    low, high = await _edges(connection, month)
    await connection.execute(
        f"drop table if exists {fresh}; create table {fresh} (like process_executions including all); "
        f"create unique index {_unique(fresh)} on {fresh} (execution_id); "
        # With it, ATTACH believes that every row belongs there and does not read them all under its lock.
        f"alter table {fresh} add constraint slim_range check (id >= {low} and id < {high})"
    )
    # Asked once a row, not once a column: hence the offset, which keeps the two selects apart.
    shrinks = f"select *, {await _can_shrink(connection, month)} as shrinks from {old} e offset 0"  # noqa: S608 - as below
    status = await connection.execute(
        f"insert into {fresh} ({', '.join(names)}) select {', '.join(values)} from ({shrinks}) e order by id"  # noqa: S608 - names of the catalogue
    )
    await connection.execute(f"reindex table {fresh}")
    await connection.execute(f"vacuum (freeze, analyze) {fresh}")
    return int(status.rpartition(" ")[2])


def _slim(name: str) -> str:
    if name in CONTENT_COLUMNS:
        return f"case when shrinks then slim_json({name}) else {name} end"
    if name == "content_hash":
        # What the seal knows the whole bodies by: from here on nobody can compute it any more.
        return f"case when shrinks then {content_hash_sql()} else content_hash end"
    return name


async def _can_shrink(connection: asyncpg.Connection, month: date) -> str:
    """Return the condition for a row `e` of a month to be made small now."""
    bodies = f"execution_bodies_{month:%Y_%m}"
    if await connection.fetchval("select to_regclass($1) is null", bodies):
        return f"({_IS_WHOLE})"
    return f"({_IS_WHOLE} and not exists (select from {bodies} b where b.execution_id = e.id))"


async def _has_any(connection: asyncpg.Connection, table: str, condition: str) -> bool:
    found: bool = await connection.fetchval(f"select exists (select from {table} e where {condition})")  # noqa: S608 - as above
    return found


async def fresh_contents(
    connection: asyncpg.Connection, fresh: str, after: UUID | None, limit: int
) -> list[tuple[UUID, bytes]]:
    """Return what the bodies made small just now hash to, in the order of their ids, from behind `after` on."""
    old = fresh.removesuffix(_SUFFIX)
    rows = await connection.fetch(
        f"select id, {content_hash_sql()} as hash from {fresh} f "  # noqa: S608 - names of the catalogue
        "where content_hash is not null and id > $1 "
        # What was made small before has its seal.
        f"and exists (select from {old} o where o.id = f.id and o.id > $1 and o.content_hash is null) "
        "order by id limit $2",
        after or UUID(int=0),
        limit,
    )
    return [(row["id"], row["hash"]) for row in rows]


async def _swap(connection: asyncpg.Connection, old: str, fresh: str, month: date) -> None:
    low, high = await _edges(connection, month)
    note = "null" if await _has_any(connection, fresh, _IS_WHOLE) else f"'{_NOTE}'"
    await _in_transaction(
        connection,
        f"alter table process_executions detach partition {old}; "
        f"alter table process_executions attach partition {fresh} for values from ({low}) to ({high}); "
        f"drop table {old}; "
        f"alter table {fresh} rename to {old}; "
        f"alter index {_unique(fresh)} rename to {_unique(old)}; "
        f"alter table {old} drop constraint slim_range; "
        f"comment on table {old} is {note}; "
        f"select grant_partition('process_executions', '{old}')",
    )


async def _empty_bodies(connection: asyncpg.Connection, bodies: str) -> None:
    if await connection.fetchval("select to_regclass($1) is null", bodies):
        return
    # The rows left by age, one by one; what their indexes still hold goes with this.
    await _in_transaction(
        connection,
        f"lock table {bodies} in access exclusive mode; "
        f"do $$ begin if not exists (select from {bodies}) then truncate {bodies}; end if; end $$",
    )


async def _edges(connection: asyncpg.Connection, month: date) -> tuple[str, str]:
    row = await connection.fetchrow(
        "select quote_literal(partition_edge('process_executions', $1)) as low, "
        "quote_literal(partition_edge('process_executions', ($1 + interval '1 month')::date)) as high",
        month.replace(day=1),
    )
    if row is None:
        raise LookupError("a select without a table always answers one row")
    return row["low"], row["high"]


def _unique(table: str) -> str:
    return f"idx_process_executions_execution_id_{table.removeprefix('process_executions_')}"


async def _in_transaction(connection: asyncpg.Connection, statements: str) -> None:
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(statements)


async def _patiently(step: Callable[[], Awaitable[None]]) -> None:
    await patiently(
        step,
        message="Uma transação longa impede a compactação do mês.",
        hint="Tente mais tarde; doctor mostra qual transação é.",
    )
