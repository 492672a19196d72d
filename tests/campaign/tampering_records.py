"""What a superuser of the database can do to records: each a function that does it once and says to what."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from omie_control.domain.sealed_records import CONTENT_COLUMNS, EVENT_COLUMNS, EXECUTION_COLUMNS

Name = tuple[str, str]
Kinds = Callable[[asyncpg.Connection, random.Random, Path], Awaitable["Tampering"]]


@dataclass(frozen=True, slots=True)
class Tampering:
    """What was done, and what has to be named: of each of `names`, at least one."""

    what: str
    names: Sequence[Sequence[Name]]


async def change_an_execution(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "process_executions")
    column = dice.choice([c for c in (*EXECUTION_COLUMNS, *CONTENT_COLUMNS, "content_hash") if c != "id"])
    await _flip(su, dice, "process_executions", row, column)
    return Tampering(f"{column} of {row['id']}", [[("execution", str(row["id"]))]])


async def change_an_event(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "audit_events")
    column = dice.choice([c for c in EVENT_COLUMNS if c != "id"])
    await _flip(su, dice, "audit_events", row, column)
    return Tampering(f"{column} of {row['id']}", [[("event", str(row["id"]))]])


async def flip_a_bit_of_a_text(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "process_executions")
    column = dice.choice(["error_message", "user_agent", "omie_endpoint", "actor", "execution_id"])
    text = (row[column] or "a").encode("ascii", "replace")
    place = dice.randrange(len(text))
    flipped = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
    await su.execute(f"update process_executions set {column} = $2 where id = $1", row["id"], flipped.decode())
    return Tampering(f"a bit of {column}", [[("execution", str(row["id"]))]])


async def change_a_number_in_a_body(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "process_executions")
    path = dice.choice(["{clientes,0,codigo}", "{clientes,1,codigo}", "{clientes,2,codigo}"])
    await su.execute(
        "update process_executions set response_data = jsonb_set(response_data, $2::text[], '77') where id = $1",
        row["id"],
        path.strip("{}").split(","),
    )
    return Tampering(f"response_data {path}", [[("execution", str(row["id"]))]])


async def delete_an_execution(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "process_executions")
    await su.execute("delete from process_executions where id = $1", row["id"])
    return Tampering(str(row["id"]), [[("execution", str(row["id"]))]])


async def delete_an_event(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "audit_events")
    await su.execute("delete from audit_events where id = $1", row["id"])
    return Tampering(str(row["id"]), [[("event", str(row["id"]))]])


async def swap_two_executions(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    column = dice.choice(["trace_id", "commitment", "started_at", "execution_id"])
    a, b = await _two(su, dice, "process_executions", column)
    for row, value in ((a, None if column != "execution_id" else "x"), (a, b[column]), (b, a[column])):
        # By way of a third value, for names are unique.
        if column == "execution_id" and value == b[column]:
            await su.execute("update process_executions set execution_id = 'y' where id = $1", b["id"])
        if value is not None:
            await su.execute(f"update process_executions set {column} = $2 where id = $1", row["id"], value)
    return Tampering(f"{column}", [[("execution", str(a["id"]))], [("execution", str(b["id"]))]])


async def swap_two_events(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    a, b = await _two(su, dice, "audit_events", "at")
    for row, at in ((a, b["at"]), (b, a["at"])):
        await su.execute("update audit_events set at = $2 where id = $1", row["id"], at)
    return Tampering("at", [[("event", str(a["id"]))], [("event", str(b["id"]))]])


async def exchange_ids(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "audit_events")
    other = await su.fetchval("update audit_events set id = uuid7() where id = $1 returning id", row["id"])
    return Tampering("id", [[("event", str(row["id"]))], [("event", str(other))]])


async def forge_an_execution(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "process_executions")
    columns = ", ".join(c for c in (*EXECUTION_COLUMNS, *CONTENT_COLUMNS) if c not in ("id", "execution_id"))
    copy = await su.fetchval(
        f"insert into process_executions (id, execution_id, {columns}) "
        f"select uuid7(clock_timestamp() - make_interval(secs => $2)), uuid7()::text, {columns}"
        " from process_executions where id = $1 returning id",
        row["id"],
        dice.random() * 600,
    )
    return Tampering(f"{copy}", [[("execution", str(copy))]])


async def forge_an_event(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    forged = await su.fetchval(
        "insert into audit_events (id, at, actor, action) "
        "select uuid7(t), t, 'user:dona', 'thing.changed'"
        " from (select clock_timestamp() - make_interval(secs => $1) as t) x returning id",
        dice.random() * 600,
    )
    return Tampering(f"{forged}", [[("event", str(forged))]])


async def replace_one_by_another(su: asyncpg.Connection, dice: random.Random, home: Path) -> Tampering:
    gone = await delete_an_event(su, dice, home)
    come = await forge_an_event(su, dice, home)
    return Tampering(f"{gone.what} by {come.what}", [*gone.names, *come.names])


async def wake_an_ended_execution(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    row = await _any(su, dice, "process_executions")
    await su.execute("update process_executions set status = 'running', completed_at = null where id = $1", row["id"])
    return Tampering(str(row["id"]), [[("execution", str(row["id"]))]])


async def settle_without_a_seal(su: asyncpg.Connection, dice: random.Random, home: Path) -> Tampering:
    id = await su.fetchval("select id from process_executions where status = 'uncertain' order by random() limit 1")
    if id is None:
        return await wake_an_ended_execution(su, dice, home)
    await su.execute("update process_executions set status = 'completed' where id = $1", id)
    return Tampering(str(id), [[("execution", str(id))]])


async def queue_a_changed_execution_again(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    id = await su.fetchval("select id from process_executions where status = 'completed' order by random() limit 1")
    await su.execute("update process_executions set duration_ms = duration_ms + 1 where id = $1", id)
    await su.execute("insert into seal_queue (kind, ids) values (1, array[$1::uuid])", id)
    return Tampering(str(id), [[("execution", str(id))]])


async def truncate_the_newest_records(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    table, subject = dice.choice([("process_executions", "execution"), ("audit_events", "event")])
    gone = await su.fetch(
        f"delete from {table} where id in (select id from {table} order by id desc limit $1) returning id",
        dice.randint(2, 20),
    )
    return Tampering(f"{len(gone)} of {table}", [[(subject, str(row["id"]))] for row in gone])


async def empty_a_table(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    table, subject = dice.choice([("process_executions", "execution"), ("audit_events", "event")])
    ids = [row["id"] for row in await su.fetch(f"select id from {table}")]
    await su.execute(f"truncate {table}")
    return Tampering(table, [[(subject, str(id))] for id in ids])


async def _any(su: asyncpg.Connection, dice: random.Random, table: str) -> asyncpg.Record:
    count = await su.fetchval(f"select count(*) from {table}")
    row = await su.fetchrow(f"select * from {table} order by id offset $1 limit 1", dice.randrange(count))
    assert row is not None
    return row


async def _two(
    su: asyncpg.Connection, dice: random.Random, table: str, column: str
) -> tuple[asyncpg.Record, asyncpg.Record]:
    """Return two rows that differ in a column: to swap what is the same changes nothing."""
    a, b = await _any(su, dice, table), await _any(su, dice, table)
    while a[column] == b[column]:
        b = await _any(su, dice, table)
    return a, b


async def _flip(su: asyncpg.Connection, dice: random.Random, table: str, row: asyncpg.Record, column: str) -> None:
    """Give one column another value, close to what it was."""
    kind = await su.fetchval(
        "select format_type(atttypid, null) from pg_attribute where attrelid = $1::text::regclass and attname = $2",
        table,
        column,
    )
    forms = {
        "uuid": f"coalesce(set_bit(uuid_send({column}), 100, 1 - get_bit(uuid_send({column}), 100)),"
        " uuid_send(gen_random_uuid()))",
        "timestamp with time zone": f"coalesce({column} + interval '1 microsecond', now())",
        "integer": f"coalesce({column} # 1, 1)",
        "smallint": f"(coalesce({column}, 0) # 1::smallint)",
        "boolean": f"not {column}",
        "bytea": f"coalesce(set_bit({column}, 3, 1 - get_bit({column}, 3)), '\\x01')",
        "jsonb": f"""case when {column} is null then '{{}}'::jsonb else {column} || '{{"x": 1}}' end""",
        "inet": f"coalesce({column} + 1, '10.0.0.1')",
        "text": f"coalesce({column}, '') || 'x'",
        "character varying": f"case when length({column}) > 1 then left({column}, -1) else concat('x', {column}) end",
    }
    if kind in forms:
        value = forms[kind]
        if kind == "uuid":
            value = f"encode({value}, 'hex')::uuid"
    else:
        labels = await su.fetch("select enumlabel from pg_enum where enumtypid = $1::text::regtype", kind)
        words = [label["enumlabel"] for label in labels]
        value = f"'{dice.choice([word for word in words if word != row[column]])}'"
    if column == "outcome":
        value = "case outcome when 'done' then 'failed' else 'done' end"
    await su.execute(f"update {table} set {column} = {value} where id = $1", row["id"])
