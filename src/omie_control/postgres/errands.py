"""Errands as rows, and what ran within one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from omie_control.domain.errands import Errand, ErrandOutcome
from omie_control.domain.executions import Status
from omie_control.postgres.queries import Connection, queries

_sql = queries("errands")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many executions of a type ended (or stand) so; `total_ms` over all of them."""

    process_type: str
    status: Status
    count: int
    writes: int
    total_ms: int


async def add(
    connection: Connection,
    *,
    id: UUID,
    name: str,
    goal: str,
    actor: str,
    company: UUID | None,
    session: str | None,
) -> Errand:
    """Open an errand."""
    row = await _sql.add.one(connection, id=id, name=name, goal=goal, actor=actor, company=company, session=session)
    assert row is not None, "an insert without conflict clause returns its row"
    return _errand(row)


async def by_name(connection: Connection, name: str) -> Errand | None:
    """Return the errand of this name."""
    row = await _sql.by_name.one(connection, name=name)
    return None if row is None else _errand(row)


async def current(connection: Connection, actor: str, session: str | None, span_seconds: float) -> Errand | None:
    """Return the newest errand that an actor has open in a session (None: in none)."""
    row = await _sql.current.one(connection, actor=actor, session=session, span=span_seconds)
    return None if row is None else _errand(row)


async def close(connection: Connection, name: str, outcome: ErrandOutcome, result: str) -> Errand | None:
    """Close an errand; None when it was closed already."""
    row = await _sql.close.one(connection, name=name, outcome=outcome.value, result=result)
    return None if row is None else _errand(row)


async def tally(
    connection: Connection, name: str, since: datetime, until: datetime, companies: Sequence[UUID] | None
) -> list[Tally]:
    """Count what ran within an errand; `companies` is the scope of who asks."""
    rows = await _sql.tally.fetch(connection, name=name, since=since, until=until, companies=companies)
    return [Tally(**{**row, "status": Status(row["status"])}) for row in rows]


async def last_failure(
    connection: Connection,
    *,
    name: str | None,
    actor: str | None,
    asker: str,
    besides: str,
    since: datetime,
    until: datetime,
    companies: Sequence[UUID] | None,
) -> str | None:
    """Return the execution_id of the newest execution that did not go well, of an errand or of an actor.

    Those of the process type `besides` are passed over; `companies` is the scope of who asks, `asker` their label.
    """
    row = await _sql.last_failure.one(
        connection, name=name, actor=actor, asker=asker, besides=besides, since=since, until=until, companies=companies
    )
    return None if row is None else str(row["execution_id"])


def _errand(row: asyncpg.Record) -> Errand:
    values = dict(row)
    outcome = values.pop("outcome")
    return Errand(**values, outcome=None if outcome is None else ErrandOutcome(outcome))
