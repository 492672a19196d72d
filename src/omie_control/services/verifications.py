"""Looking up what became of uncertain writes: slowly, politely, and never the same question twice in a minute.

Any number of processes may do it: each takes executions by their rows and, for each method of a company that it
asks, the one place there is. Every question is an execution of its own, recorded before it leaves. A question
whose answer is "not found" counts with Omie as an error, and ten in a row shut the door for half an hour: after
two of them something that is known to exist is asked for, and when there is nothing such, the line rests.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from omie_control.domain.actors import SYSTEM
from omie_control.domain.companies import Company
from omie_control.domain.executions import Category, Complexity, Origin, Status
from omie_control.errors import ControlError, OmieBusy, OmieFault
from omie_control.omie import evidence
from omie_control.omie.catalog import Method
from omie_control.omie.evidence import Finding
from omie_control.omie.facts import FaultKind, facts_of
from omie_control.omie.lookups import Evidence, Lookup, asking, lookup_for
from omie_control.omie.protocol import Payload
from omie_control.postgres import idempotency
from omie_control.postgres import settlements as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.idempotency import KeyState
from omie_control.postgres.settlements import Due
from omie_control.services.companies import Companies
from omie_control.services.endings import outcome_of
from omie_control.services.executions import Executions
from omie_control.services.recording import Handle, Outcome, Request
from omie_control.services.settlements import NOT_EXECUTED, Intent, Settlements, Verdict
from omie_control.services.write_keys import KEYED
from omie_control.telemetry import Event, tell

PROCESS_TYPE = "conferir_escrita_incerta"
Look = Callable[[Handle, Company, Method, Mapping[str, Any]], Awaitable[Payload]]

_OPEN = frozenset({KeyState.OPEN, KeyState.UNCERTAIN})
_NOT_THERE = frozenset({FaultKind.NOT_FOUND, FaultKind.EMPTY})
_FROM_HERE = Origin("job", user_agent="omie-control/completer")
_REST_DOUBLINGS = 8
_SHORT = timedelta(seconds=1)
_NO_KEY = "Não há registro do que esta execução enviou: só uma pessoa pode conferir no Omie."
_NOT_SENT = "O processo parou antes de enviar qualquer coisa ao Omie. É seguro tentar de novo."
_WAS_REFUSED = "O Omie recusou esta escrita, e o processo parou antes de registrar isso. É seguro tentar de novo."
_ANSWER_WAS_KEPT = "A resposta do Omie estava guardada; faltava só o fim da execução."
_NO_QUESTION = "O Omie não oferece consulta que mostre se esta escrita foi feita: uma pessoa precisa conferir."
_UNCLEAR = "O Omie respondeu, mas o que ele mostra não prova nem que a escrita foi feita nem que não foi."
_PARTLY = "Parte do que esta execução enviou foi feita e parte não: uma pessoa precisa decidir."
_MOVED = (
    "A empresa passou a usar as credenciais de outro aplicativo do Omie depois desta escrita, e o que esse mostra não "
    "prova nada: uma pessoa precisa conferir no aplicativo anterior."
)
_TOO_LONG = "O Omie não deu uma resposta que resolva esta escrita dentro do prazo: uma pessoa precisa conferir."


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast Omie is asked. `again` keeps out of the redundancy window of 60 s."""

    first: timedelta = timedelta(seconds=5)
    again: timedelta = timedelta(seconds=61)
    lease: timedelta = timedelta(minutes=3)
    give_up: timedelta = timedelta(hours=24)
    misses_in_row: int = 2
    at_once: int = 20


@dataclass(frozen=True, slots=True)
class _Case:
    """One write to look up, for one execution that is due."""

    due: Due
    intent: Intent
    lookup: Lookup
    asked: Method
    question: Mapping[str, Any]
    is_last: bool
    has_answered: bool


class _Away(Exception):
    """Omie cannot be asked now; `pause` says for how long to leave it alone, `counts` whether it counts an error."""

    def __init__(self, pause: timedelta, reason: str, *, counts: bool) -> None:
        self.pause = pause
        self.counts = counts
        super().__init__(reason)


class Verifications:
    """Looks up what is due. `look` asks Omie past every cache and through the gate, as `OmieCalls.run` does."""

    def __init__(
        self,
        postgres: Postgres,
        companies: Companies,
        executions: Executions,
        settlements: Settlements,
        look: Look,
        pace: Pace | None = None,
    ) -> None:
        self._postgres = postgres
        self._companies = companies
        self._executions = executions
        self._settlements = settlements
        self._look = look
        self.pace = pace if pace is not None else Pace()

    async def turn(self) -> int:
        """Take in what became uncertain, look up what is due; returns how many executions were taken."""
        async with self._postgres.transaction() as tx:
            await store.enrol(tx, first=self.pace.first)
        async with self._postgres.transaction() as tx:
            due = await store.claim(tx, lease=self.pace.lease, limit=self.pace.at_once)
        if not due:
            return 0
        known = {company.id: company for company in await self._companies.list(SYSTEM)}
        lines: dict[tuple[UUID, str], list[_Case]] = defaultdict(list)
        for each in due:
            case = await self._case(each)
            if case is not None and each.company_id is not None:
                lines[each.company_id, case.asked.endpoint].append(case)
        async with asyncio.TaskGroup() as group:
            for (company, _), cases in lines.items():
                group.create_task(self._ask_all(known[company], cases))
        return len(due)

    # What there is to ask.

    async def _case(self, due: Due) -> _Case | None:
        """Return what to ask for an execution, or end the matter here when there is nothing to ask."""
        if due.execution_id is None or due.status is not Status.UNCERTAIN or due.attempt is None:
            async with self._postgres.transaction() as tx:
                await store.forget(tx, due.id)
            return None
        intents = await self._settlements.intents(due.id)
        waiting = [each for each in intents if each.key.state in _OPEN]
        if not waiting:
            await self._without_question(due, intents)
            return None
        answered = any(each.key.state is KeyState.ANSWERED for each in intents)
        return await self._question(due, waiting[0], is_last=len(waiting) == 1, has_answered=answered)

    async def _question(self, due: Due, intent: Intent, *, is_last: bool, has_answered: bool) -> _Case | None:
        lookup = lookup_for(intent.key.endpoint)
        question = lookup.question(intent.param)
        since = datetime.now(UTC) - intent.key.claimed_at
        if due.waiting > self.pace.give_up:
            await self._park(due, intent, _TOO_LONG)
        elif lookup.asked is None or question is None:
            await self._park(due, intent, _NO_QUESTION)
        elif await self._has_moved(intent):
            await self._park(due, intent, _MOVED)
        elif intent.key.before is not None and since < self.pace.again:
            # How things were was asked with these very words.
            await self._postpone(due, self.pace.again - since, None)
        else:
            return _Case(due, intent, lookup, lookup.asked, question, is_last, has_answered)
        return None

    async def _has_moved(self, intent: Intent) -> bool:
        async with self._postgres.transaction() as tx:
            return await idempotency.has_moved(tx, intent.key.company_id, intent.key.claimed_at)

    async def _without_question(self, due: Due, intents: Sequence[Intent]) -> None:
        """End what can be ended without asking: all that was sent is answered or refused, or nothing was ever sent."""
        answer = await self._settlements.answer_of(intents[-1]) if intents else None
        if answer is not None:
            response = answer.data | {"_verificado": True}
            await self._end(due, Verdict(Status.COMPLETED, "answer", _ANSWER_WAS_KEPT, response))
        elif intents and all(each.key.state is KeyState.FREE for each in intents):
            await self._end(due, Verdict(Status.FAILED, "refused", _WAS_REFUSED, None, "nao_executada"))
        elif not intents and (due.idempotency_key or "").startswith(KEYED):
            await self._end(due, Verdict(Status.FAILED, "no key", _NOT_SENT, None, "nao_enviada"))
        else:
            await self._park(due, None, _NO_KEY)

    # Asking, one line at a time.

    async def _ask_all(self, company: Company, cases: Sequence[_Case]) -> None:
        """Ask for each of these in turn, as long as the line bears it; the rest waits."""
        endpoint = cases[0].asked.endpoint
        async with self._postgres.transaction() as tx:
            misses = await store.take_line(tx, company.id, endpoint, self.pace.lease)
            rest = _SHORT if misses is not None else await store.line_rests(tx, company.id, endpoint)
        if misses is None:
            for case in cases:
                await self._postpone(case.due, max(rest, _SHORT), None)
            return
        line = _Line(misses, max(0, self.pace.misses_in_row - misses))
        try:
            for number, case in enumerate(cases):
                # Whoever has rested may ask once, even where nothing is known to exist.
                if line.room <= 0 and not await self._reassure(company, case, line) and number:
                    line.pause = line.pause or self.pace.again * 2 ** min(line.misses - 1, _REST_DOUBLINGS)
                if line.pause:
                    for left in cases[number:]:
                        await self._postpone(left.due, line.pause, line.reason)
                    return
                async with self._postgres.transaction() as tx:
                    # Each question may wait long for its turn: nobody else asks meanwhile.
                    await store.leave_line(tx, company.id, endpoint, line.misses, self.pace.lease)
                await self._ask(company, case, line)
        finally:
            if not line.pause and line.misses >= self.pace.misses_in_row:
                line.pause = self.pace.again
            async with self._postgres.transaction() as tx:
                await store.leave_line(tx, company.id, endpoint, line.misses, line.pause)

    async def _ask(self, company: Company, case: _Case, line: _Line) -> None:
        try:
            answer = await self._answer(company, case.due, case.asked, case.question)
        except _Away as away:
            line.pause, line.reason = away.pause, str(away)
            line.misses += away.counts
            await self._postpone(case.due, max(away.pause, self.pace.again), str(away))
            return
        if answer is None:
            line.missed()
        else:
            line.answered(self.pace.misses_in_row)
        finding = evidence.judge(
            case.lookup,
            case.intent.param,
            answer,
            sent_at=case.intent.key.claimed_at,
            code=case.intent.key.code,
            before=case.intent.before,
        )
        if await self._has_moved(case.intent):
            # While the question waited for its turn.
            await self._park(case.due, case.intent, _MOVED)
            return
        await self._conclude(case, finding, answer)

    async def _reassure(self, company: Company, case: _Case, line: _Line) -> bool:
        """Ask for something that is known to exist, which ends the run of errors that Omie counts."""
        async with self._postgres.transaction() as tx:
            found = await idempotency.known(tx, company.id, asking(case.asked.endpoint), self.pace.again)
        if found is None:
            return False
        intent = await self._settlements.opened(found)
        question = case.lookup.question(intent.param)
        if question is None:
            return False
        try:
            answer = await self._answer(company, case.due, case.asked, question)
        except _Away as away:
            line.pause, line.reason = away.pause, str(away)
            return False
        if answer is None:
            line.missed()
            async with self._postgres.transaction() as tx:
                await idempotency.forget_known(tx, found.id)
            return False
        line.answered(self.pace.misses_in_row)
        return True

    async def _answer(
        self, company: Company, due: Due, asked: Method, question: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Ask, as an execution of its own. None: Omie says that there is no such record. Raises _Away."""
        handle = await self._executions.start(
            Request(
                PROCESS_TYPE,
                {"execucao": due.execution_id, "consulta": asked.endpoint},
                SYSTEM,
                _FROM_HERE,
                company=company.id,
                parent=due.id,
                writes=False,
                category=Category.SISTEMA,
                complexity=Complexity.INTERMEDIARIA,
            )
        )
        try:
            payload = await self._look(handle, company, asked, question)
        except BaseException as error:
            await self._executions.finish(handle, outcome_of(handle, error))
            facts = facts_of(error)
            if isinstance(error, OmieFault) and facts is not None and facts.kind in _NOT_THERE:
                return None
            if isinstance(error, ControlError):
                raise _Away(self._pause_after(error), error.message, counts=not isinstance(error, OmieBusy)) from error
            raise
        await self._executions.finish(handle, Outcome(Status.COMPLETED, response=payload.data))
        return payload.data

    def _pause_after(self, error: ControlError) -> timedelta:
        if isinstance(error, OmieBusy) and error.until is not None:
            return max(error.until - datetime.now(UTC), _SHORT)
        return self.pace.again

    # What follows from it.

    async def _conclude(self, case: _Case, finding: Finding, answer: Mapping[str, Any] | None) -> None:
        due = case.due
        if finding is Finding.UNCLEAR:
            await self._park(due, case.intent, _UNCLEAR)
        elif finding is Finding.DONE:
            await self._done(case, answer)
        elif due.misses == 0 or due.since_miss is None or due.since_miss < self.pace.again * 0.98:
            reason = "O Omie ainda não mostra esta escrita; será consultado mais uma vez."
            await self._postpone(due, self.pace.again, reason, is_miss=True)
        elif case.has_answered or not case.is_last:
            await self._park(due, case.intent, _PARTLY)
        else:
            await self._end(due, Verdict(Status.FAILED, case.lookup.evidence, NOT_EXECUTED, None, "nao_executada"))

    async def _done(self, case: _Case, answer: Mapping[str, Any] | None) -> None:
        learnt = Payload(evidence.written(case.lookup, case.intent.param, answer), 200)
        if not case.is_last:
            await self._settlements.answer_key(case.intent, learnt)
            await self._postpone(case.due, _SHORT, None)
            return
        response = learnt.data if answer is None or _is_list(case) else learnt.data | {"registro": dict(answer)}
        note = evidence.CONFIRMED
        verdict = Verdict(Status.COMPLETED, case.lookup.evidence, note, response, answers={case.intent.key.id: learnt})
        await self._end(case.due, verdict)

    async def _end(self, due: Due, verdict: Verdict) -> None:
        assert due.execution_id is not None
        assert due.attempt is not None
        if await self._settlements.conclude(due.execution_id, due.attempt, verdict) is None:
            async with self._postgres.transaction() as tx:
                await store.forget(tx, due.id)

    async def _postpone(self, due: Due, pause: timedelta, reason: str | None, *, is_miss: bool = False) -> None:
        async with self._postgres.transaction() as tx:
            await store.postpone(tx, due.id, pause, reason, is_miss=is_miss)

    async def _park(self, due: Due, intent: Intent | None, reason: str) -> None:
        """Leave it to a person, and say in the alert what there is to look for."""
        code = None if intent is None else intent.key.code or lookup_for(intent.key.endpoint).code_in(intent.param)
        hint = "" if code is None else f" Código de integração: {code}."
        async with self._postgres.transaction() as tx:
            await store.park(tx, due.id, f"{reason}{hint}")
        tell(Event.EXECUTION_UNSETTLED, execution_id=due.execution_id, reason=reason)


@dataclass(slots=True)
class _Line:
    """The one place at which a company's method is asked: misses in a row, how many more it bears, its pause."""

    misses: int
    room: int
    pause: timedelta = timedelta()
    reason: str | None = None

    def missed(self) -> None:
        """Count an answer that Omie counts as an error."""
        self.misses += 1
        self.room -= 1

    def answered(self, room: int) -> None:
        """Begin anew after a good answer."""
        self.misses, self.room = 0, room


def _is_list(case: _Case) -> bool:
    return case.lookup.evidence is Evidence.LISTED or case.asked.kind == "list"
