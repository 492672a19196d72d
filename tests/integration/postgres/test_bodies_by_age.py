"""Bodies go by age, except what a legal hold keeps; and a hold that is being set is waited for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from tests.conftest import eventually
from tests.integration.postgres.rows import add_company, add_execution

from omie_control.domain.erasures import PersonMark
from omie_control.domain.sealing import Hasher
from omie_control.postgres import bodies, legal_holds
from omie_control.postgres.database import Postgres

# Months are there from the last one on, so nothing here is older than 27 days.
OLD, YOUNG = timedelta(days=12), timedelta(days=1)
HASHER = Hasher(bytes(range(64)))
ANA, BIA = "52998224725", "11144477735"


def limit() -> datetime:
    return datetime.now(UTC) - timedelta(days=10)


async def add_bodies(conn: asyncpg.Connection, *people: str, ago: timedelta = OLD, **columns: Any) -> UUID:
    """Add an execution with two parts: an input that names nobody, and an end with these people's hashes."""
    id, _ = await add_execution(conn, ago=ago, **columns)
    for part, hashes in ((0, None), (1, HASHER.document_hashes(people) or None)):
        await conn.execute(
            "insert into execution_bodies (execution_id, part, key_id, sealed, document_hashes)"
            " values ($1, $2, $3, '\\x00', $4)",
            id,
            part,
            uuid4(),
            hashes,
        )
    return id


async def place(postgres: Postgres, **given: Any) -> UUID:
    everything = {"person": None, "company_id": None, "since": None, "until": None, "reason": "Processo", **given}
    async with postgres.transaction() as tx:
        return (await legal_holds.place(tx, set_by="user:dona", **everything)).id


async def left(conn: asyncpg.Connection) -> list[UUID]:
    rows = await conn.fetch("select execution_id from execution_bodies group by 1 having count(*) = 2 order by 1")
    return [row[0] for row in rows]


async def test_old_bodies_go_and_young_ones_stay(conn: asyncpg.Connection, postgres: Postgres) -> None:
    for _ in range(5):
        await add_bodies(conn, ANA)
    young = await add_bodies(conn, ANA, ago=YOUNG)
    assert await bodies.delete_before(postgres, limit(), batch=2) == 10
    assert await left(conn) == [young]
    assert await bodies.delete_before(postgres, limit()) == 0


async def test_what_a_hold_keeps_stays_whole_until_it_is_lifted(
    conn: asyncpg.Connection, owner_conn: asyncpg.Connection, postgres: Postgres
) -> None:
    padaria = await add_company(conn, "padaria")
    of_ana, of_both = await add_bodies(conn, ANA), await add_bodies(conn, BIA, ANA)
    of_company = await add_bodies(conn, BIA, company_id=padaria)
    in_span = await add_bodies(conn, ago=timedelta(days=20))
    # Its own row is gone: only its id tells when it was.
    orphan = await add_bodies(conn, ago=timedelta(days=21))
    await owner_conn.execute("delete from process_executions where id = $1", orphan)
    await add_bodies(conn, BIA)
    mark = PersonMark.of(HASHER, ANA)
    now = datetime.now(UTC)
    holds = [
        await place(postgres, person=mark),
        await place(postgres, company_id=padaria),
        await place(postgres, since=now - timedelta(days=25), until=now - timedelta(days=16)),
    ]
    # Of somebody else's: it keeps nothing here.
    await place(postgres, person=PersonMark.of(HASHER, BIA), company_id=UUID(int=1))

    assert await bodies.delete_before(postgres, limit(), batch=1) == 2
    assert await left(conn) == sorted([of_ana, of_both, of_company, in_span, orphan])

    for hold, freed in zip(holds, ([of_ana, of_both], [of_company], [in_span, orphan]), strict=True):
        async with postgres.transaction() as tx:
            await legal_holds.lift(tx, hold, "user:dona")
        assert await bodies.delete_before(postgres, limit()) == 2 * len(freed)
        assert set(await left(conn)).isdisjoint(freed)
    assert await left(conn) == []


async def test_a_hold_that_is_being_set_is_waited_for(conn: asyncpg.Connection, postgres: Postgres) -> None:
    held = await add_bodies(conn, ANA)
    async with postgres.transaction() as tx:
        await legal_holds.lock_holds(tx)
        deleting = asyncio.create_task(bodies.delete_before(postgres, limit()))

        async def waits() -> bool:
            # Of this database alone: other tests may share the server.
            waiting = (
                "select exists (select from pg_locks join pg_database d on d.oid = database"
                " where not granted and locktype = 'advisory' and datname = current_database())"
            )
            return bool(await conn.fetchval(waiting))

        await eventually(waits)
        await legal_holds.place(
            tx,
            person=PersonMark.of(HASHER, ANA),
            company_id=None,
            since=None,
            until=None,
            reason="Processo",
            set_by="user:dona",
        )
    assert await deleting == 0
    assert await left(conn) == [held]
