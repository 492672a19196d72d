"""`control(controller)`: every tool call of a FastMCP server becomes an execution on record.

The start is committed before the tool runs, or, of a tool that only reads, before anything leaves for Omie; the end is
written whatever ends the call: an answer, an error, the tool's own time limit, a cancelled or vanished client. Works in
both protocol eras, on every transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import anyio
from fastmcp import Context
from fastmcp.server.dependencies import get_access_token
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import ToolResult
from mcp_types import CallToolRequestParams
from opentelemetry.trace import get_current_span

from omie_control.app import ProcessController
from omie_control.app.declarations import merging
from omie_control.domain.actors import LIBRARY, Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.domain.executions import Origin, Status
from omie_control.errors import ControlError, InvalidInput, Overloaded, StorageDown, TooLarge, Unauthenticated
from omie_control.mcp.answers import is_heavier, response_of, signed, text_of
from omie_control.mcp.auth import ControlToken
from omie_control.mcp.faults import TOOL_FAILED, Failure, judge, say, unknown_tool
from omie_control.mcp.known_tools import KnownTools
from omie_control.mcp.origin import SESSION_MAX, origin_of, trusted_networks
from omie_control.mcp.refusals import Sampler
from omie_control.mcp.traits import Traits
from omie_control.services.endings import outcome_of
from omie_control.services.executions import takes_stop_back
from omie_control.services.recording import Handle, Outcome, Request
from omie_control.services.write_keys import marked
from omie_control.telemetry import Event, Running, current_execution, tell

# The argument of a writing tool that names the caller's own idempotency key.
KEY_ARGUMENT = "chave_idempotencia"
# The argument that every tool takes besides its own: the errand that the call belongs to.
ERRAND_ARGUMENT = "tarefa"
_UNWRITTEN = (
    "A ferramenta terminou, mas o banco de dados está fora do ar e o fim ainda não foi gravado.\n"
    "O que fazer: não repita uma escrita; quando o banco voltar, veja o resultado com mostrar_execucao."
)
MAX_ARGUMENTS = 2 * 1024 * 1024

# A caller without a token, where the server asks for one: seen only when its HTTP door was left out.
_NOBODY = Actor(ActorKind.LIBRARY, "anonimo", Role.VIEWER)

Admit = Callable[[Actor, Traits, Mapping[str, Any]], Awaitable[Company | None]]
# Raises Overloaded for a caller who comes too often.
Hold = Callable[[Actor, Origin], Awaitable[None]]
# Says what somebody may have meant by the name of a tool that is none, if anything.
Near = Callable[[Actor, str], Awaitable[str | None]]
# Finds the errand that a call belongs to, or raises one of our errors.
Group = Callable[[Request, Traits], Awaitable[Origin]]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The tool call that runs now: its open execution, and the company it is for."""

    handle: Handle
    company: Company | None


_current: ContextVar[ToolCall] = ContextVar("current_tool_call")


def this_call() -> ToolCall:
    """Return the controlled tool call that the current task serves."""
    return _current.get()


@contextmanager
def serving(handle: Handle, company: Company | None) -> Iterator[None]:
    """Let `this_call()` and whatever runs inside know which execution it serves."""
    call = _current.set(ToolCall(handle, company))
    # FastMCP has opened the span of this call already; it learns whose execution it is.
    get_current_span().set_attribute("omie_control.execution_id", handle.execution_id)
    execution = current_execution.set(Running(handle.id, handle.execution_id))
    try:
        yield
    finally:
        current_execution.reset(execution)
        _current.reset(call)


def control(
    controller: ProcessController,
    *,
    actor: Actor = LIBRARY,
    admit: Admit | None = None,
    group: Group | None = None,
    hold: Hold | None = None,
    near: Near | None = None,
) -> Control:
    """Make the middleware: `mcp.add_middleware(control(controller))`. Add it first: the first is outermost.

    `actor` stands for whoever calls without a token (stdio, in memory). `admit` may turn a call away before
    it starts, by raising one of our errors, and names the company it is for; `group` names its errand; `hold` turns
    away who comes by HTTP too often; `near` says which tool an unknown name may have meant.
    """
    return Control(controller, actor, admit, group, hold, near)


class Control(Middleware):
    """The middleware that `control()` makes."""

    def __init__(
        self,
        controller: ProcessController,
        actor: Actor,
        admit: Admit | None,
        group: Group | None,
        hold: Hold | None = None,
        near: Near | None = None,
    ) -> None:
        self._controller = controller
        self._actor = actor
        self._admit = admit
        self._group = group
        self._hold = hold
        self._near = near
        self._trusted = trusted_networks(controller.db.settings.trusted_proxies)
        self._process_session = f"stdio-{uuid4()}"
        self._tools = KnownTools(self)
        self._anonymous = Sampler(per_minute=20)

    async def __call__(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Take tool calls; let everything else pass, without FastMCP's chain of empty hooks."""
        if context.method == "tools/call" and isinstance(context.message, CallToolRequestParams):
            return await self.on_call_tool(context, call_next)
        return await call_next(context)

    async def on_call_tool(
        self, context: MiddlewareContext[CallToolRequestParams], call_next: CallNext[CallToolRequestParams, ToolResult]
    ) -> ToolResult:
        """Record the call around the tool."""
        scope = context.fastmcp_context
        if scope is None:
            return await call_next(context)
        name, arguments = context.message.name, context.message.arguments or {}
        traits = await self._tools.traits_of(scope.fastmcp, name)
        named = None
        if traits is not None:
            if self._group is not None and ERRAND_ARGUMENT in arguments and ERRAND_ARGUMENT not in traits.parameters:
                arguments = dict(arguments)
                named = arguments.pop(ERRAND_ARGUMENT)
                context = context.copy(message=context.message.model_copy(update={"arguments": arguments}))
            traits = traits.of(arguments)
        request = self._request(scope, traits or Traits(_process_type(name)), arguments)
        if request.actor is _NOBODY:
            raise await self._refusal(request, Unauthenticated())
        await self._held(request)
        if traits is None:
            hint = None if self._near is None else await self._near(request.actor, name)
            raise await self._refusal(request, unknown_tool(name, hint))
        if is_heavier(arguments, MAX_ARGUMENTS):
            raise await self._refusal(request, TooLarge("Os argumentos passam de 2 MB."))
        company, request = await self._admitted(request, traits, named)
        handle = await self._begin(request)
        return await self._run(handle, company, traits, context, call_next)

    async def _run(
        self,
        handle: Handle,
        company: Company | None,
        traits: Traits,
        context: MiddlewareContext[CallToolRequestParams],
        call_next: CallNext[CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        with serving(handle, company):
            try:
                with merging(traits.declaration):
                    result = await call_next(context)
            except asyncio.CancelledError as error:
                if _came_from_inside():
                    # Let through, it would end the connection and every other call on it.
                    broken = RuntimeError("the tool waited for something that was cancelled")
                    raise await self._failed(handle, broken, context.message.name, traits) from error
                await self.cancelled(handle, error)
                raise
            except Exception as error:
                raise await self._failed(handle, error, context.message.name, traits) from error
        unwritten = await self._end(handle, _outcome(result))
        if unwritten is not None:
            # An answer acknowledges: it must not be given for an end that a crash could still lose.
            told = say(unwritten) if isinstance(unwritten, InvalidInput) else _UNWRITTEN
            raise Failure(told, handle.execution_id, code=unwritten.code)
        return signed(result, handle.execution_id)  # type: ignore[no-any-return]

    async def _begin(self, request: Request) -> Handle:
        try:
            return await self._controller.begin(request)
        except (StorageDown, Overloaded) as error:
            raise Failure(say(error), None, code=error.code) from error
        except ControlError as error:
            raise await self._refusal(request, error) from error

    async def open(self, context: Context, traits: Traits, given: dict[str, Any]) -> Handle:
        """Begin the execution of a request that is no tool call. Raises Failure, recorded where it can be."""
        request = self._request(context, traits, given)
        if request.actor is _NOBODY:
            raise await self._refusal(request, Unauthenticated())
        await self._held(request)
        _, request = await self._admitted(request, traits, None)
        return await self._begin(request)

    async def end(self, handle: Handle, outcome: Outcome) -> None:
        """Write the end of an execution that `open` began; with PostgreSQL away it waits in memory."""
        with anyio.CancelScope(shield=True):
            await self._end(handle, outcome)

    async def _held(self, request: Request) -> None:
        """Turn away who comes too often: no execution, or a flood of calls would be a flood of rows."""
        if self._hold is None or request.origin.transport != "http":
            return
        try:
            await self._hold(request.actor, request.origin)
        except Overloaded as error:
            raise Failure(say(error), None, code=error.code) from error

    async def _admitted(self, request: Request, traits: Traits, named: object) -> tuple[Company | None, Request]:
        """Ask `group` and `admit`, and put the errand and the company they named into the request."""
        try:
            if self._group is not None:
                request = replace(request, origin=await self._group(_naming(request, named), traits))
            if self._admit is None:
                return None, request
            company = await self._admit(request.actor, traits, request.input)
        except (StorageDown, Overloaded) as error:
            raise Failure(say(error), None, code=error.code) from error
        except ControlError as error:
            raise await self._refusal(request, error) from error
        if company is None:
            return None, request
        # Our own tools send their writes to Omie under keys and in no other way.
        key = marked(_text(request.input.get(KEY_ARGUMENT))) if traits.writes else None
        return company, replace(request, company=company.id, idempotency_key=key)

    async def _failed(self, handle: Handle, error: Exception, tool: str, traits: Traits) -> Failure:
        verdict = judge(handle, error, tool, traits)
        await self._end(handle, verdict.outcome)
        return Failure(verdict.said, handle.execution_id, code=verdict.outcome.error_code or TOOL_FAILED)

    async def cancelled(self, handle: Handle, error: asyncio.CancelledError) -> None:
        """Write the end although everything around is being cancelled; a stop by an operator becomes an answer."""
        with anyio.CancelScope(shield=True):
            await self._end(handle, outcome_of(handle, error))
        if takes_stop_back(handle):
            raise Failure(
                f"A execução foi cancelada por quem opera o sistema: {handle.stop_reason}\n"
                "O que fazer: não repita sem falar com essa pessoa.",
                handle.execution_id,
                code="cancelada",
            ) from None

    async def _end(self, handle: Handle, outcome: Outcome) -> ControlError | None:
        """Write the end. With PostgreSQL away it waits in memory, and the error is returned."""
        try:
            await self._controller.end(handle, outcome)
        except ControlError as error:
            tell(Event.EXECUTION_ENDED_LATE, execution_id=handle.execution_id, reason=error.message)
            return error
        return None

    async def _refusal(self, request: Request, error: ControlError) -> Failure:
        """Record a call that was turned away, and return what to raise. Anonymous ones are sampled."""
        is_anonymous = request.origin.transport == "http" and request.actor in (self._actor, _NOBODY)
        if is_anonymous and not self._anonymous.takes():
            return Failure(say(error), None, code=error.code)
        try:
            executions = (await self._controller.ready()).executions
            return Failure(say(error), await executions.refuse(request, error), code=error.code)
        except ControlError as worse:
            # A refusal that finds no place (PostgreSQL away, no room) is still told.
            return Failure(say(worse), None, code=worse.code)

    def _request(self, context: Context, traits: Traits, arguments: dict[str, Any]) -> Request:
        parent = current_execution.get()
        origin = origin_of(context, self._trusted, self._process_session)
        return Request(
            process_type=traits.process_type,
            input=arguments,
            actor=self._who(context, origin),
            origin=origin,
            parent=None if parent is None else parent.id,
            writes=traits.writes,
            only_reads=traits.only_reads,
            category=traits.category,
            complexity=traits.complexity,
        )

    def who(self, context: Context) -> Actor:
        """Name the caller of any request."""
        return self._who(context, origin_of(context, self._trusted, self._process_session))

    def _who(self, context: Context, origin: Origin) -> Actor:
        """Name the caller: our own token's actor, somebody else's principal, or the actor of this process."""
        if origin.transport != "http":
            return self._actor
        token = get_access_token()
        if token is None:
            return self._actor if context.fastmcp.auth is None else _NOBODY
        if isinstance(token, ControlToken):
            return token.actor
        # Known to whoever runs this server, not to us: a name for the record, an agent's rights.
        return Actor(ActorKind.LIBRARY, token.subject or token.client_id, Role.AGENT)


def _came_from_inside() -> bool:
    """Say whether a cancellation was raised by the tool itself: nobody cancelled the task that serves the call."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() == 0


def _naming(request: Request, named: object) -> Request:
    """Put the errand that an argument named in the place of any other. Raises InvalidInput for what is no name."""
    if named is None:
        return request
    if not isinstance(named, str) or not 0 < len(named) <= SESSION_MAX or not named.isprintable():
        raise InvalidInput(
            f"tarefa: esperado um texto de 1 a {SESSION_MAX} caracteres.",
            hint="Use o nome que iniciar_tarefa devolveu, ou chame sem `tarefa`.",
        )
    return replace(request, origin=replace(request.origin, session_id=named, errand=named))


def _outcome(result: Any) -> Outcome:
    response = response_of(result)
    if isinstance(result, ToolResult) and result.is_error:
        return Outcome(Status.FAILED, response=response, error_message=text_of(result), error_code=TOOL_FAILED)
    return Outcome(Status.COMPLETED, response=response)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _process_type(name: str) -> str:
    """Keep the name of an unknown tool as its process type where it could be one, so that junk makes no types."""
    return (
        name
        if name.isascii() and name.replace("_", "").replace("-", "").isalnum() and len(name) <= 64
        else ("ferramenta_desconhecida")
    )
