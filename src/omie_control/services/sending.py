"""Sending one call: a ticket from the gate, the wire, the verdict back, and again where the table says so.

Reads go out again after whatever passes by itself; writes only after a proved refusal. How long to wait is the
gate's to say: it hears the verdict of the try before, and turns away whoever would wait beyond their patience.
A read that nothing but Omie's minute between equal questions keeps back waits that out (decision 0023).
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx2

from omie_control.domain.companies import Company
from omie_control.domain.configuration import (
    BACKGROUND_PATIENCE,
    BASE_URL,
    DEFAULTS,
    PATIENCE,
    REPEAT_PATIENCE,
    Values,
)
from omie_control.domain.executions import Call
from omie_control.domain.gate import Ask, Ticket, Verdict, Why
from omie_control.domain.sealing import canonical
from omie_control.errors import ControlError, InvalidInput, OmieBusy, OmieUnreachable, Uncertain
from omie_control.omie.catalog import Method
from omie_control.omie.client import OmieClient
from omie_control.omie.facts import FaultKind, OmieFacts, facts_of
from omie_control.omie.protocol import Payload
from omie_control.omie.risks import changes
from omie_control.services.companies import Companies, Door
from omie_control.services.fences import Fence
from omie_control.services.gate import Gate
from omie_control.services.recording import Handle

_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.5
_SHORTEST_REST_SECONDS = 0.05
_DIGEST_LETTERS = 32
_KEY_LETTERS = 16

# Refused before it was carried out: the gate knows how long to wait, and a write may go again as well.
_REFUSALS = {
    FaultKind.REDUNDANT: Verdict.REFUSED_REDUNDANT,
    FaultKind.LOCKED: Verdict.REFUSED_BUSY,
    FaultKind.RATE: Verdict.REFUSED_RATE,
    FaultKind.MISUSE: Verdict.BLOCKED,
}
# What passes by itself: a read may be asked again.
_PASSING = frozenset({FaultKind.REDUNDANT, FaultKind.LOCKED, FaultKind.RATE, FaultKind.BROKEN, FaultKind.NOT_READY})
# Nothing that a company does wrong: asked again it is answered, so a shut breaker may try with it.
_KNOWN_GOOD = frozenset({"list"})


@dataclass(slots=True)
class _Patience:
    """How much longer a caller would wait, over all tries of one call; `for_minute`: until it may ask the same again.

    The one is spent while there is something to wait for, the other while nobody but Omie's rule is in the way.
    """

    seconds: float
    for_minute: float
    began: float

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - (time.monotonic() - self.began))

    async def rest(self, seconds: float) -> None:
        """Wait out what is left of the minute."""
        await asyncio.sleep(seconds)
        self.for_minute -= seconds
        self.seconds += seconds


class Sender:
    """Sends calls for open executions, each under a ticket."""

    def __init__(
        self,
        client: OmieClient,
        companies: Companies,
        gate: Gate,
        fence: Fence,
        egress: str,
        configuration: Values = DEFAULTS,
    ) -> None:
        self._fence = fence
        self._configuration = configuration
        self._client = client
        self._companies = companies
        self._gate = gate
        self._egress = egress

    async def send(
        self,
        handle: Handle,
        company: Company,
        method: Method,
        param: Mapping[str, Any],
        *,
        waits_for_minute: bool = True,
    ) -> Payload:
        """Send one call and return what Omie answered.

        `waits_for_minute`: whether a read may wait until Omie takes the same question again; a write never does.

        Raises OmieBusy when the wait would exceed the caller's patience; OmieFault; OmieUnreachable; Uncertain when
        a write's fate is unknown.
        """
        await handle.on_record()
        door = await self._companies.door(company.id)
        if door.base_url is not None:
            # Of the simulator, or set by a program that holds the database: no face takes one from a person.
            self._client.trust(door.base_url)
        is_background = handle.request.origin.transport in ("demo", "job")
        # Interactive callers are told rather than kept; background work may stand in line.
        patience = _Patience(
            self._configuration.get(BACKGROUND_PATIENCE if is_background else PATIENCE),
            self._configuration.get(REPEAT_PATIENCE) if waits_for_minute and not method.writes else 0.0,
            time.monotonic(),
        )
        ask = self._ask(handle, company, door, method, param, is_background=is_background)
        failed: ControlError | None = None
        for number in range(1, _TRIES + 1):
            ticket = await self._enter(ask, patience, failed)
            try:
                return await self._try(handle, door, method, param, ticket)
            except ControlError as error:
                pause = _pause(error, method, number)
                if pause is None or number == _TRIES or pause > patience.left:
                    raise
                failed = error
                await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _enter(self, ask: Ask, patience: _Patience, failed: ControlError | None) -> Ticket:
        """Wait for a ticket. A further try that would take too long ends with what the last one failed of."""
        while True:
            try:
                return await self._gate.enter(replace(ask, patience_seconds=patience.left))
            except OmieBusy as busy:
                rest = _rest_of_the_minute(busy)
                if rest is None or rest > patience.for_minute:
                    if failed is None:
                        raise
                    failed.until = busy.until
                    raise failed from busy
            await patience.rest(rest)

    async def _try(
        self, handle: Handle, door: Door, method: Method, param: Mapping[str, Any], ticket: Ticket
    ) -> Payload:
        """Make one HTTP attempt under a ticket that always comes back."""
        verdict, seconds = Verdict.NOT_SENT, None
        may_leave = await self._looked(handle, ticket) if method.writes else None
        # Of a write before this one, which may still be in doubt.
        was_in_flight = handle.write_in_flight
        handle.write_in_flight = was_in_flight or method.writes
        try:
            payload = await self._client.call(
                door.credentials,
                method,
                param,
                base_url=door.base_url or self._configuration.get(BASE_URL),
                on_call=lambda call: handle.note_call(_with_limits(call, ticket)),
                may_leave=may_leave,
            )
            # "No rows" that came as a fault is an answer for us and an error for Omie's block.
            verdict = Verdict.FAULT if payload.fault_code is not None else Verdict.DONE
        except ControlError as error:
            # What may have been carried out stays in flight: whoever is cancelled from here on has not been refused.
            if not isinstance(error, Uncertain):
                handle.write_in_flight = was_in_flight
            verdict, seconds = verdict_of(error)
            raise
        except BaseException:
            verdict = Verdict.UNKNOWN
            raise
        finally:
            await self._gate.leave(ticket, verdict, seconds)
        handle.write_in_flight = was_in_flight
        return payload

    async def _looked(self, handle: Handle, ticket: Ticket) -> Callable[[], bool]:
        """Look, after all the waiting, whether this write may still leave; if not, its place is free again."""
        try:
            return await self._fence.passed(handle)
        except BaseException:
            await self._gate.leave(ticket, Verdict.NOT_SENT)
            raise

    def _ask(
        self,
        handle: Handle,
        company: Company,
        door: Door,
        method: Method,
        param: Mapping[str, Any],
        *,
        is_background: bool,
    ) -> Ask:
        digest = hashlib.sha256(canonical(dict(param))).hexdigest()
        app_key = hashlib.sha256(door.credentials.app_key.reveal().encode()).hexdigest()
        return Ask(
            egress=self._egress if door.base_url is None else f"{self._egress}@{httpx2.URL(door.base_url).host}",
            app_key=app_key[:_KEY_LETTERS],
            endpoint=method.endpoint,
            writes=method.writes,
            params_digest=digest[:_DIGEST_LETTERS],
            caller=handle.request.actor.label,
            company=str(company.id),
            is_background=is_background,
            is_known_good=method.kind in _KNOWN_GOOD,
        )


def _rest_of_the_minute(busy: OmieBusy) -> float | None:
    """Return how long Omie's minute between equal questions still lasts; None: something else is in the way."""
    if busy.code != Why.REDUNDANT.error_code or busy.until is None:
        return None
    return max(_SHORTEST_REST_SECONDS, (busy.until - datetime.now(UTC)).total_seconds())


def verdict_of(error: ControlError) -> tuple[Verdict, float | None]:
    """Say what an error means to the limits, and for how long Omie's text wants to be left alone."""
    facts = facts_of(error)
    if facts is not None:
        return _verdict_of_facts(facts), facts.seconds
    if isinstance(error, InvalidInput):
        return Verdict.NOT_SENT, None
    return Verdict.UNKNOWN, None


def _verdict_of_facts(facts: OmieFacts) -> Verdict:
    if facts.never_left:
        return Verdict.NOT_SENT
    if facts.kind is FaultKind.BROKEN and not facts.is_proved_refusal:
        # Silence, a lost connection or half an answer end the call for us only: Omie may still be at it.
        return Verdict.UNKNOWN
    return _REFUSALS.get(facts.kind, Verdict.FAULT)


def _pause(error: ControlError, method: Method, number: int) -> float | None:
    """Return how long to wait before the next try, or None when there must be none. The gate adds its own wait.

    What changes something goes again only after a proved refusal, also where it is a read by its name.
    """
    facts = facts_of(error)
    if isinstance(error, Uncertain):
        return None
    if facts is not None:
        may_pass = facts.is_proved_refusal or not changes(method)
        if not may_pass or facts.kind not in _PASSING:
            return None
        return 0.0 if facts.kind in _REFUSALS else _backoff(number)
    return _backoff(number) if isinstance(error, OmieUnreachable) and not changes(method) else None


def _backoff(number: int) -> float:
    return _FIRST_PAUSE_SECONDS * 2.0 ** (number - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - spread, not secrecy


def _with_limits(call: Call, ticket: Ticket) -> Call:
    return replace(call, rate_limit_remaining=ticket.remaining, rate_limit_reset_at=ticket.resets_at)
