"""Errors as models read them: only text we wrote, in Portuguese, that says what to do next.

A rejected value is never repeated: not in the text, not in the record, not in the log.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from math import ceil
from typing import Any, ParamSpec, TypeGuard, TypeVar

from fastmcp.exceptions import DisabledError, FastMCPError, McpError, NotFoundError, ToolError, ValidationError
from pydantic import ValidationError as PydanticValidationError

from omie_control.domain.executions import Status
from omie_control.domain.expectations import expected
from omie_control.errors import ControlError, NotFound, Uncertain
from omie_control.mcp.traits import Traits
from omie_control.services.endings import outcome_of, sole
from omie_control.services.recording import Handle, Outcome

P = ParamSpec("P")
R = TypeVar("R")

UNKNOWN_TOOL = "ferramenta_desconhecida"
TOOL_FAILED = "erro_da_ferramenta"
INVALID_INPUT = "dado_invalido"

TIMEOUT_TEXT = (
    "A ferramenta passou do tempo limite e foi interrompida.\n"
    "O que fazer: confira se houve efeito antes de repetir; se for leitura, peça menos dados por chamada."
)
INTERNAL_TEXT = "A ferramenta falhou por um erro interno.\nO que fazer: informe o execution_id a quem opera o sistema."
# What FastMCP says for a tool that raised something else, each in our words. A tool on a mounted server goes by the
# name that it has there.
_SAID_BY_FASTMCP = (
    (re.compile(r"""Error calling tool (['"])[^'"]*\1"""), INTERNAL_TEXT),
    (
        re.compile("Upstream request timed out, please retry"),
        "O serviço que a ferramenta chamou não respondeu a tempo.\n"
        "O que fazer: confira se houve efeito antes de repetir; uma leitura pode ser repetida.",
    ),
    (
        re.compile("Rate limited by upstream API, please retry later"),
        "O serviço que a ferramenta chamou pede que se espere.\nO que fazer: espere um minuto e chame de novo.",
    ),
)

# What our own parameter types raise: its text is ours, so it is told as it stands.
OWN_FAULT = "controle"

_SHOWN_FAULTS = 25
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,59}")
# The only code FastMCP gives a tool that ran past its own `timeout=`.
_FASTMCP_TIMEOUT = -32000


class Failure(ToolError):
    """A failed tool call as the caller sees it. `plain` is its text before the execution_id joined it."""

    def __init__(self, plain: str, execution_id: str | None, *, code: str = TOOL_FAILED) -> None:
        self.plain = plain
        self.code = code
        super().__init__(f"{plain}\nexecution_id: {execution_id}" if execution_id else plain)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a tool's exception ends its execution, and what its caller is told."""

    outcome: Outcome
    said: str


def say(error: ControlError) -> str:
    """Put one of our errors into words: what happened, when to come back, what to do next."""
    return f"{error.message}{_when(error)}\nO que fazer: {error.hint}"


def _when(error: ControlError) -> str:
    """Say in how many seconds to come back: whoever reads this may live in another time zone."""
    if error.until is None:
        return ""
    return f" Volte a tentar em {max(1, ceil((error.until - datetime.now(UTC)).total_seconds()))} segundos."


def spoken(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Let a tool of ours raise our errors: FastMCP gets them as ToolError, so it logs a line, not a traceback."""

    @functools.wraps(tool)
    async def speaking(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except ControlError as error:
            raise ToolError(say(error), log_level=logging.INFO) from error

    return speaking


def judge(handle: Handle, error: Exception, tool: str, traits: Traits) -> Verdict:
    """Decide what an exception that came out of a tool call means."""
    if isinstance(error, ValidationError | PydanticValidationError):
        return _refused(INVALID_INPUT, _explain(error, traits))
    if isinstance(error, NotFoundError | DisabledError):
        return _refused(UNKNOWN_TOOL, say(unknown_tool(tool)))
    cause = error if isinstance(error, ControlError | TimeoutError) else error.__cause__
    cause = None if cause is None else sole(cause)
    if isinstance(cause, ControlError):
        return _ours(handle, cause)
    if _is_timeout(cause, traits):
        outcome = outcome_of(handle, TimeoutError())
        return Verdict(outcome, TIMEOUT_TEXT if outcome.status is Status.TIMEOUT else outcome.error_message or "")
    return _theirs(handle, error, cause)


def unknown_tool(tool: str, hint: str | None = None) -> NotFound:
    """Say that a tool does not exist, or not for this caller: the two must look the same."""
    name = f" '{tool}'" if _FIELD_NAME.fullmatch(tool) else ""
    return NotFound(
        f"A ferramenta{name} não existe ou não está disponível para este acesso.",
        hint=hint or "Liste as ferramentas disponíveis e use um dos nomes da lista.",
        code=UNKNOWN_TOOL,
    )


def explain_validation(
    error: PydanticValidationError, parameters: Sequence[str], examples: Mapping[str, str] | None = None
) -> str:
    """Name each field at fault and what was expected of it, with an example; the value itself is never repeated."""
    faults = error.errors(include_url=False, include_input=False, include_context=True)
    lines = [
        f"- {_field(fault['loc'])}: {_expected(dict(fault), parameters)}{_example(dict(fault), examples or {})}"
        for fault in faults[:_SHOWN_FAULTS]
    ]
    if len(faults) > _SHOWN_FAULTS:
        lines.append(f"- e mais {len(faults) - _SHOWN_FAULTS}.")
    return "Há dados inválidos nesta chamada:\n" + "\n".join(lines) + "\nO que fazer: corrija e chame de novo."


def _explain(error: Exception, traits: Traits) -> str:
    cause = error if isinstance(error, PydanticValidationError) else error.__cause__
    if isinstance(cause, PydanticValidationError):
        return explain_validation(cause, traits.parameters, traits.examples)
    return "Há dados inválidos nesta chamada.\nO que fazer: confira o esquema da ferramenta e chame de novo."


def _refused(code: str, said: str) -> Verdict:
    return Verdict(Outcome(Status.FAILED, error_code=code, error_message=said), said)


def _ours(handle: Handle, cause: ControlError) -> Verdict:
    outcome = outcome_of(handle, cause)
    if outcome.status is Status.UNCERTAIN and not isinstance(cause, Uncertain):
        return Verdict(outcome, outcome.error_message or "")
    return Verdict(outcome, say(cause))


def _theirs(handle: Handle, error: Exception, cause: BaseException | None) -> Verdict:
    """Judge an exception of the tool's own; only a ToolError's text was meant for the caller."""
    if isinstance(error, Failure):
        return _refused(error.code, error.plain)
    if handle.write_in_flight:
        outcome = outcome_of(handle, error)
        return Verdict(outcome, outcome.error_message or "")
    if cause is None and isinstance(error, ToolError):
        return _refused(TOOL_FAILED, str(error))
    said = _in_our_words(error)
    wrong = next((each for each in (cause, getattr(cause, "__cause__", None)) if _is_validation(each)), None)
    if wrong is not None:
        # Its own text would repeat the value at fault.
        told = f"{type(wrong).__name__}: {explain_validation(wrong, ())}"
        return Verdict(Outcome(Status.FAILED, error_code=TOOL_FAILED, error_message=told), INTERNAL_TEXT)
    return Verdict(outcome_of(handle, cause if cause is not None else error), said)


def _in_our_words(error: Exception) -> str:
    """Return the text for an exception that was not meant for the caller; a server may choose to show them all."""
    if not isinstance(error, FastMCPError | McpError):
        return INTERNAL_TEXT
    text = str(error)
    return next((ours for theirs, ours in _SAID_BY_FASTMCP if theirs.fullmatch(text)), text)


def _is_validation(error: object) -> TypeGuard[PydanticValidationError]:
    return isinstance(error, PydanticValidationError)


def _is_timeout(cause: BaseException | None, traits: Traits) -> bool:
    if isinstance(cause, TimeoutError):
        return True
    return traits.has_timeout and isinstance(cause, McpError) and cause.error.code == _FASTMCP_TIMEOUT


def _field(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _FIELD_NAME.fullmatch(part):
            path += f".{part}" if path else part
        else:
            path += ".(nome inválido)" if path else "(nome inválido)"
    return path or "argumentos"


_UNKNOWN_FIELD = frozenset({"unexpected_keyword_argument", "extra_forbidden"})


def _expected(fault: dict[str, Any], parameters: Sequence[str]) -> str:
    if fault["type"] in _UNKNOWN_FIELD:
        return _unknown_field(str(fault["loc"][-1]), parameters)
    if fault["type"] == OWN_FAULT:
        return str(fault["msg"])
    return expected(fault["type"], fault.get("ctx")) + "."


def _example(fault: dict[str, Any], examples: Mapping[str, str]) -> str:
    """Show what the field could hold, where its fault does not say so already."""
    example = examples.get(str(fault["loc"][0])) if len(fault["loc"]) == 1 else None
    return "" if example is None or fault["type"] in {OWN_FAULT, *_UNKNOWN_FIELD} else f" Exemplo: {example}."


def _unknown_field(name: str, parameters: Sequence[str]) -> str:
    near = get_close_matches(name, parameters, n=1)
    if near:
        return f"este campo não existe; talvez seja '{near[0]}'."
    return f"este campo não existe; os aceitos são: {', '.join(parameters) or 'nenhum'}."
