"""A process that was taken for dead on its way to Omie: what others have concluded meanwhile stays true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.conftest import Database, eventually
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import settings_for
from tests.writing import CLIENTES, OWNER, Writer, company_of

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.domain.executions import Execution, Origin, Status
from omie_control.domain.gate import Limits
from omie_control.errors import Conflict, InvalidInput
from omie_control.omie.catalog import catalog
from omie_control.postgres import instances
from omie_control.services.endings import outcome_of
from omie_control.services.executions import Request
from omie_control.services.instances import LOST_AFTER
from omie_control.services.write_keys import marked
from omie_control.simulator.rules import Limits as OmieLimits

CREATE = catalog().method(CLIENTES, "IncluirCliente")
FIRST: dict[str, Any] = {"razao_social": "Padaria Sol Nascente"}
SECOND: dict[str, Any] = {"razao_social": "Padaria Lua Cheia"}


@dataclass(frozen=True, slots=True)
class House:
    """One process, its Omie, and the others' opinion of it."""

    app: App
    omie: OmieServer
    writer: Writer

    async def take_for_dead(self) -> None:
        """Do what another process does that has heard nothing of this one for too long."""
        async with self.app.db.postgres.transaction() as tx:
            assert await instances.rescue(tx, LOST_AFTER, gone=[self.app.db.instance.id])

    async def settled(self, execution_id: str) -> bool:
        """Look up what is due; say whether this execution has its end."""
        await self.app.services.verifications.turn()
        return (await self.shown(execution_id)).status.has_ended

    async def shown(self, execution_id: str) -> Execution:
        """Return an execution as the operator sees it."""
        return await self.app.executions.get(OWNER, execution_id)

    def sent(self) -> int:
        """Count the creates that reached Omie."""
        return sum(entry.endpoint.endswith("/IncluirCliente") for entry in self.omie.simulator.book.entries)


@pytest.fixture
async def house(
    database: Database, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """Give a process before an Omie that leaves the limits to its gate."""
    # Omie's minute in a second, but a lease that a slow machine does not outlive.
    monkeypatch.setattr(wiring, "LIMITS", replace(Limits().scaled(60.0), lease_seconds=75.0))
    async with start_omie(limits=OmieLimits(is_enforced=False)) as omie:
        settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie.base_url)
        async with open_app(settings, kind="serve") as app:
            services = app.services
            company = await company_of(app, omie.company.app_key, omie.company.app_secret)
            yield House(app, omie, Writer(services.executions, services.calls, services.writes, company))


async def test_a_write_that_was_declared_unsent_is_not_sent_after_all(house: House, conn: asyncpg.Connection) -> None:
    executions, writer = house.app.executions, house.writer
    request = Request("escrever", FIRST, OWNER, Origin("test"), writer.company.id, idempotency_key=marked("pedido-1"))
    handle = await executions.start(request)
    await house.take_for_dead()
    await eventually(lambda: _hurried(house, conn, handle.execution_id))
    assert (await house.shown(handle.execution_id)).error_code == "nao_enviada"
    # Only now does the process wake up.
    with pytest.raises(Conflict) as told:
        await writer.run(handle, CREATE, FIRST, "pedido-1")
    assert told.value.code == "execucao_encerrada"
    await executions.finish(handle, outcome_of(handle, told.value))
    assert house.sent() == 0
    assert (await house.shown(handle.execution_id)).status is Status.FAILED
    # Its key holds nobody up.
    assert (await writer.write(FIRST, key="pedido-1")).error is None
    assert house.sent() == 1


async def test_a_write_whose_process_is_taken_for_dead_while_it_waits_for_its_turn_is_not_sent(
    house: House, conn: asyncpg.Connection
) -> None:
    house.omie.plan("timeout_before", call="IncluirCliente", times=1)
    ahead = asyncio.create_task(house.writer.write(FIRST, key="primeira"))
    await eventually(lambda: _is(house.sent() == 1))
    behind = asyncio.create_task(house.writer.write(SECOND, key="segunda"))
    await eventually(lambda: conn.fetchval("select true from idempotency_keys where key = 'segunda'"))
    await house.take_for_dead()
    # Only now is it the turn of the other.
    ahead.cancel()
    told = await behind
    await asyncio.wait([ahead])
    assert isinstance(told.error, Conflict)
    assert told.error.code == "execucao_encerrada"
    assert house.sent() == 1
    assert (await house.shown(told.execution_id)).status is Status.FAILED
    assert await conn.fetchval("select state from idempotency_keys where key = 'segunda'") == "free"


async def test_what_was_opened_as_a_read_cannot_write_for_its_end_would_free_the_key(house: House) -> None:
    # A rescue ends a read as timeout, and takes the key of whatever it had under way for free.
    request = Request("consultar", FIRST, OWNER, Origin("test"), house.writer.company.id, writes=False)
    handle = await house.app.executions.start(request)
    with pytest.raises(InvalidInput) as told:
        await house.writer.run(handle, CREATE, FIRST, "pedido-1")
    await house.app.executions.finish(handle, outcome_of(handle, told.value))
    assert house.sent() == 0


async def _hurried(house: House, conn: asyncpg.Connection, execution_id: str) -> bool:
    await conn.execute("update uncertain_executions set next_try_at = now()")
    return await house.settled(execution_id)


async def _is(value: bool) -> bool:
    return value
