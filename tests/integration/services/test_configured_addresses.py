"""Addresses that a person configures lead outside only, when they are set and when a connection is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.conftest import Database
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY, SYSTEM
from omie_control.domain.configuration import BASE_URL, PROXY
from omie_control.domain.executions import Origin
from omie_control.errors import InvalidInput
from omie_control.omie.catalog import catalog
from omie_control.omie.protocol import Payload
from omie_control.services.executions import Request

LIST = catalog().method("geral/clientes/", "ListarClientes")


@pytest.fixture
async def omie() -> AsyncIterator[OmieServer]:
    async with start_omie() as started:
        yield started


async def ask(app: App, omie: OmieServer, slug: str, base_url: str | None = None) -> Payload:
    """Ask through a company of its own for as many rows as its name has letters: Omie takes no question twice."""
    pair = omie.company
    company = await app.companies.add(LIBRARY, slug, slug, pair.app_key, pair.app_secret, base_url=base_url)
    request = Request("provar_envio", {}, LIBRARY, Origin("test"), company.id)
    handle = await app.executions.start(request)
    return await app.calls.run(handle, company, LIST, {"pagina": 1, "registros_por_pagina": len(slug)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("omie.base_url", "https://169.254.169.254/latest/"),
        ("omie.base_url", "https://2130706433/api/v1/"),
        ("omie.base_url", "http://127.0.0.1:9/"),
        ("omie.base_url", "https://localhost/"),
        ("omie.base_url", "https://app.omie.com.br:6379/"),
        ("omie.proxy", "http://ana:senha@10.0.0.8:3128"),
        ("omie.proxy", "http://ana:senha@localhost:3128"),
    ],
)
async def test_no_address_inside_is_configured_and_the_try_is_on_record(
    database: Database, valkey_url: str, tmp_path: Path, conn: asyncpg.Connection, name: str, value: str
) -> None:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
        with pytest.raises(InvalidInput) as refused:
            await app.services.configurations.set(SYSTEM, name, value)
        assert refused.value.code == "endereco_recusado"
        assert (await app.services.configurations.get(SYSTEM, name)).is_default
    row = await conn.fetchrow("select * from audit_events where action = 'config.address_refused'")
    assert row is not None
    assert (row["outcome"], row["object_id"]) == ("refused", name)
    assert value not in repr(dict(row))
    assert "senha@" not in repr(dict(row))


async def test_what_stood_in_the_table_already_is_not_called_nor_rolled_back_to(
    database: Database, valkey_url: str, tmp_path: Path, omie: OmieServer, conn: asyncpg.Connection
) -> None:
    async with open_app(
        settings_for(database, valkey_url, tmp_path, outgoing_allowed=("127.0.0.1",)), kind="serve"
    ) as app:
        await app.services.configurations.set(SYSTEM, "omie.base_url", omie.base_url)
        assert (await ask(app, omie, "permitida")).data["registros"] > 0
    revision = await conn.fetchval("select max(revision) from configuration_history")
    before = len(omie.simulator.book.entries)
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
        assert app.services.live_configuration.get(BASE_URL) == omie.base_url
        with pytest.raises(InvalidInput, match="para dentro"):
            await ask(app, omie, "negada")
        await app.services.configurations.unset(SYSTEM, "omie.base_url")
        with pytest.raises(InvalidInput, match="para dentro"):
            await app.services.configurations.roll_back(SYSTEM, revision)
        assert app.services.live_configuration.get(BASE_URL) is None
    assert len(omie.simulator.book.entries) == before


async def test_the_environment_and_programs_need_no_leave(
    database: Database, valkey_url: str, tmp_path: Path, omie: OmieServer
) -> None:
    settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie.base_url)
    async with open_app(settings, kind="serve") as app:
        assert (await ask(app, omie, "do-ambiente")).data["registros"] > 0
        # What the environment names may be configured as well.
        await app.services.configurations.set(SYSTEM, "omie.base_url", omie.base_url)
        assert (await ask(app, omie, "por-configuracao")).data["registros"] > 0
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
        await app.services.configurations.unset(SYSTEM, "omie.base_url")
        assert (await ask(app, omie, "programa", omie.base_url)).data["registros"] > 0


async def test_a_proxy_inside_is_used_once_it_is_allowed(
    database: Database, valkey_url: str, tmp_path: Path, omie: OmieServer
) -> None:
    proxy = omie.base_url.partition("/api")[0]
    more: dict[str, Any] = {"omie_base_url": "http://omie.example.com/api/v1/", "outgoing_allowed": ("127.0.0.0/8",)}
    async with open_app(settings_for(database, valkey_url, tmp_path, **more), kind="serve") as app:
        await app.services.configurations.set(SYSTEM, "omie.proxy", proxy)
        assert app.services.live_configuration.get(PROXY) is not None
        # The simulator answers whatever it is asked for, also as a proxy.
        assert (await ask(app, omie, "por-proxy")).data["registros"] > 0
