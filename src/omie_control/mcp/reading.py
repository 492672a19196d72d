"""Resources and prompts under control: each reading is an execution on record, like a tool call."""

from __future__ import annotations

import asyncio
from typing import Any

from fastmcp.exceptions import FastMCPError, NotFoundError, PromptError, ResourceError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp_types import GetPromptRequestParams, ReadResourceRequestParams

from omie_control.domain.executions import Category, Complexity, Status
from omie_control.errors import ControlError, InvalidInput
from omie_control.mcp.control import Control, serving
from omie_control.mcp.faults import INTERNAL_TEXT, Failure, say
from omie_control.mcp.traits import Traits
from omie_control.services.endings import outcome_of
from omie_control.services.recording import Handle, Outcome

_GIVEN_MAX = 500
_RESOURCE = Traits("ler_recurso", category=Category.SISTEMA, complexity=Complexity.BASICA)
_PROMPT = Traits("abrir_prompt", category=Category.SISTEMA, complexity=Complexity.BASICA)


class Reading(Middleware):
    """Records readings around what `control()` made for tool calls: the same callers, the same rules."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def __call__(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Take readings; let everything else pass."""
        message, scope = context.message, context.fastmcp_context
        given: dict[str, Any]
        kind: type[FastMCPError]
        if scope is not None and isinstance(message, ReadResourceRequestParams):
            traits, kind, given = _RESOURCE, ResourceError, {"uri": str(message.uri)[:_GIVEN_MAX]}
        elif scope is not None and isinstance(message, GetPromptRequestParams):
            traits, kind = _PROMPT, PromptError
            given = {"nome": str(message.name)[:_GIVEN_MAX], "argumentos": message.arguments or {}}
        else:
            # Also what has not the form of either: the protocol itself says so.
            return await call_next(context)
        try:
            handle = await self._control.open(scope, traits, given)
        except Failure as refused:
            raise kind(str(refused)) from refused
        with serving(handle, None):
            return await self._read(handle, kind, context, call_next)

    async def _read(
        self,
        handle: Handle,
        kind: type[FastMCPError],
        context: MiddlewareContext[Any],
        call_next: CallNext[Any, Any],
    ) -> Any:
        try:
            result = await call_next(context)
        except asyncio.CancelledError as error:
            try:
                await self._control.cancelled(handle, error)
            except Failure as stopped:
                raise kind(str(stopped)) from error
            raise
        except NotFoundError:
            missing = Outcome(Status.FAILED, error_code="nao_encontrado", error_message="Não existe com este nome.")
            await self._control.end(handle, missing)
            raise
        except Exception as error:
            cause = _ours(error) or await _unfilled(context)
            await self._control.end(handle, outcome_of(handle, error if cause is None else cause))
            said = INTERNAL_TEXT if cause is None else say(cause)
            raise kind(f"{said}\nexecution_id: {handle.execution_id}") from error
        # What was read is our own records, or a text of ours: both can be read again.
        await self._control.end(handle, Outcome(Status.COMPLETED))
        return result


async def _unfilled(context: MiddlewareContext[Any]) -> ControlError | None:
    """Name the arguments that a prompt needs and did not get, which FastMCP takes for a failure of the prompt."""
    message, scope = context.message, context.fastmcp_context
    if scope is None or not isinstance(message, GetPromptRequestParams):
        return None
    prompt = await scope.fastmcp.get_prompt(message.name)
    given = message.arguments or {}
    needed = [] if prompt is None else [each.name for each in prompt.arguments or () if each.required]
    missing = [f"{name}: é obrigatório e não veio." for name in needed if name not in given]
    return InvalidInput("\n".join(missing), hint="Informe o argumento e peça de novo.") if missing else None


def _ours(error: BaseException | None) -> ControlError | None:
    """Return the error of ours that FastMCP has wrapped, if there is one."""
    while error is not None and not isinstance(error, ControlError):
        error = error.__cause__
    return error
