"""Writes exactly once: a key is claimed before a write leaves, and its first answer is everybody's answer.

The rules are Stripe's. The same key with the same content gives the first answer again; with other content it is a
Conflict. While the first try runs, equal ones wait a little for its answer. A try that was proved refused before any
effect frees the key. A try in doubt keeps it until the look-up or an operator has settled it: nothing is sent again.
The key travels to Omie as the integration code of what is written, so that Omie too knows a second try.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from omie_control.domain.companies import Company
from omie_control.domain.executions import uuid7
from omie_control.domain.sealing import canonical, seal
from omie_control.errors import Conflict, ControlError, StorageDown, Uncertain
from omie_control.omie import evidence
from omie_control.omie.catalog import Method
from omie_control.omie.evidence import Finding
from omie_control.omie.facts import FaultKind, facts_of
from omie_control.omie.lookups import lookup_for
from omie_control.omie.protocol import Payload
from omie_control.postgres import idempotency as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.idempotency import Claim, Held, StoredKey
from omie_control.services.first_answers import Try, Written, first_answer, refuse_alike, wait_there
from omie_control.services.keys import DataKey, Keys
from omie_control.services.recording import Handle
from omie_control.services.write_keys import (
    KEY_MAX,
    Scope,
    aad,
    as_bytes,
    derived_key,
    integration_code,
    require_key,
    seal_answer,
)

GIVEN_LIVES = timedelta(hours=24)
DERIVED_LIVES = timedelta(minutes=10)
WAIT_SECONDS = 8.0
# A freed key's code is kept this long: an earlier try may, against all likelihood, still reach Omie.
KEEP_CODE = timedelta(hours=24)
_KEEP_SECONDS = 2.0
_KEEP_TRIES = 300
_FIELDS_TOLD = 8
_EVER = datetime(2000, 1, 1, tzinfo=UTC)

Send = Callable[[Mapping[str, Any]], Awaitable[Payload]]
Read = Callable[[Method, Mapping[str, Any]], Awaitable[Payload]]
Touch = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Held:
    """A key that is ours, with what seals its parts."""

    row: Held
    data_key: DataKey

    @property
    def id(self) -> UUID:
        return self.row.id

    @property
    def code(self) -> str | None:
        return self.row.code


@dataclass(frozen=True, slots=True)
class _First:
    """The try of a key that is ahead of all others of this process, and what it writes."""

    digest: bytes
    ended: asyncio.Future[ControlError | None]


class IdempotentWrites:
    """Runs writes once. One object per process, since equal calls of one process wait for each other here."""

    def __init__(self, postgres: Postgres, keys: Keys, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._postgres = postgres
        self._keys = keys
        self._wait_seconds = wait_seconds
        self._running: dict[Scope, _First] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    async def run(
        self,
        handle: Handle,
        company: Company,
        method: Method,
        param: Mapping[str, Any],
        key: str | None,
        send: Send,
        *,
        read: Read | None = None,
        touch: Touch | None = None,
        step: str = "",
    ) -> Written:
        """Send a write unless an equal one was sent before, and return the first one's answer.

        `send` gets the parameters with the integration code; it sets `handle.write_in_flight` as `OmieCalls` does,
        and raises Uncertain only when the fate of the write is unknown: every other error of ours proves that it was
        not carried out. `read` asks Omie how things are, for the few methods that are judged by before and after.
        `touch` makes old what the write may have changed: done before anybody is told, whoever is cancelled.
        `step` tells apart several writes of one execution under one key.

        Raises what `send` raises; Conflict when the key was used for other content or its first try still runs;
        Uncertain while the fate of its first try is unknown.
        """
        lookup = lookup_for(method.endpoint)
        text = derived_key(handle, method, param) if key is None else require_key(key)
        attempt = Try(handle, company, lookup, param, f"{text}#{step}"[:KEY_MAX] if step else text, key is None, touch)
        deadline = time.monotonic() + self._wait_seconds
        waited_for: UUID | None = None
        for number in itertools.count():
            ahead = self._running.get(attempt.scope)
            if ahead is not None and time.monotonic() < deadline:
                await _wait_here(ahead, attempt, deadline)
                if (written := await first_answer(self._keys, attempt, await self._find(attempt))) is not None:
                    return written
                continue
            if waited_for is not None:
                refuse_alike(await self._find(attempt), waited_for)
                # Of those who waited for another process, one may have taken the lead while we looked.
                ahead = self._running.get(attempt.scope)
            written = await self._lead(attempt, send, read) if ahead is None else None
            found = await self._find(attempt) if written is None else None
            if (written := written or await first_answer(self._keys, attempt, found)) is not None:
                return written
            if found is not None:
                waited_for = found.execution_id
            await wait_there(found, deadline, number)
        raise AssertionError("whoever waits is answered or told to come again")

    async def close(self) -> None:
        """Wait for the answers that are still being kept."""
        if self._keeping:
            await asyncio.wait(self._keeping, timeout=_KEEP_SECONDS)

    async def prune(self) -> int:
        """Forget a batch of keys that have expired; returns how many."""
        async with self._postgres.transaction() as tx:
            return await store.prune(tx)

    # The first try of a key.

    async def _claim(self, attempt: Try) -> _Held | None:
        """Commit the intent: the key, what will be sent, and the code it will carry. None: somebody holds the key."""
        id = uuid7(time.time_ns() // 1_000_000, os.urandom(10))
        data_key = await self._keys.ensure(attempt.company.id, datetime.now(UTC))
        is_ours = attempt.lookup.code_path is not None and attempt.lookup.code_in(attempt.param) is None
        code = integration_code(attempt.scope, attempt.handle.id if attempt.is_derived else None)
        wanted = Claim(
            id=id,
            company_id=attempt.company.id,
            process_type=attempt.process_type,
            key=attempt.key,
            is_derived=attempt.is_derived,
            endpoint=attempt.lookup.method.endpoint,
            digest=attempt.digest,
            code=code[: attempt.lookup.code_max] if is_ours else None,
            execution_id=attempt.handle.id,
            execution_name=attempt.handle.execution_id,
            lives_for=DERIVED_LIVES if attempt.is_derived else GIVEN_LIVES,
            key_id=data_key.id,
            request=seal(data_key.key, canonical(attempt.param), aad(attempt.scope, "request")),
        )
        async with self._postgres.transaction() as tx:
            held = await store.claim(tx, wanted)
        return None if held is None else _Held(held, data_key)

    async def _lead(self, attempt: Try, send: Send, read: Read | None) -> Written | None:
        """Be the one try of this process. None: the key is held elsewhere, or has its answer already."""
        first = _First(attempt.digest, asyncio.get_running_loop().create_future())
        self._running[attempt.scope] = first
        refusal: ControlError | None = None
        try:
            held = await self._claim(attempt)
            return None if held is None else Written(await self._sent(attempt, held, send, read))
        except Uncertain:
            raise
        except ControlError as error:
            refusal = error
            raise
        finally:
            del self._running[attempt.scope]
            first.ended.set_result(refusal)

    async def _sent(self, attempt: Try, held: _Held, send: Send, read: Read | None) -> Payload:
        handle = attempt.handle
        try:
            await self._look_before(attempt, held, read)
            payload = await send(attempt.lookup.carrying(attempt.param, held.code))
        except Uncertain as error:
            await self._keep(attempt, self._doubt(attempt, held))
            error.execution_id = handle.execution_id
            raise
        except ControlError as error:
            if held.code is not None and _says_code_is_used(error, held.code):
                return await self._sent_before(attempt, held, read, error)
            await self._let_go(attempt, held)
            raise
        except BaseException:
            # Cancelled or broken: whatever had left by then may have been carried out.
            await self._let_go(attempt, held)
            raise
        await self._keep_answer(attempt, held, payload)
        return payload

    async def _look_before(self, attempt: Try, held: _Held, read: Read | None) -> None:
        """Keep how things are, where only that will show what the write did; without it, a person will judge."""
        lookup = attempt.lookup
        question = lookup.question(attempt.param) if lookup.needs_before and read is not None else None
        if question is None or lookup.asked is None or read is None:
            return
        try:
            before = evidence.remember(lookup, attempt.param, (await read(lookup.asked, question)).data)
        except ControlError:
            return
        sealed = seal(held.data_key.key, as_bytes(before), aad(attempt.scope, "before"))
        async with self._postgres.transaction() as tx:
            await store.keep_before(tx, held.row, attempt.handle.id, sealed)

    async def _sent_before(self, attempt: Try, held: _Held, read: Read | None, error: ControlError) -> Payload:
        """Omie knows our code already: an earlier try of this key got through after all. Show what it made.

        Raises Conflict where that is not what is to be written now: the key was used for something else, once.
        """
        lookup, payload, differing = attempt.lookup, None, list[str]()
        param = lookup.carrying(attempt.param, held.code)
        question = lookup.question(param)
        if read is not None and question is not None and lookup.asked is not None:
            try:
                answer = (await read(lookup.asked, question)).data
                if evidence.judge(lookup, param, answer, sent_at=_EVER, code=held.code) is Finding.DONE:
                    payload = Payload(evidence.written(lookup, param, answer), 200)
                    differing = evidence.shown_otherwise(lookup, param, answer)
            except ControlError:
                payload = None
        if differing:
            await self._keep(attempt, self._free(attempt, held))
            raise _used_for_another(held, differing) from error
        if payload is None:
            attempt.handle.write_in_flight = True
            await self._keep(attempt, self._doubt(attempt, held))
            raise Uncertain(
                "O Omie já tem um registro com o código desta chave: uma tentativa anterior foi executada.",
                hint="Não repita: o sistema confere o registro e conclui esta execução sozinho.",
                execution_id=attempt.handle.execution_id,
            ) from error
        await self._keep_answer(attempt, held, payload)
        return payload

    async def _let_go(self, attempt: Try, held: _Held) -> None:
        """Leave the key to the look-up when something may have left, else to the next try."""
        in_doubt = attempt.handle.write_in_flight
        await self._keep(attempt, self._doubt(attempt, held) if in_doubt else self._free(attempt, held))

    async def _keep_answer(self, attempt: Try, held: _Held, payload: Payload) -> None:
        """Keep the answer before it is told; until it is kept, an end by force leaves the execution uncertain."""
        handle = attempt.handle
        was_in_flight, handle.write_in_flight = handle.write_in_flight, True
        if await self._keep(attempt, self._answer(attempt, held, payload)):
            handle.write_in_flight = was_in_flight

    async def _keep(self, attempt: Try, work: Coroutine[Any, Any, None]) -> bool:
        """Do this whoever is cancelled. False: PostgreSQL is away; it is tried in the background until it is back."""
        task = asyncio.create_task(_in_order(attempt.touch, work))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        done, _ = await asyncio.wait([task], timeout=_KEEP_SECONDS)
        return bool(done) and task.exception() is None

    async def _answer(self, attempt: Try, held: _Held, payload: Payload) -> None:
        answer = seal_answer(held.data_key.key, payload, attempt.scope)
        await self._patiently(lambda tx: store.answer(tx, held.row, attempt.handle.id, answer))

    async def _doubt(self, attempt: Try, held: _Held) -> None:
        await self._patiently(lambda tx: store.doubt(tx, held.row, attempt.handle.id))

    async def _free(self, attempt: Try, held: _Held) -> None:
        await self._patiently(lambda tx: store.free(tx, held.row, attempt.handle.id, KEEP_CODE))

    async def _patiently(self, statement: Callable[[Any], Awaitable[object]]) -> None:
        for _ in range(_KEEP_TRIES):
            try:
                async with self._postgres.transaction() as tx:
                    await statement(tx)
            except (StorageDown, Conflict):
                await asyncio.sleep(1)
            else:
                return

    async def _find(self, attempt: Try) -> StoredKey | None:
        async with self._postgres.transaction() as tx:
            return await store.find(tx, *attempt.scope)


async def _in_order(touch: Touch | None, work: Coroutine[Any, Any, None]) -> None:
    """Make old what may have changed before anybody hears of the change."""
    try:
        if touch is not None:
            await touch()
    finally:
        await work


async def _wait_here(ahead: _First, attempt: Try, deadline: float) -> None:
    """Wait for the try of this process that is ahead. Its refusal is ours: more of the same would be refused too."""
    await asyncio.wait([ahead.ended], timeout=max(0.0, deadline - time.monotonic()))
    refusal = ahead.ended.result() if ahead.ended.done() else None
    if refusal is not None and ahead.digest == attempt.digest:
        raise copy.copy(refusal)


def _used_for_another(held: _Held, differing: Sequence[str]) -> Conflict:
    fields = ", ".join(differing[:_FIELDS_TOLD])
    return Conflict(
        f"O Omie já tem um registro com o código desta chave ({held.code}), e ele é diferente em: {fields}.",
        hint="Nada foi gravado agora. Confira o registro por esse código; se a escrita é outra, use outra "
        "chave_idempotencia.",
        code="chave_ja_usada",
    )


def _says_code_is_used(error: ControlError, code: str) -> bool:
    facts = facts_of(error)
    if facts is None:
        return False
    if facts.kind is FaultKind.DUPLICATE_DOCUMENT:
        # Omie looked at the document first, and names the code of whoever has it.
        return facts.integration_code == code
    return facts.kind is FaultKind.DUPLICATE_CODE and facts.integration_code in (None, code)
