"""Settling: an uncertain execution gets its end, from a look-up in Omie or from an operator who looked.

Always from the state that was seen, always once, always audited. Its idempotency keys end with it: after "done"
every equal call gets the answer that was learnt, after "not done" the key is free for another try.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from omie_control.domain.access import Right
from omie_control.domain.actors import SYSTEM, Actor
from omie_control.domain.executions import Change, Execution, Status
from omie_control.domain.masking import json_text, mask
from omie_control.domain.sealing import canonical, commitment
from omie_control.errors import Conflict, InvalidInput, NotFound
from omie_control.omie import evidence
from omie_control.omie.lookups import lookup_for
from omie_control.omie.protocol import Payload
from omie_control.postgres import executions, idempotency
from omie_control.postgres import settlements as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.idempotency import KeyState, StoredKey
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.answers import Answers
from omie_control.services.bodies import Bodies
from omie_control.services.idempotency import KEEP_CODE
from omie_control.services.keys import Keys
from omie_control.services.write_keys import open_part, payload_of, seal_answer
from omie_control.telemetry import Event, tell

NOTE_MAX = 1000
OUTCOMES = frozenset({Status.COMPLETED, Status.FAILED})
NOT_EXECUTED = (
    "O Omie foi consultado duas vezes, com mais de um minuto entre elas, e esta escrita não foi executada. "
    "É seguro tentar de novo."
)
_OPEN = frozenset({KeyState.OPEN, KeyState.UNCERTAIN})
_PART = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an uncertain execution, and how that was learnt. `answers`: what each of its keys gets."""

    status: Status
    evidence: str
    note: str
    response: Any = None
    error_code: str | None = None
    answers: Mapping[UUID, Payload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intent:
    """What an execution's key meant to write."""

    key: StoredKey
    param: Mapping[str, Any]
    before: Any


class Settlements:
    """The verbs. `on_change` hears of every end after its commit, as the recorder's does."""

    def __init__(
        self,
        postgres: Postgres,
        keys: Keys,
        bodies: Bodies,
        access: Access,
        answers: Answers,
        on_change: Callable[[Sequence[Change]], None] | None = None,
    ) -> None:
        self._postgres = postgres
        self._keys = keys
        self._bodies = bodies
        self._access = access
        self._answers = answers
        self._on_change = on_change

    async def settle(self, actor: Actor, execution_id: str, outcome: Status, note: str) -> Change:
        """End an uncertain execution as somebody found it in Omie.

        Raises NotFound, Forbidden, InvalidInput, and Conflict when it is not uncertain.
        """
        if outcome not in OUTCOMES:
            raise InvalidInput("Uma escrita incerta termina como completed (foi feita) ou failed (não foi feita).")
        if not note.strip() or len(note) > NOTE_MAX:
            raise InvalidInput(f"Escreva em até {NOTE_MAX} caracteres o que foi conferido no Omie.")
        seen = await self._seen(actor, execution_id)
        how = f"Resolvida por {actor.label}: {mask(note.strip()).value!s}"
        answers: dict[UUID, Payload] = {}
        for intent in await self.intents(seen.id):
            if outcome is Status.COMPLETED and intent.key.state in _OPEN:
                lookup = lookup_for(intent.key.endpoint)
                answers[intent.key.id] = Payload(evidence.written(lookup, intent.param, None, how), 200)
        is_done = outcome is Status.COMPLETED
        response = {"_verificado": True, "conferido_por": actor.label, "nota": note.strip()} if is_done else None
        verdict = Verdict(outcome, "operator", how, response, None if is_done else "nao_executada", answers)
        changed = await self.conclude(seen.execution_id, seen.attempt, verdict, actor)
        if changed is None:
            raise Conflict("A execução mudou de estado enquanto era resolvida.")
        return changed

    async def conclude(self, execution_id: str, attempt: int, verdict: Verdict, actor: Actor = SYSTEM) -> Change | None:
        """End an uncertain execution in one commit with its keys, its alert and its audit row.

        None: it is not uncertain any more, or was claimed since.
        """
        async with self._postgres.transaction() as tx:
            seen = await executions.lock(tx, execution_id)
        if seen is None or seen.status is not Status.UNCERTAIN or seen.attempt != attempt:
            return None
        await self._bodies.prepare(seen.company_id, seen.started_at)
        intents = await self.intents(seen.id)
        await self._make_old(seen.company_id, seen.omie_endpoint, *(intent.key.endpoint for intent in intents))
        async with self._postgres.transaction() as tx:
            changed = await self._end(tx, seen, verdict, intents, actor)
            if changed is None:
                return None
            await self._end_keys(tx, seen, verdict, intents)
            await audit.append(
                tx,
                actor,
                "execution.settled",
                object_type="execution",
                object_id=seen.execution_id,
                company_id=seen.company_id,
                before={"status": seen.status},
                after={"status": verdict.status, "evidence": verdict.evidence},
                detail=verdict.note,
            )
        if self._on_change is not None:
            self._on_change([changed])
        tell(
            Event.EXECUTION_SETTLED,
            execution_id=seen.execution_id,
            status=verdict.status.value,
            evidence=verdict.evidence,
            actor=actor.label,
        )
        return changed

    async def intents(self, id: UUID) -> list[Intent]:
        """Return what an execution meant to write, the oldest first; in the clear, so for these rooms alone."""
        async with self._postgres.transaction() as tx:
            found = await idempotency.of_execution(tx, id)
        return [await self.opened(each) for each in found]

    async def opened(self, found: StoredKey) -> Intent:
        """Open what a key meant to write, with the code that it carried."""
        data_key = await self._keys.by_id(found.key_id)
        param = open_part(data_key.key, found.request, found.scope, "request")
        before = None if found.before is None else open_part(data_key.key, found.before, found.scope, "before")
        return Intent(found, lookup_for(found.endpoint).carrying(param, found.code), before)

    async def answer_of(self, intent: Intent) -> Payload | None:
        """Return the answer that a key keeps, or None while it has none."""
        if intent.key.answer is None:
            return None
        data_key = await self._keys.by_id(intent.key.key_id)
        return payload_of(open_part(data_key.key, intent.key.answer, intent.key.scope, "answer"))

    async def answer_key(self, intent: Intent, answer: Payload) -> None:
        """Give one key of an execution the answer that was learnt, while others of it are still in doubt."""
        await self._make_old(intent.key.company_id, intent.key.endpoint)
        async with self._postgres.transaction() as tx:
            await self._answer(tx, intent, answer)

    async def _make_old(self, company: UUID | None, *endpoints: str | None) -> None:
        """Let nobody be told what was read before a write had its effect.

        Before the commit: the effect is there already, and a process that dies in between leaves nothing old behind.
        """
        if company is not None:
            await self._answers.settled(company, [endpoint for endpoint in endpoints if endpoint is not None])

    async def _answer(self, tx: Connection, intent: Intent, answer: Payload) -> None:
        data_key = await self._keys.by_id(intent.key.key_id)
        sealed = seal_answer(data_key.key, answer, intent.key.scope)
        await idempotency.answer(tx, intent.key, intent.key.execution_id, sealed)

    async def _seen(self, actor: Actor, execution_id: str) -> Execution:
        async with self._postgres.transaction() as tx:
            seen = await executions.lock(tx, execution_id)
        if seen is None or not actor.may_look_at(seen.company_id, seen.actor):
            raise NotFound(f"A execução {execution_id[:100]} não existe.")
        await self._access.require(
            actor, Right.EXECUTION_SETTLE, seen.company_id, object_type="execution", object_id=seen.execution_id
        )
        if seen.status is not Status.UNCERTAIN:
            raise Conflict(f"A execução não está incerta ({seen.status}); não há o que resolver.")
        return seen

    async def _end(
        self, tx: Connection, seen: Execution, verdict: Verdict, intents: Sequence[Intent], actor: Actor
    ) -> Change | None:
        """Write the end. Its commitment takes the one before it into its salt, so that both can be proved."""
        before = await store.previous(tx, seen.id)
        last = intents[-1] if intents else None
        sent, answered = mask(None if last is None else dict(last.param)), mask(verdict.response)
        salt = os.urandom(16) + (before.commitment or b"" if before is not None else b"")
        clear = canonical({"salt": salt.hex(), "request": sent.clear, "response": answered.clear})
        changed = await store.settle(
            tx,
            seen.id,
            seen.attempt,
            verdict.status,
            endpoint=None if last is None else last.key.endpoint,
            request=None if last is None else json_text(sent.value),
            response=None if verdict.response is None else json_text(answered.value),
            error_code=verdict.error_code,
            error_message=None if verdict.status is Status.COMPLETED else str(mask(verdict.note).value),
            commitment=commitment(clear),
            by=actor.label,
        )
        if changed is not None:
            documents = [*sent.documents, *answered.documents]
            body = self._bodies.seal(seen.company_id, seen.started_at, seen.id, _PART, clear, documents)
            await store.seal(tx, seen.id, body.key_id, body.sealed, body.document_hashes)
        return changed

    async def _end_keys(self, tx: Connection, seen: Execution, verdict: Verdict, intents: Sequence[Intent]) -> None:
        for intent in intents:
            if intent.key.state not in _OPEN:
                continue
            answer = verdict.answers.get(intent.key.id)
            if verdict.status is Status.FAILED:
                await idempotency.free(tx, intent.key, seen.id, KEEP_CODE)
            elif answer is not None:
                await self._answer(tx, intent, answer)
