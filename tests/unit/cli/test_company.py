"""`company test` ends as what kept it from Omie says, so that a script can tell a refusal from an outage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from omie_control.cli import company
from omie_control.cli.session import run_async
from omie_control.errors import ControlError, OmieBusy, OmieFault, OmieUnreachable, StorageDown
from omie_control.services.connections import Connections


def connections(error: ControlError) -> Connections:
    """A test of a connection that ends with an error."""

    async def resolved(*_: object) -> SimpleNamespace:
        return SimpleNamespace(slug="prova", id=None)

    async def started(*_: object) -> SimpleNamespace:
        return SimpleNamespace(execution_id="testar_conexao_1", write_in_flight=False, cancelled_by=None)

    async def finished(*_: object) -> bool:
        return True

    async def look(*_: object) -> None:
        raise error

    return Connections(
        cast("Any", SimpleNamespace(resolve=resolved)),
        cast("Any", SimpleNamespace(start=started, finish=finished)),
        cast("Any", SimpleNamespace(look=look)),
    )


@pytest.mark.parametrize(
    ("error", "code"), [(OmieFault("Não."), 5), (OmieUnreachable(), 6), (OmieBusy(), 6), (StorageDown(), 7)]
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_test_that_fails_ends_as_its_cause_does(
    error: ControlError, code: int, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = SimpleNamespace(connections=connections(error))

    def with_app(verb: Callable[[Any], Awaitable[None]], *, as_json: bool) -> None:
        run_async(cast("Any", verb(app)), as_json=as_json)

    monkeypatch.setattr(company, "with_app", with_app)
    done = CliRunner().invoke(company.commands, ["test", "prova", *options])
    assert done.exit_code == code, done.output
    assert error.message in done.output
    assert error.code in done.output or not options
