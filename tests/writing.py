"""Writes as a tool makes them, composed of the real parts: an execution around each, its key, its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.fixtures_omie import OmieServer

from omie_control.app import App, open_app
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.domain.executions import Change, Execution, Origin, Status
from omie_control.errors import ControlError, Uncertain
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.client import OmieClient
from omie_control.omie.protocol import Payload
from omie_control.services.calls import OmieCalls
from omie_control.services.companies import Companies
from omie_control.services.endings import outcome_of
from omie_control.services.executions import Executions, Outcome, Request
from omie_control.services.first_answers import Written
from omie_control.services.idempotency import IdempotentWrites
from omie_control.services.recording import Handle
from omie_control.services.settlements import Settlements
from omie_control.services.verifications import Pace, Verifications
from omie_control.services.write_keys import marked
from omie_control.settings import Settings
from omie_control.simulator.faults import Move

SLUG = "padaria"
# How long a call waits once Omie has it, where it is planned to go unanswered; and how long any other.
TIMEOUT_SECONDS, PATIENT_SECONDS = 0.4, 30.0
OWNER = Actor(ActorKind.USER, "dona", Role.ADMIN)
CLIENTES = "geral/clientes/"
_HANGING = {Move.TIMEOUT_BEFORE, Move.TIMEOUT_AFTER, Move.SILENT}
_LOOK_SECONDS = 0.01
# 61 s on a simulator whose clock runs sixty times as fast.
QUICK = Pace(first=timedelta(), again=timedelta(seconds=1.05), lease=timedelta(seconds=20))


class _Hasty(OmieClient):
    """Takes Omie for silent so soon after Omie has the call, and never before, however busy the machine is."""

    def __init__(self, omie: OmieServer, hasty_seconds: float) -> None:
        super().__init__(omie.base_url, timeout_seconds=PATIENT_SECONDS + hasty_seconds)
        self._omie = omie
        self._hasty_seconds = hasty_seconds

    async def _send(self, attempt: Any, url: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        sending = asyncio.ensure_future(super()._send(attempt, url, body))
        try:
            while not sending.done() and not self._is_silent(attempt.method.endpoint):
                await asyncio.wait([sending], timeout=_LOOK_SECONDS)
            done, _ = await asyncio.wait([sending], timeout=self._hasty_seconds)
            if not done:
                raise TimeoutError
            return sending.result()
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    def _is_silent(self, endpoint: str) -> bool:
        """Say whether Omie has a call of this method, has done of it what it will do, and says nothing."""
        return any(
            entry.endpoint == endpoint and entry.move in _HANGING and entry.outcome == "running"
            for entry in self._omie.simulator.book.entries
        )


class StraightCalls:
    """The way to Omie without its gate: tests live faster than the gate lets anybody."""

    def __init__(self, omie: OmieServer, companies: Companies, hasty_seconds: float = TIMEOUT_SECONDS) -> None:
        self._faults = omie.simulator.faults
        self._patient = OmieClient(omie.base_url, timeout_seconds=PATIENT_SECONDS)
        self._hasty = _Hasty(omie, hasty_seconds)
        self._companies = companies
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        """Open its two clients: shorter of patience than life only where there is nothing to wait for."""
        for client in (self._patient, self._hasty):
            await client.open()

    async def close(self) -> None:
        """Close both."""
        for client in (self._patient, self._hasty):
            await client.close()

    @asynccontextmanager
    async def held_back(self) -> AsyncIterator[None]:
        """Let no write leave meanwhile."""
        async with self._writing:
            yield

    async def run(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> Payload:
        """Send one call as `OmieCalls` does, writes one after the other, as Omie wants them."""
        method.check(param)
        if not method.writes:
            return await self._send(handle, company, method, param)
        async with self._writing:
            return await self._send(handle, company, method, param)

    async def _send(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> Payload:
        door = await self._companies.door(company.id)
        handle.omie_endpoint, handle.request_payload = method.endpoint, dict(param)
        was_in_flight = handle.write_in_flight
        handle.write_in_flight = was_in_flight or method.writes
        try:
            payload = await self._client_for(method).call(
                door.credentials, method, param, base_url=door.base_url, on_call=handle.note_call
            )
        except ControlError as error:
            if not isinstance(error, Uncertain):
                handle.write_in_flight = was_in_flight
            raise
        handle.write_in_flight = was_in_flight
        return payload

    def _client_for(self, method: Method) -> OmieClient:
        # Of a call that is answered, a busy machine must not make one that was not.
        hangs = any(
            plan.call in (None, method.call) and plan.move in _HANGING for plan in self._faults.plans if plan.times
        )
        return self._hasty if hangs else self._patient


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told, and by which execution."""

    execution_id: str
    written: Written | None
    error: ControlError | None

    @property
    def payload(self) -> Payload:
        """The answer; there has to be one."""
        assert self.written is not None, self.error
        return self.written.payload


@dataclass(frozen=True, slots=True)
class Writer:
    """Whoever writes: what a writing tool does around its one call."""

    executions: Executions
    calls: StraightCalls | OmieCalls
    writes: IdempotentWrites
    company: Company
    actor: Actor = OWNER

    async def write(
        self,
        param: Mapping[str, Any],
        *,
        key: str | None = None,
        call: str = "IncluirCliente",
        service: str = CLIENTES,
        task: str | None = None,
    ) -> Told:
        """Write once and say what came of it; errors of ours are an answer too."""
        method = catalog().method(service, call)
        origin = Origin("test", session_id=task, errand=task)
        request = Request("escrever", dict(param), self.actor, origin, self.company.id, idempotency_key=marked(key))
        handle = await self.executions.start(request)
        try:
            written = await self.run(handle, method, param, key)
        except ControlError as error:
            await self.executions.finish(handle, outcome_of(handle, error))
            return Told(handle.execution_id, None, error)
        except BaseException as error:
            await self.executions.finish(handle, outcome_of(handle, error))
            raise
        response = written.payload.data | {"repetida_de": written.repeated_of}
        await self.executions.finish(handle, Outcome(Status.COMPLETED, response=response))
        return Told(handle.execution_id, written, None)

    async def run(self, handle: Handle, method: Method, param: Mapping[str, Any], key: str | None) -> Written:
        """Make the one call of an open execution."""
        calls = self.calls
        if isinstance(calls, OmieCalls):
            return await calls.write(handle, self.company, method, param, key)

        async def send(sent: Mapping[str, Any]) -> Payload:
            return await calls.run(handle, self.company, method, sent)

        async def read(asked: Method, question: Mapping[str, Any]) -> Payload:
            return await calls.run(handle, self.company, asked, question)

        return await self.writes.run(handle, self.company, method, param, key, send, read=read)


@dataclass(frozen=True, slots=True)
class WritingHouse:
    """One process that writes, with all that it needs; `changes` is what the bus was told."""

    app: App
    settlements: Settlements
    verifications: Verifications
    writer: Writer
    omie: OmieServer
    changes: list[Change]

    async def write(self, param: Mapping[str, Any], **choices: Any) -> Told:
        """Write as a tool would."""
        return await self.writer.write(param, **choices)

    async def shown(self, execution_id: str) -> Execution:
        """Return an execution as the operator sees it."""
        return await self.app.executions.get(OWNER, execution_id)

    def records(self, name: str) -> int:
        """Count the clients of this name that Omie really has."""
        table = self.omie.simulator.companies[self.omie.company.app_key].table("clientes")
        return sum(row.record.get("razao_social") == name for row in table)

    def sent(self, call: str) -> int:
        """Count the requests of a method that reached Omie."""
        return sum(entry.endpoint.endswith(f"/{call}") for entry in self.omie.simulator.book.entries)


@asynccontextmanager
async def writing_house(
    settings: Settings,
    omie: OmieServer,
    *,
    pace: Pace = QUICK,
    wait_seconds: float = 60.0,
    hasty_seconds: float = TIMEOUT_SECONDS,
) -> AsyncIterator[WritingHouse]:
    """Open one process of this installation beside a simulated Omie, and close it again."""
    async with open_app(settings, kind="worker") as app:
        changes: list[Change] = []
        services, postgres = app.services, app.db.postgres
        calls = StraightCalls(omie, services.companies, hasty_seconds)
        await calls.open()
        writes = IdempotentWrites(postgres, services.keys, wait_seconds=wait_seconds)
        settlements = Settlements(
            postgres, services.keys, services.bodies, services.access, services.answers, changes.extend
        )
        verifications = Verifications(postgres, services.companies, services.executions, settlements, calls.run, pace)
        company = await company_of(app, omie.company.app_key, omie.company.app_secret)
        writer = Writer(services.executions, calls, writes, company)
        try:
            yield WritingHouse(app, settlements, verifications, writer, omie, changes)
        finally:
            await writes.close()
            await calls.close()


async def company_of(app: App, app_key: str, app_secret: str) -> Company:
    """Return the one company of an installation, connecting it first where it is not there yet."""
    known = {each.slug: each for each in await app.companies.list(OWNER)}
    return known.get(SLUG) or await app.companies.add(OWNER, SLUG, "Padaria do João", app_key, app_secret)
