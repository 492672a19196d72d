"""What a function or a caller of Python says of a process, checked before anything of it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput

_STATUS_CODE_MAX = 999


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@controller.process` says of a function."""

    process_type: str
    category: Category | None
    complexity: Complexity | None
    writes: bool


# Set by the middleware around a tool whose function is decorated: the two make one execution, not two.
merged: ContextVar[Declaration | None] = ContextVar("merged_declaration", default=None)


def declaration_of(function: object) -> Declaration | None:
    """Return what `@controller.process` said of a function, or None."""
    found = getattr(function, "__omie_process__", None)
    return found if isinstance(found, Declaration) else None


@contextmanager
def merging(declaration: Declaration | None) -> Iterator[None]:
    """Within this block the decorated function itself opens no second execution."""
    token = merged.set(declaration)
    try:
        yield
    finally:
        merged.reset(token)


def declare(
    process_type: str, category: Category | str | None, complexity: Complexity | str | None, writes: bool
) -> Declaration:
    """Check and build a declaration. Raises InvalidInput for an unknown category or complexity."""
    require_texts(is_optional=True, process_type=process_type)
    if not process_type or not process_type.strip():
        raise InvalidInput("O tipo de processo não pode ser vazio.", hint='Exemplo: "conciliar_extrato".')
    if not process_type.isprintable():
        raise InvalidInput(
            "O tipo de processo tem caracteres que não se podem mostrar.", hint='Exemplo: "conciliar_extrato".'
        )
    try:
        return Declaration(
            process_type,
            None if category is None else Category(category),
            None if complexity is None else Complexity(complexity),
            writes,
        )
    except ValueError as exc:
        known = ", ".join([*Category, *Complexity])
        given = ", ".join(f"'{each}'" for each in (category, complexity) if each is not None)
        raise InvalidInput(
            f"Categoria ou complexidade desconhecida: {given}.", hint=f"Use uma destas: {known}."
        ) from exc


def require_texts(*, is_optional: bool = False, **given: object) -> None:
    """Raise InvalidInput for what is no text, before anything is recorded: the database would refuse it later."""
    for name, value in given.items():
        if not isinstance(value, str) and not (is_optional and value is None):
            raise InvalidInput(
                f"{name}: esperado um texto, e veio {type(value).__name__}.", hint=f"Passe str({name}) e chame de novo."
            )


def require_status_code(value: object) -> None:
    if value is not None and (not isinstance(value, int) or not 0 <= value <= _STATUS_CODE_MAX):
        raise InvalidInput(
            f"status_code: esperado um número inteiro de 0 a {_STATUS_CODE_MAX}.", hint="Exemplo: 200. Ou deixe-o fora."
        )
