"""A write whose caller leaves: at every single wait of its way, what is recorded is what Omie did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import Database, eventually
from tests.fixtures_omie import OmieServer, start_omie
from tests.leaving import LeavingAt
from tests.mcp_serving import settings_for
from tests.writing import Writer, company_of

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.domain.gate import Limits
from omie_control.omie.client import OmieClient
from omie_control.simulator.rules import Limits as OmieLimits


@pytest.fixture
async def omie() -> AsyncIterator[OmieServer]:
    """Give an Omie without limits: a write a wait is more than a minute may hold."""
    async with start_omie(limits=OmieLimits(is_enforced=False)) as made:
        yield made


@pytest.fixture
async def app(
    omie: OmieServer, database: Database, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[App]:
    """Give one process whose limits do not make us wait, and that soon takes Omie for silent."""
    limits = Limits(per_method=10_000, per_egress=10_000, errors_open=10_000, errors_most=10_001, linger_seconds=0.0)
    monkeypatch.setattr(wiring, "LIMITS", limits)
    monkeypatch.setattr(wiring, "OmieClient", partial(OmieClient, timeout_seconds=0.2))
    async with open_app(
        settings_for(database, valkey_url, tmp_path, omie_base_url=omie.base_url), kind="serve"
    ) as opened:
        yield opened


@pytest.mark.parametrize("move", [None, "timeout_after", "timeout_before"])
async def test_a_caller_that_leaves_at_any_moment_never_makes_a_write_look_undone(
    app: App, omie: OmieServer, conn: asyncpg.Connection, move: str | None
) -> None:
    services = app.services
    company = await company_of(app, omie.company.app_key, omie.company.app_secret)
    writer = Writer(services.executions, services.calls, services.writes, company)
    await writer.write({"razao_social": "Antes de tudo"}, key="antes")
    wait, goes_on = 0, True
    while goes_on:
        wait += 1
        if move is not None:
            omie.simulator.faults.clear()
            omie.plan(move, call="IncluirCliente", times=1)
        leaving = LeavingAt(writer.write({"razao_social": f"Saiu na espera {wait}"}, key=f"espera-{wait}"), wait)
        await asyncio.wait([asyncio.ensure_future(leaving)])
        goes_on = leaving.has_left
    assert wait > 10
    await services.writes.close()
    await eventually(lambda: _all_ended(conn))
    made = {row.record["razao_social"] for row in omie.simulator.companies[omie.company.app_key].table("clientes")}
    rows = await conn.fetch(
        "select k.key, k.state, e.status::text as status from idempotency_keys k"
        " join process_executions e on e.id = k.execution_id where k.key <> 'antes'"
    )
    assert len(rows) > 5
    for row in rows:
        standing = row["key"], row["state"], row["status"]
        if f"Saiu na {row['key'].replace('-', ' ')}" in made:
            assert row["status"] in ("completed", "uncertain"), standing
            assert row["state"] != "free", standing
            assert row["state"] == "answered" or row["status"] == "uncertain", standing
        elif row["state"] == "uncertain":
            # Nobody but the look-up frees it, and that looks at uncertain executions only.
            assert row["status"] == "uncertain", standing


async def _all_ended(conn: asyncpg.Connection) -> bool:
    return not await conn.fetchval("select count(*) from process_executions where status = 'running'")
