"""Exports: whoever leaves before the answer leaves nothing running."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from tests.conftest import Database
from tests.leaving import LeavingAt
from tests.mcp_serving import ended, settings_for

from omie_control.app import open_app
from omie_control.domain.actors import LIBRARY
from omie_control.omie.catalog import catalog
from omie_control.services.executions import Request
from omie_control.services.exports import PROCESS_TYPE

LIST = catalog().method("geral/clientes/", "ListarClientes")


async def test_an_export_whose_caller_left_before_it_was_named_is_ended(
    database: Database, valkey_url: str, tmp_path: Path, conn: asyncpg.Connection
) -> None:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
        company = await app.companies.add(
            LIBRARY, "padaria", "Padaria", "1234567890", "abcdef0123456789abcdef0123456789"
        )
        asked_by = await app.executions.start(Request("exportar", {}, LIBRARY, company=company.id))
        leaving = LeavingAt(app.services.exports.start(asked_by, company, LIST, {}), 1)
        await asyncio.wait([asyncio.ensure_future(leaving)])
        assert leaving.has_left
        row = await ended(conn, PROCESS_TYPE)
        assert (row["status"], row["error_code"]) == ("cancelled", "cliente_desistiu")
