"""Errands: open one with a goal, let calls join it without a word, close it with an outcome, look back at it.

A call joins the errand that it names, else the one that its actor has open in the same session (or in none, where the
protocol has no sessions). Which that is, each process remembers for two seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from omie_control.domain.access import Right, is_allowed
from omie_control.domain.actors import Actor
from omie_control.domain.errands import Errand, ErrandOutcome, errand_name, is_errand_name
from omie_control.domain.executions import uuid7
from omie_control.domain.masking import mask
from omie_control.errors import Conflict, InvalidInput, NotFound
from omie_control.postgres import errands as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.errands import Tally
from omie_control.services import audit
from omie_control.services.access import Access

TEXT_MAX = 1000
# An errand that was forgotten open does not take in what is done the next day.
OPEN_FOR_SECONDS = 12 * 3600.0
_SEEN_FOR_SECONDS = 2.0
_SEEN_MAX = 4096
# An id carries milliseconds: what ended with the errand belongs to it.
_EDGE = timedelta(seconds=1)
_Where = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Account:
    """An errand and what ran within it, as far as whoever asks may see."""

    errand: Errand
    tallies: Sequence[Tally]


class Errands:
    """The verbs of an errand."""

    def __init__(self, postgres: Postgres, access: Access, zone: ZoneInfo) -> None:
        self._postgres = postgres
        self._access = access
        self._zone = zone
        self._seen: dict[_Where, tuple[float, Errand | None]] = {}

    async def open(
        self, actor: Actor, goal: str, *, session: str | None = None, company: UUID | None = None
    ) -> tuple[Errand, Errand | None]:
        """Open an errand, which the actor's calls join from now on; also gives the one they joined until now."""
        await self._access.require(actor, Right.EXECUTION_RUN, company)
        text = _text(goal, "objetivo")
        at = datetime.now(UTC)
        id = uuid7(time.time_ns() // 1_000_000, os.urandom(10))
        async with self._postgres.transaction() as tx:
            before = await store.current(tx, actor.label, session, OPEN_FOR_SECONDS)
            errand = await store.add(
                tx,
                id=id,
                name=errand_name(id, at, self._zone),
                goal=text,
                actor=actor.label,
                company=company,
                session=session,
            )
            await audit.append(
                tx, actor, "errand.opened", object_type="errand", object_id=errand.name, company_id=company
            )
        self._remember((actor.label, session), errand)
        return errand, before

    async def close(
        self, actor: Actor, name: str | None, outcome: ErrandOutcome, result: str, *, session: str | None = None
    ) -> Errand:
        """Close an errand, by default the one the actor's calls join. Raises Forbidden for another's, Conflict."""
        text = _text(result, "resultado")
        found = await self.get(actor, name, session=session)
        if found.actor != actor.label and not is_allowed(actor, Right.EXECUTION_CANCEL, found.company_id):
            raise await self._access.refused(
                actor, Right.EXECUTION_RUN, "A tarefa é de outro acesso.", found.company_id, "errand", found.name
            )
        async with self._postgres.transaction() as tx:
            closed = await store.close(tx, found.name, outcome, text)
            if closed is None:
                raise Conflict(f"A tarefa {found.name} já tinha sido encerrada.", code="tarefa_encerrada")
            await audit.append(
                tx,
                actor,
                "errand.closed",
                object_type="errand",
                object_id=found.name,
                company_id=found.company_id,
                after={"outcome": outcome.value},
            )
        self._seen.clear()
        return closed

    async def get(self, actor: Actor, name: str | None, *, session: str | None = None) -> Errand:
        """Return an errand by name, or the one that the actor's calls join now. Raises NotFound."""
        await self._access.require(actor, Right.EXECUTION_READ)
        found = await self.current(actor, session) if name is None else await self.find(actor, name)
        if found is None:
            raise NotFound(
                "Não há tarefa aberta para este acesso." if name is None else "Esta tarefa não existe.",
                hint="Abra uma com iniciar_tarefa, ou informe em `tarefa` o nome que ela devolveu.",
                code="tarefa_desconhecida",
            )
        return found

    async def find(self, actor: Actor, name: str) -> Errand | None:
        """Return the errand of a name, if there is one that the actor may see."""
        if not is_errand_name(name):
            return None
        # Not from a replica: an errand is named as soon as it is opened, perhaps to another server.
        async with self._postgres.transaction() as connection:
            found = await store.by_name(connection, name)
        return found if found is not None and actor.may_see(found.company_id) else None

    async def current(self, actor: Actor, session: str | None) -> Errand | None:
        """Return the errand that an actor's calls join in a session (None: without sessions)."""
        where = (actor.label, session)
        seen = self._seen.get(where)
        if seen is not None and seen[0] > time.monotonic():
            return seen[1]
        async with self._postgres.transaction() as connection:
            found = await store.current(connection, actor.label, session, OPEN_FOR_SECONDS)
        if found is not None and not actor.may_see(found.company_id):
            found = None
        self._remember(where, found)
        return found

    async def joined(self, actor: Actor, name: str) -> Errand:
        """Return the open errand that a call names. Raises NotFound, or Conflict when it is closed."""
        where = ("", f"{actor.label} {name}")
        seen = self._seen.get(where)
        found = seen[1] if seen is not None and seen[0] > time.monotonic() else await self.get(actor, name)
        self._remember(where, found)
        if found is None or not found.is_open:
            raise Conflict(
                "A tarefa indicada já foi encerrada.",
                hint="Abra outra com iniciar_tarefa, ou chame sem indicar a tarefa.",
                code="tarefa_encerrada",
            )
        return found

    async def account(self, actor: Actor, name: str | None, *, session: str | None = None) -> Account:
        """Return an errand (by default the current one) with what ran within it."""
        errand = await self.get(actor, name, session=session)
        scope = None if actor.companies is None else list(actor.companies)
        until = (errand.closed_at or datetime.now(UTC)) + _EDGE
        async with self._postgres.reading() as connection:
            tallies = await store.tally(connection, errand.name, errand.opened_at - _EDGE, until, scope)
        return Account(errand, tallies)

    def _remember(self, where: _Where, errand: Errand | None) -> None:
        self._seen.pop(where, None)
        while len(self._seen) >= _SEEN_MAX:
            self._seen.pop(next(iter(self._seen)))
        self._seen[where] = (time.monotonic() + _SEEN_FOR_SECONDS, errand)


def _text(text: str, field: str) -> str:
    """Return a person's words as they are kept: masked, on one line or several, never empty."""
    plain = "".join(letter for letter in text if letter.isprintable() or letter == "\n").strip()
    if not plain or len(plain) > TEXT_MAX:
        raise InvalidInput(
            f"{field}: esperado um texto de 1 a {TEXT_MAX} caracteres.",
            hint="Exemplo: 'Conferir e baixar os títulos recebidos ontem no Itaú'.",
        )
    return str(mask(plain).value)
