"""One call sent: again where that is safe, never where it is not, and under a ticket that always comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Database
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import settings_for
from tests.ports import port_of, reserved

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.domain.actors import LIBRARY
from omie_control.domain.companies import Company
from omie_control.domain.executions import Origin
from omie_control.domain.gate import Limits
from omie_control.errors import OmieBusy, OmieFault, OmieUnreachable, Uncertain
from omie_control.omie.catalog import catalog
from omie_control.omie.client import OmieClient
from omie_control.omie.protocol import Payload
from omie_control.services import sending
from omie_control.services.executions import Handle, Request
from omie_control.simulator.rules import Limits as OmieLimits

SCALE = 60.0
LIST = catalog().method("geral/clientes/", "ListarClientes")
CREATE = catalog().method("geral/clientes/", "IncluirCliente")
# A read by its name, which allots a number each time.
NEXT_NUMBER = catalog().method("produtos/cupomfiscal/", "ObterProximoLote")


@dataclass(frozen=True, slots=True)
class Desk:
    """One process with a company, before a simulated Omie whose minute lasts a second."""

    app: App
    company: Company
    omie: OmieServer

    async def call(self, method: Any, param: dict[str, Any]) -> tuple[Handle, Payload]:
        request = Request("provar_envio", param, LIBRARY, Origin("test"), self.company.id, writes=method.writes)
        handle = await self.app.executions.start(request)
        return handle, await self.app.calls.run(handle, self.company, method, param)

    def asked(self, call: str) -> int:
        return sum(entry.endpoint.endswith(call) for entry in self.omie.simulator.book.entries)


@pytest.fixture
async def desk(
    database: Database, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    # Omie's minute in a second, but leases that a slow machine does not outlive.
    monkeypatch.setattr(wiring, "LIMITS", replace(Limits().scaled(SCALE), lease_seconds=30.0))
    async with _desk(database, valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
async def patient_desk(
    database: Database, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """Serve one that leaves Omie's own time to a call that went silent, and soon takes a call for silent."""
    monkeypatch.setattr(wiring, "LIMITS", replace(Limits().scaled(SCALE), lease_seconds=30.0, linger_seconds=60.0))
    monkeypatch.setattr(wiring, "OmieClient", partial(OmieClient, timeout_seconds=2.0))
    async with _desk(database, valkey_url, tmp_path) as made:
        yield made


@asynccontextmanager
async def _desk(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with start_omie(time_scale=SCALE, limits=OmieLimits()) as omie:
        settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie.base_url)
        async with open_app(settings, kind="serve") as app:
            pair = omie.company
            company = await app.companies.add(LIBRARY, "prova", "Prova", pair.app_key, pair.app_secret)
            yield Desk(app, company, omie)


@pytest.mark.parametrize("move", ["broken", "html", "empty", "cut_json"])
async def test_a_read_is_asked_again_after_what_passes_by_itself(desk: Desk, move: str) -> None:
    desk.omie.plan(move, call="ListarClientes", times=1)
    handle, payload = await desk.call(LIST, {"pagina": 1, "registros_por_pagina": 5})
    assert payload.data["registros"] == 5
    assert [call.success for call in handle.calls] == [False, True]


async def test_a_read_that_never_gets_better_ends_after_three_tries(desk: Desk) -> None:
    desk.omie.plan("broken", call="ListarClientes", times=9)
    with pytest.raises((OmieUnreachable, OmieFault)):
        await desk.call(LIST, {"pagina": 1, "registros_por_pagina": 5})
    assert desk.asked("ListarClientes") == 3


@pytest.mark.parametrize("move", ["broken", "html", "reset", "8020"])
async def test_a_write_in_doubt_is_never_sent_again(desk: Desk, move: str) -> None:
    desk.omie.plan(move, call="IncluirCliente", times=9)
    with pytest.raises(Uncertain):
        await desk.call(CREATE, {"razao_social": "Padaria", "codigo_cliente_integracao": f"X-{move}"})
    assert desk.asked("IncluirCliente") == 1


@pytest.mark.parametrize("move", ["broken", "html", "reset"])
async def test_a_number_is_not_taken_again_when_it_may_have_been_given(desk: Desk, move: str) -> None:
    desk.omie.plan(move, call="ObterProximoLote", times=9)
    with pytest.raises(OmieUnreachable):
        await desk.call(NEXT_NUMBER, {})
    assert desk.asked("ObterProximoLote") == 1


@pytest.mark.parametrize("move", ["timeout_after", "reset", "cut_json", "html", "broken"])
async def test_a_write_without_a_whole_answer_keeps_its_place_for_omie_may_be_at_it(
    patient_desk: Desk, move: str
) -> None:
    patient_desk.omie.plan(move, call="IncluirCliente", times=1)
    with pytest.raises(Uncertain):
        await patient_desk.call(CREATE, {"razao_social": "Padaria", "codigo_cliente_integracao": "X-1"})
    await patient_desk.app.services.configurations.set(LIBRARY, "omie.patience_seconds", 1)
    with pytest.raises(OmieBusy):
        await patient_desk.call(CREATE, {"razao_social": "Farinha", "codigo_cliente_integracao": "X-2"})
    assert patient_desk.asked("IncluirCliente") == 1


async def test_a_fault_that_is_ours_to_mend_is_not_asked_again(desk: Desk) -> None:
    with pytest.raises(OmieFault):
        await desk.call(catalog().method("geral/clientes/", "ConsultarCliente"), {"codigo_cliente_omie": 1})
    assert desk.asked("ConsultarCliente") == 1


async def test_a_block_shuts_every_later_call_before_it_leaves(desk: Desk) -> None:
    desk.omie.plan("425", call="ListarClientes", times=1)
    with pytest.raises(OmieBusy) as blocked:
        await desk.call(LIST, {"pagina": 1, "registros_por_pagina": 5})
    assert blocked.value.until is not None
    with pytest.raises(OmieBusy):
        await desk.call(LIST, {"pagina": 2, "registros_por_pagina": 5})
    assert desk.asked("ListarClientes") == 1


async def test_the_limits_left_are_written_with_the_call(desk: Desk) -> None:
    handle, _ = await desk.call(LIST, {"pagina": 1, "registros_por_pagina": 5})
    assert handle.calls[0].rate_limit_remaining == 239
    assert handle.calls[0].rate_limit_reset_at is not None


async def test_forty_reads_at_once_break_no_limit_of_omies(desk: Desk) -> None:
    await asyncio.gather(*(desk.call(LIST, {"pagina": 1, "registros_por_pagina": size}) for size in range(1, 41)))
    assert desk.omie.simulator.book.violations == []


async def test_what_never_reached_omie_may_be_asked_again_at_once_however_often(
    database: Database, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Omie has counted nothing: neither an equal call nor an error, so no limit and no breaker keeps anybody out."""
    monkeypatch.setattr(sending, "_FIRST_PAUSE_SECONDS", 0.0)
    async with _desk(database, valkey_url, tmp_path) as desk:
        client, page = desk.app.services.client, {"pagina": 1, "registros_por_pagina": 5}
        with closing(reserved()) as nobody:
            away = f"http://127.0.0.1:{port_of(nobody)}/api/v1/"
            client.trust(away)
            with monkeypatch.context() as cut_off:
                cut_off.setattr(client, "_base_url", away)
                for _ in range(4):
                    with pytest.raises(OmieUnreachable):
                        await desk.call(LIST, page)
        _, payload = await desk.call(LIST, page)
        assert payload.data["registros"] == 5
