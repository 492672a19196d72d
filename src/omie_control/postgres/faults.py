"""What PostgreSQL's errors mean for us: a row that cannot be stored, a server that cannot store, or a clash.

The one place where errors of the driver become ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from omie_control.errors import Conflict, ControlError, InvalidInput, StorageDown
from omie_control.postgres.health import StorageHealth

# SQLSTATE classes that speak of the data sent: wrong value, broken constraint, row over a limit.
_ROW_CLASSES = frozenset({"22", "23", "54"})
# Two transactions in each other's way: the same statement may simply be sent again.
_CLASH_CLASS = "40"

Foreign = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE that the server gave, or an empty text when the error is not the server's."""
    return str(getattr(error, "sqlstate", None) or "")


def is_row_fault(error: BaseException) -> bool:
    """Say whether one of the rows is to blame, so that the others would pass without it."""
    if isinstance(error, asyncpg.PostgresError):
        return sqlstate(error)[:2] in _ROW_CLASSES
    # The rest that is not of the wire: what we or the driver could not even encode.
    return not isinstance(error, Foreign)


def is_clash(error: BaseException) -> bool:
    """Say whether the statement was rolled back only because of a concurrent one."""
    return sqlstate(error)[:2] == _CLASH_CLASS


def leaves_doubt(error: BaseException) -> bool:
    """Say whether the statement may have been committed although no answer came.

    An ERROR is an answer: rolled back. A FATAL or a broken connection is not.
    """
    severity = getattr(error, "severity_en", None) or getattr(error, "severity", None)
    return severity != "ERROR"


def is_away(error: BaseException) -> bool:
    """Say whether PostgreSQL itself is gone or silent; an ERROR is an answer, and so no sign of that."""
    if isinstance(error, asyncpg.PostgresError):
        return leaves_doubt(error)
    return isinstance(error, OSError | TimeoutError)


def one_line(error: BaseException) -> str:
    """Say an error in one line, for the log."""
    return str(error).partition("\n")[0].strip() or type(error).__name__


def translated(error: BaseException) -> ControlError:
    """Return our error for one of the driver's; the driver's stays the cause, for the log alone."""
    if sqlstate(error) == "23505":
        return Conflict("Já existe um registro com este identificador.")
    if is_clash(error):
        return Conflict("Outra operação alterou o mesmo registro ao mesmo tempo.", hint="Tente de novo.")
    if sqlstate(error) == "22021":
        return InvalidInput("Um dos textos tem o caractere NUL (U+0000).", hint="Tire-o do texto e chame de novo.")
    if isinstance(error, asyncpg.PostgresError | asyncpg.DataError) and is_row_fault(error):
        return InvalidInput("O banco de dados recusou um dos valores.")
    return StorageDown()


@contextmanager
def storage_errors(health: StorageHealth) -> Iterator[None]:
    """Turn the driver's errors into ours and note in `health` whether PostgreSQL answered."""
    try:
        yield
    except Foreign as exc:
        if is_away(exc):
            health.lost(one_line(exc))
        raise translated(exc) from exc
    health.back()
