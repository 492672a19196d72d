"""How an error ends an execution: one table from what was raised to what is recorded."""

from __future__ import annotations

import asyncio

from omie_control.domain.executions import Status
from omie_control.errors import ControlError, OmieUnreachable, Uncertain
from omie_control.services.recording import Handle, Outcome, message_of

UNCERTAIN_TEXT = "A escrita tinha saído para o Omie quando a execução foi interrompida; não se sabe se foi feita."
# The error code of a write that was not sent because the fate of an equal, earlier one is unknown.
FIRST_IS_UNCERTAIN = "primeira_incerta"


def sole(error: BaseException) -> BaseException:
    """Return what a group of errors was raised for, where that is one: a TaskGroup wraps even a single failure."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def outcome_of(handle: Handle, error: BaseException) -> Outcome:
    """Say how an execution ends that raised. A write interrupted in flight is `uncertain`, whatever stopped it."""
    error = sole(error)
    is_ours = isinstance(error, Uncertain) and error.code != FIRST_IS_UNCERTAIN
    if handle.write_in_flight or is_ours:
        text = error.for_people() if isinstance(error, Uncertain) else f"{UNCERTAIN_TEXT} {Uncertain.hint}"
        return Outcome(Status.UNCERTAIN, error_code=_code(error, "incerto"), error_message=message_of(text))
    match error:
        case asyncio.CancelledError() if handle.stop_reason is not None:
            return Outcome(
                Status.CANCELLED, error_code="cancelada", error_message=message_of(f"Cancelada: {handle.stop_reason}")
            )
        case asyncio.CancelledError() | GeneratorExit():
            return Outcome(
                Status.CANCELLED,
                error_code="cliente_desistiu",
                error_message="Quem chamou cancelou ou se desconectou antes da resposta.",
            )
        case TimeoutError():
            return Outcome(Status.TIMEOUT, error_code="tempo_esgotado", error_message="O tempo da execução se esgotou.")
        case OmieUnreachable() if error.code == "tempo_esgotado":
            return Outcome(Status.TIMEOUT, error_code=error.code, error_message=message_of(error.for_people()))
        case ControlError():
            return Outcome(Status.FAILED, error_code=error.code[:50], error_message=message_of(error.for_people()))
        case _:
            return Outcome(Status.FAILED, error_code="erro_da_ferramenta", error_message=message_of(_text(error)))


def _text(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_text(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}"


def _code(error: BaseException, default: str) -> str:
    return error.code[:50] if isinstance(error, Uncertain) else default
