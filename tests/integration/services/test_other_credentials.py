"""A company that gets other credentials: what the application before had answered is nobody's answer any more."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Database
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY
from omie_control.domain.executions import Origin
from omie_control.omie.catalog import catalog
from omie_control.services.executions import Request
from omie_control.simulator.seed import DEMO_COMPANIES

LIST = catalog().method("geral/clientes/", "ListarClientes")
PAGE = {"pagina": 1, "registros_por_pagina": 5}


@pytest.fixture
async def omie() -> AsyncIterator[OmieServer]:
    async with start_omie(time_scale=60.0) as server:
        yield server


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path, omie: OmieServer) -> AsyncIterator[App]:
    settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie.base_url)
    async with open_app(settings, kind="serve") as opened:
        pair = omie.company
        await opened.companies.add(LIBRARY, "prova", "Prova", pair.app_key, pair.app_secret)
        yield opened


async def listed(app: App) -> dict[str, Any]:
    company = await app.companies.get(LIBRARY, "prova")
    handle = await app.executions.start(Request("ler", PAGE, LIBRARY, Origin("test"), company.id, writes=False))
    return (await app.calls.read(handle, company, LIST, PAGE)).payload.data


async def test_the_answers_of_another_application_are_not_told_after_the_change(app: App) -> None:
    before = await listed(app)
    other = DEMO_COMPANIES[1]
    await app.companies.replace_credentials(LIBRARY, "prova", other.app_key, other.app_secret)
    after = await listed(app)
    assert after["clientes_cadastro"] != before["clientes_cadastro"]


async def test_a_test_of_the_connection_asks_omie_itself_and_not_what_is_kept(app: App, omie: OmieServer) -> None:
    connections = app.services.connections
    assert (await connections.test(LIBRARY, "prova")).is_connected
    await app.companies.replace_credentials(LIBRARY, "prova", omie.company.app_key, "0" * 32)
    told = await connections.test(LIBRARY, "prova")
    assert not told.is_connected
    await app.companies.replace_credentials(LIBRARY, "prova", omie.company.app_key, omie.company.app_secret)
    assert (await connections.test(LIBRARY, "prova")).is_connected


async def test_a_test_of_the_connection_asks_what_nobody_has_just_asked(app: App, omie: OmieServer) -> None:
    connections = app.services.connections
    await listed(app)
    connections._sizes = itertools.cycle([PAGE["registros_por_pagina"], 6])
    assert (await connections.test(LIBRARY, "prova")).is_connected
    assert [entry.fault_code for entry in omie.simulator.book.entries] == ["", ""]
    # Both were asked within the minute now, and Omie answers neither again.
    told = await connections.test(LIBRARY, "prova")
    assert told.error is not None and told.error.code == "gate_redundant"
