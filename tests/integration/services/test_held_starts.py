"""A call that only reads: written once where it is quick, on record before Omie hears of it, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Database, Servers, eventually
from tests.fixtures_omie import OmieServer, start_omie
from tests.integration.postgres.recorded import wired
from tests.integration.services.conftest import OWNER
from tests.mcp_serving import settings_for

from omie_control.app import App, open_app
from omie_control.domain.executions import Origin, Status
from omie_control.errors import InvalidInput, StorageDown
from omie_control.omie.catalog import catalog
from omie_control.services import held_starts
from omie_control.services.executions import Handle, Outcome, Request

DONE = Outcome(Status.COMPLETED, response={"total": 1})
READ = Request("ler", {"pagina": 1}, OWNER, Origin("test"), writes=False, only_reads=True)


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as opened:
        yield opened


@pytest.fixture
def for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no held start go because its time is over."""
    monkeypatch.setattr(held_starts, "HOLD_SECONDS", 3600.0)


async def status(conn: Any, handle: Handle) -> str | None:
    found: str | None = await conn.fetchval("select status from process_executions where id = $1", handle.id)
    return found


@pytest.mark.usefixtures("for_ever")
async def test_a_quick_read_is_one_insert(app: App, conn: Any) -> None:
    handle = await app.executions.start(READ)
    assert await status(conn, handle) is None
    assert await app.executions.finish(handle, DONE)
    row = await conn.fetchrow("select * from process_executions where id = $1", handle.id)
    assert (row["status"], row["response_data"]) == ("completed", '{"total": 1}')
    assert row["updated_at"] == row["created_at"]


async def test_a_read_that_takes_its_time_is_seen_running_and_ends_like_any_other(app: App, conn: Any) -> None:
    handle = await app.executions.start(READ)

    async def is_running() -> bool:
        return await status(conn, handle) == "running"

    await eventually(is_running)
    assert await app.executions.finish(handle, DONE)
    assert await status(conn, handle) == "completed"


@pytest.mark.usefixtures("for_ever")
async def test_what_may_change_something_is_on_record_before_it_runs(app: App, conn: Any) -> None:
    for request in (replace(READ, only_reads=False), replace(READ, writes=True)):
        assert await status(conn, await app.executions.start(request)) == "running"


@pytest.mark.usefixtures("for_ever")
async def test_a_part_is_never_on_record_before_its_whole(app: App, conn: Any) -> None:
    parent = await app.executions.start(READ)
    await app.executions.start(replace(READ, parent=parent.id, only_reads=False))
    assert await status(conn, parent) == "running"


@pytest.mark.usefixtures("for_ever")
async def test_a_caller_who_leaves_is_on_record(app: App, conn: Any) -> None:
    handle = await app.executions.start(READ)
    finishing = asyncio.create_task(app.executions.finish(handle, Outcome(Status.CANCELLED, error_code="desistiu")))
    await asyncio.sleep(0)
    finishing.cancel()

    async def has_ended() -> bool:
        return await status(conn, handle) == "cancelled"

    await eventually(has_ended)


@pytest.mark.usefixtures("for_ever")
async def test_an_end_that_may_not_last_follows_its_start(app: App, conn: Any) -> None:
    handle = await app.executions.start(READ)
    assert await app.executions.finish(handle, Outcome(Status.UNCERTAIN, error_code="incerto"))
    assert await status(conn, handle) == "uncertain"


async def test_a_start_that_postgresql_refuses_is_told_with_the_end(app: App) -> None:
    handle = await app.executions.start(READ)
    assert handle.held is not None
    handle.held._row = handle.held._row._replace(input_parameters='{"cut')
    with pytest.raises(InvalidInput):
        await handle.on_record()
    with pytest.raises(InvalidInput):
        await app.executions.finish(handle, DONE)


@pytest.mark.usefixtures("for_ever")
async def test_omie_hears_of_a_read_only_after_its_start_is_committed(
    database: Database, servers: Servers, valkey_url: str, tmp_path: Path, conn: Any
) -> None:
    method = catalog().method("geral/clientes/", "ListarClientes")
    async with start_omie() as omie, wired(database.app_url) as (wire, url):
        settings = settings_for(replace(database, app_url=url), valkey_url, tmp_path, omie_base_url=omie.base_url)
        async with open_app(settings, kind="serve") as app:
            pair = omie.company
            company = await app.companies.add(OWNER, "prova", "Prova", pair.app_key, pair.app_secret)
            handle = await app.executions.start(replace(READ, company=company.id))
            wire.freeze()
            with pytest.raises(StorageDown):
                await app.calls.run(handle, company, method, {"pagina": 1, "registros_por_pagina": 5})
            assert asked(omie) == 0
            wire.thaw()
            assert await app.executions.finish(handle, DONE)
            assert await status(conn, handle) == "completed"
            again = await app.executions.start(replace(READ, company=company.id))
            await app.calls.run(again, company, method, {"pagina": 1, "registros_por_pagina": 5})
            assert asked(omie) == 1
            assert await status(conn, again) == "running"


def asked(omie: OmieServer) -> int:
    return len(omie.simulator.book.entries)
