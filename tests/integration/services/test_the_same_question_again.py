"""The same question within Omie's minute, when a write has made its answer old: who asks waits, or hears until when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import Database
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import settings_for

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.domain.actors import LIBRARY
from omie_control.domain.companies import Company
from omie_control.domain.executions import Origin
from omie_control.domain.gate import Limits
from omie_control.errors import OmieBusy
from omie_control.omie.catalog import catalog
from omie_control.omie.client import OmieClient
from omie_control.services.answers import FROM_OMIE, Answer
from omie_control.services.executions import Request
from omie_control.simulator.rules import Limits as OmieLimits

# A short minute of Omie's is three seconds: longer than the shortest patience that can be configured, which is one.
SCALE = 20.0
SHORT = 1
LIST = catalog().method("geral/clientes/", "ListarClientes")
CREATE = catalog().method("geral/clientes/", "IncluirCliente")
PAGE = {"pagina": 1, "registros_por_pagina": 500}
NEW = {"razao_social": "Padaria Sol Nascente", "codigo_cliente_integracao": "X-1"}


@dataclass(frozen=True, slots=True)
class Desk:
    """One process with a company, whose callers are told soon that they would have to wait."""

    app: App
    company: Company
    omie: OmieServer

    async def read(self) -> Answer:
        request = Request("ler", PAGE, LIBRARY, Origin("test"), self.company.id, writes=False)
        handle = await self.app.executions.start(request)
        return await self.app.calls.read(handle, self.company, LIST, PAGE)

    async def write(self) -> None:
        handle = await self.app.executions.start(Request("escrever", NEW, LIBRARY, Origin("demo"), self.company.id))
        await self.app.calls.write(handle, self.company, CREATE, NEW)

    async def configure(self, key: str, seconds: int) -> None:
        await self.app.services.configurations.set(LIBRARY, key, seconds)

    def asked(self, call: str) -> int:
        return sum(entry.endpoint.endswith(call) for entry in self.omie.simulator.book.entries)


@pytest.fixture
async def desk(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """Serve one before an Omie as it is."""
    async with _desk(database, valkey_url, tmp_path, 1.0) as made:
        yield made


@pytest.fixture
async def quick_desk(
    database: Database, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """Serve one before an Omie of short minutes."""
    monkeypatch.setattr(wiring, "LIMITS", replace(Limits().scaled(SCALE), lease_seconds=30.0))
    async with _desk(database, valkey_url, tmp_path, SCALE) as made:
        await made.configure("omie.repeat_patience_seconds", 50)
        yield made


@asynccontextmanager
async def _desk(database: Database, valkey_url: str, tmp_path: Path, scale: float) -> AsyncIterator[Desk]:
    async with start_omie(limits=OmieLimits(redundancy_seconds=60 / scale)) as omie:
        settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie.base_url)
        async with open_app(settings, kind="serve") as app:
            pair = omie.company
            company = await app.companies.add(LIBRARY, "prova", "Prova", pair.app_key, pair.app_secret)
            made = Desk(app, company, omie)
            await made.configure("omie.patience_seconds", SHORT)
            yield made


async def test_a_read_whose_answer_a_write_made_old_waits_out_the_minute_and_shows_the_write(
    quick_desk: Desk,
) -> None:
    before = await quick_desk.read()
    await quick_desk.write()
    again = await quick_desk.read()
    assert again.source == FROM_OMIE
    assert again.payload.data["total_de_registros"] == before.payload.data["total_de_registros"] + 1
    assert quick_desk.omie.simulator.book.violations == []
    assert quick_desk.asked("ListarClientes") == 2


async def test_a_read_that_omie_itself_calls_redundant_waits_and_is_answered(quick_desk: Desk) -> None:
    """Another program of the same application has asked the same: nothing of ours knows of it."""
    other = OmieClient(quick_desk.omie.base_url)
    try:
        await other.call(quick_desk.omie.credentials, LIST, PAGE)
    finally:
        await other.close()
    assert (await quick_desk.read()).source == FROM_OMIE
    # Of the other program, and of ours; on a very slow machine the minute was over before ours was refused.
    assert quick_desk.asked("ListarClientes") == 2 + len(quick_desk.omie.simulator.book.violations)


async def test_who_would_wait_longer_than_configured_is_told_at_once_until_when(desk: Desk) -> None:
    await desk.configure("omie.repeat_patience_seconds", 0)
    await desk.read()
    await desk.write()
    with pytest.raises(OmieBusy) as told:
        await desk.read()
    assert told.value.code == "gate_redundant"
    assert told.value.until is not None
    assert told.value.until - datetime.now(UTC) < timedelta(seconds=61)
    assert desk.asked("ListarClientes") == 1
