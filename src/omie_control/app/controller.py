"""`ProcessController`: the public hand on executions, for our own faces and for anybody's Python."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar
from uuid import UUID

from omie_control.app.collector import startup_frozen
from omie_control.app.database import DatabaseManager, LoopLock
from omie_control.app.declarations import Declaration, declare, merged, require_status_code, require_texts
from omie_control.app.services import Services, wire
from omie_control.domain.actors import LIBRARY, Actor, ActorKind
from omie_control.domain.executions import Category, Complexity, Execution, Origin, Status, id_of
from omie_control.errors import Conflict, ControlError, InvalidInput, StorageDown
from omie_control.services.endings import outcome_of
from omie_control.services.executions import Handle, Outcome, Request, takes_stop_back
from omie_control.telemetry import Event, Running, current_execution, tell

P = ParamSpec("P")
R = TypeVar("R")


class ProcessController:
    """Starts, ends, cancels and finds executions. One per DatabaseManager is enough; making it opens nothing."""

    def __init__(self, db: DatabaseManager) -> None:
        self.db = db
        self._services: Services | None = None
        self._open: dict[str, Handle] = {}
        self._readying = LoopLock()
        self._lifespans = 0

    async def ready(self) -> Services:
        """Return the services, opening the database on the first call."""
        if self._services is None or not self.db.is_open:
            async with self._readying():
                await self.db.initialize()
                if self._services is None or self._services.recorder is not self.db.recorder:
                    self._services = await wire(self.db)
        return self._services

    @asynccontextmanager
    async def lifespan(self, server: object = None) -> AsyncIterator[dict[str, Any]]:
        """Open with a server and close with it: `FastMCP("…", lifespan=controller.lifespan)`.

        Servers that share it close it with the last of them. While it is open, Python's garbage collector leaves alone
        what the process had loaded before.
        """
        self._lifespans += 1
        try:
            await self.ready()
            with startup_frozen():
                yield {"omie_control": self}
        finally:
            self._lifespans -= 1
            if self._lifespans == 0:
                await self.close()

    async def close(self) -> None:
        """Write what still waits and close the database."""
        services = self._services
        # Whatever a step fails of, or is cancelled in, the later ones are done: ends still wait to be written.
        async with AsyncExitStack() as last_first:
            # Known to the last: what ends meanwhile must not wire others, which nobody would close.
            last_first.callback(self._forget, services)
            last_first.push_async_callback(self.db.close)
            if services is not None:
                last_first.push_async_callback(services.live_configuration.close)
                last_first.push_async_callback(services.gate.close)
                last_first.push_async_callback(services.answers.close)
                last_first.push_async_callback(services.writes.close)
                last_first.push_async_callback(services.exports.close)

    def _forget(self, services: Services | None) -> None:
        if self._services is services:
            self._services = None

    # The low hand: what the middleware and our own services use.

    async def begin(self, request: Request) -> Handle:
        """Record that a request runs; committed when this returns."""
        services = self._services
        if services is None or not self.db.is_open:
            services = await self.ready()
        return await services.executions.start(request)

    async def end(self, handle: Handle, outcome: Outcome) -> bool:
        """Record how it ended. False: somebody else had ended it already.

        Raises StorageDown once the database was closed: what ends late does not open it again, for nobody would be
        left to close it.
        """
        self._require_open()
        return await (await self.ready()).executions.finish(handle, outcome)

    # The public hand (docs/reference/python.md).

    async def start_process(
        self,
        process_type: str,
        input_params: dict[str, Any],
        *,
        company: str | UUID | None = None,
        parent: str | None = None,
        actor: Actor | str | None = None,
        session_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Open an execution and return its execution_id; the row is committed by then."""
        request = await self._request(
            declare(process_type, None, None, False), input_params, company, parent, actor, session_id, idempotency_key
        )
        handle = await self.begin(request)
        # It belongs to whoever completes it, not to the task that started it.
        handle.task = None
        self._open[handle.execution_id] = handle
        return handle.execution_id

    async def complete_process(
        self,
        execution_id: str,
        success: bool,
        response_data: dict[str, Any] | None = None,
        error_message: str | None = None,
        *,
        error_code: str | None = None,
        status_code: int | None = None,
    ) -> None:
        """End an execution as completed or failed. Raises Conflict when it had ended, NotFound, InvalidInput."""
        require_texts(execution_id=execution_id)
        require_texts(is_optional=True, error_message=error_message, error_code=error_code)
        require_status_code(status_code)
        handle = self._taken(execution_id)
        if handle is None:
            handle = await (await self.ready()).executions.adopt(execution_id)
        outcome = Outcome(
            Status.COMPLETED if success else Status.FAILED,
            response=response_data,
            error_message=error_message,
            error_code=error_code,
            status_code=status_code,
        )
        if not await self.end(handle, outcome):
            raise Conflict(f"A execução {execution_id} já tinha terminado.")

    async def cancel_process(self, execution_id: str, reason: str) -> None:
        """End an execution of ours as cancelled, or ask the process that runs it to stop."""
        require_texts(execution_id=execution_id, reason=reason)
        handle = self._taken(execution_id)
        if handle is not None:
            if not await self.end(handle, Outcome(Status.CANCELLED, error_code="cancelada", error_message=reason)):
                raise Conflict(f"A execução {execution_id} já tinha terminado; não há o que cancelar.")
            return
        await (await self.ready()).executions.cancel(LIBRARY, execution_id, reason)

    async def get_process(self, execution_id: str) -> Execution:
        """Return one execution, bodies masked. Raises NotFound."""
        require_texts(execution_id=execution_id)
        return await (await self.ready()).executions.get(LIBRARY, execution_id)

    def track(
        self,
        process_type: str,
        input_params: dict[str, Any] | None = None,
        *,
        company: str | UUID | None = None,
        actor: Actor | str | None = None,
        session_id: str | None = None,
        category: Category | str | None = None,
        complexity: Complexity | str | None = None,
        writes: bool = False,
    ) -> Track:
        """Record a block: `async with controller.track("fechar_mes", {...}) as run: run.result = {...}`.

        `writes`: it changes something elsewhere, so if its process dies its fate is `uncertain`, not `timeout`.
        """
        declaration = declare(process_type, category, complexity, writes)
        return Track(self, declaration, input_params or {}, company, actor, session_id)

    def process(
        self,
        process_type: str,
        *,
        category: Category | str | None = None,
        complexity: Complexity | str | None = None,
        writes: bool = False,
    ) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """Record each call of an async function, which may also be a FastMCP tool; its signature stays."""
        declaration = declare(process_type, category, complexity, writes)

        def decorate(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
            if not inspect.iscoroutinefunction(function):
                raise TypeError(f"@controller.process needs an async function, and {function!r} is not one")
            signature = inspect.signature(function)
            first = next(iter(signature.parameters), "")

            @functools.wraps(function)
            async def controlled(*args: P.args, **kwargs: P.kwargs) -> R:
                if merged.get() is declaration:
                    token = merged.set(None)
                    try:
                        return await function(*args, **kwargs)
                    finally:
                        merged.reset(token)
                arguments = dict(signature.bind(*args, **kwargs).arguments)
                if first in ("self", "cls"):
                    # What a method belongs to is no input, and its text may tell whatever it holds.
                    arguments.pop(first, None)
                async with Track(self, declaration, arguments, None, None, None) as run:
                    result = await function(*args, **kwargs)
                    run.result = result
                return result

            controlled.__omie_process__ = declaration  # type: ignore[attr-defined]
            return controlled

        return decorate

    def _taken(self, execution_id: str) -> Handle | None:
        """Take out what `start_process` opened here, unless it cannot be ended now: then it stays to be tried again."""
        if execution_id in self._open:
            self._require_open()
        return self._open.pop(execution_id, None)

    def _require_open(self) -> None:
        if not self.db.is_open:
            raise StorageDown(
                "O controle foi encerrado; o fim desta execução não foi gravado.",
                hint="Ela termina sozinha como interrompida. Encerre o controle depois do trabalho.",
            )

    async def _request(
        self,
        declaration: Declaration,
        input_params: dict[str, Any],
        company: str | UUID | None,
        parent: str | None,
        actor: Actor | str | None,
        session_id: str | None,
        idempotency_key: str | None,
    ) -> Request:
        require_texts(is_optional=True, parent=parent, session_id=session_id, idempotency_key=idempotency_key)
        running = current_execution.get()
        return Request(
            process_type=declaration.process_type,
            input=input_params,
            actor=_actor(actor),
            origin=Origin("python", session_id=session_id, errand=session_id),
            company=await self._company(company),
            parent=_parent(parent) if parent is not None else (running.id if running is not None else None),
            writes=declaration.writes,
            category=declaration.category,
            complexity=declaration.complexity,
            idempotency_key=idempotency_key,
        )

    async def _company(self, company: str | UUID | None) -> UUID | None:
        if company is None or isinstance(company, UUID):
            return company
        require_texts(company=company)
        return (await (await self.ready()).companies.resolve(LIBRARY, company)).id


class Track:
    """One recorded block. `result` becomes the response; an exception becomes the error and goes on.

    An operator's cancel of the block raises Conflict from it, with the code `cancelada`.
    """

    def __init__(
        self,
        controller: ProcessController,
        declaration: Declaration,
        input_params: dict[str, Any],
        company: str | UUID | None,
        actor: Actor | str | None,
        session_id: str | None,
    ) -> None:
        self._controller = controller
        self._declaration = declaration
        self._input = input_params
        self._company = company
        self._actor = actor
        self._session_id = session_id
        self.handle: Handle | None = None
        self.result: Any = None

    @property
    def execution_id(self) -> str:
        """The execution_id; known once the block was entered."""
        if self.handle is None:
            raise Conflict("O bloco ainda não começou.")
        return self.handle.execution_id

    async def __aenter__(self) -> Self:
        controller, declaration = self._controller, self._declaration
        request = await controller._request(
            declaration, self._input, self._company, None, self._actor, self._session_id, None
        )
        self.handle = await controller.begin(request)
        self._token = current_execution.set(Running(self.handle.id, self.handle.execution_id))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A generator that nobody read to its end is closed by the event loop, in a context of its own.
        with suppress(ValueError):
            current_execution.reset(self._token)
        handle = self.handle
        if handle is None:
            return
        outcome = outcome_of(handle, error) if error is not None else Outcome(Status.COMPLETED, response=self.result)
        try:
            await self._controller.end(handle, outcome)
        except ControlError as unwritten:
            if error is None:
                raise
            # What ended the block goes on, above all a cancellation; its end waits in memory.
            tell(Event.EXECUTION_ENDED_LATE, execution_id=handle.execution_id, reason=unwritten.message)
        if isinstance(error, ControlError) and error.execution_id is None:
            error.execution_id = handle.execution_id
        if isinstance(error, asyncio.CancelledError) and takes_stop_back(handle):
            # The block was stopped, not the task around it, which would take its connection with it.
            raise Conflict(
                f"A etapa {handle.request.process_type} foi cancelada por quem opera o sistema: {handle.stop_reason}",
                hint="Não repita sem falar com essa pessoa.",
                code="cancelada",
                execution_id=handle.execution_id,
            ) from error


def _actor(actor: Actor | str | None) -> Actor:
    if actor is None:
        return LIBRARY
    if not isinstance(actor, Actor):
        require_texts(actor=actor)
    return actor if isinstance(actor, Actor) else Actor(ActorKind.LIBRARY, actor, LIBRARY.role)


def _parent(execution_id: str) -> UUID:
    found = id_of(execution_id)
    if found is None:
        raise InvalidInput(f"O execution_id do pai não é válido: {execution_id[:100]}.")
    return found
