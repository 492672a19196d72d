"""Every error has its place in each face: an exit code, an HTTP status, words and a status for a model's call."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from omie_control import errors
from omie_control.cli.exits import EXIT_CODES, UNEXPECTED, exit_code
from omie_control.domain.executions import Status
from omie_control.errors import ControlError
from omie_control.mcp.faults import judge
from omie_control.mcp.traits import Traits
from omie_control.services.recording import Handle
from omie_control.web.faults import STATUS, body_of, status_of

# error: (HTTP status, exit code, how a tool call ends that raises it)
PROMISED: dict[type[ControlError], tuple[int, int, Status]] = {
    errors.InvalidInput: (422, 2, Status.FAILED),
    errors.NotFound: (404, 3, Status.FAILED),
    errors.Conflict: (409, 3, Status.FAILED),
    errors.Unauthenticated: (401, 4, Status.FAILED),
    errors.Forbidden: (403, 4, Status.FAILED),
    errors.TooLarge: (413, 2, Status.FAILED),
    errors.Overloaded: (429, 6, Status.FAILED),
    errors.ApprovalRequired: (202, 8, Status.FAILED),
    errors.Uncertain: (502, 9, Status.UNCERTAIN),
    errors.OmieFault: (502, 5, Status.FAILED),
    errors.OmieBusy: (503, 6, Status.FAILED),
    errors.OmieUnreachable: (503, 6, Status.FAILED),
    errors.StorageDown: (503, 7, Status.FAILED),
}
LEAVES: list[type[ControlError]] = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ControlError) and kind is not ControlError
]


def _open_handle() -> Handle:
    return Handle(
        id=UUID(int=1),
        execution_id="consultar_clientes_1",
        request=cast("Any", SimpleNamespace(process_type="consultar_clientes", writes=True)),
        started_at=datetime.now(UTC),
        started_ns=0,
        masked_input=cast("Any", None),
    )


def test_the_tables_name_every_error_and_nothing_else() -> None:
    assert set(LEAVES) == set(PROMISED) == set(EXIT_CODES) == set(STATUS) - {ControlError}


@pytest.mark.parametrize("kind", LEAVES)
def test_an_error_means_the_same_in_every_face(kind: type[ControlError]) -> None:
    error = kind()
    verdict = judge(_open_handle(), error, "consultar_clientes", Traits("consultar_clientes"))
    assert (status_of(error), exit_code(error), verdict.outcome.status) == PROMISED[kind]
    assert verdict.outcome.error_code == kind.code
    assert verdict.said == f"{error.message}\nO que fazer: {kind.hint}"
    assert body_of(error)["error"] == {"code": kind.code, "message": error.message, "hint": kind.hint}


@pytest.mark.parametrize("kind", LEAVES)
def test_an_error_is_one_sentence_and_one_advice(kind: type[ControlError]) -> None:
    assert re.fullmatch(r"\S[^\n]*\.", kind().message), kind
    assert re.fullmatch(r"\S[^\n]*\.", kind.hint), kind
    assert kind.hint != ControlError.hint, "an error of its own has an advice of its own"


def test_no_two_errors_share_a_code() -> None:
    codes = [ControlError.code, *(kind.code for kind in LEAVES)]
    assert len(set(codes)) == len(codes)
    assert all(len(code) <= 50 for code in codes), "error_code is a varchar(50)"


def test_a_narrower_error_of_a_room_keeps_the_place_of_its_parent() -> None:
    class PageGone(errors.NotFound):
        """A página não existe mais."""

    assert exit_code(PageGone()) == 3
    assert status_of(PageGone()) == 404
    assert exit_code(RuntimeError()) == UNEXPECTED


def test_the_tree_at_the_top_of_the_file_is_the_tree() -> None:
    drawn = re.findall(r"[├└]─ (\w+)", errors.__doc__ or "")
    assert sorted(drawn) == sorted(kind.__name__ for kind in LEAVES)
