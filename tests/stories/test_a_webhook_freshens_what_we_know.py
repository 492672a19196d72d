"""A person changes a client in Omie; the webhook comes; the next answer is fresh, long before it would have grown old.

And what was acknowledged is applied although whoever acknowledged it was killed before.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastmcp import Client
from tests.conftest import Database, eventually
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import serving, settings_for

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.domain.actors import SYSTEM, Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.domain.gate import Limits
from omie_control.domain.webhooks import EventStatus
from omie_control.jobs.webhooks import apply
from omie_control.mcp.server import build_server
from omie_control.services.webhooks import PATH
from omie_control.web import build_web

# A minute of Omie's redundancy rule in a tenth of a second; how long an answer is kept stays what it is.
SCALE = 600.0
AGENT = Actor(ActorKind.STDIO, "agente", Role.AGENT)
WAIT = 60


@dataclass(frozen=True)
class House:
    """A company on the simulator, the application, and an agent; `secret` is the company's webhook."""

    app: App
    omie: OmieServer
    company: Company
    client: Client[Any]
    secret: str

    async def name_of(self, id: int) -> tuple[str, str]:
        """Ask for a client; returns the name and where it was known from."""
        told = await self.client.call_tool("consultar_cliente_por_codigo", {"codigo_omie": id})
        assert told.structured_content is not None
        return told.structured_content["cliente"]["razao_social"], told.structured_content["fonte"]

    async def in_omie(self, what: str, **asked: Any) -> httpx2.Response:
        """Use the simulator's own controls."""
        async with httpx2.AsyncClient(timeout=WAIT) as person:
            return await person.post(
                f"{self.omie.url}/_sim/{what}", json={"app_key": self.omie.company.app_key, **asked}
            )

    async def rename(self, id: int, name: str) -> None:
        """Let a person change a client in Omie."""
        done = await self.in_omie(
            "person",
            endpoint="geral/clientes/AlterarCliente",
            param={"codigo_cliente_omie": id, "razao_social": name},
        )
        assert done.status_code == 200, done.text

    async def statuses(self) -> list[EventStatus]:
        """Return how the events stand, oldest first."""
        page = await self.app.services.webhooks.list(SYSTEM)
        return [each.status for each in reversed(page.items)]


@pytest.fixture
async def house(
    database: Database, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    monkeypatch.setattr(wiring, "LIMITS", Limits().scaled(SCALE))
    async with start_omie(time_scale=SCALE) as omie:
        settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie.base_url)
        async with open_app(settings, kind="serve") as app:
            demo = omie.company
            company = await app.companies.add(SYSTEM, "padaria", "Padaria", demo.app_key, demo.app_secret)
            made = await app.services.webhooks.create(SYSTEM, company)
            async with Client(build_server(app, stdio_actor=AGENT)) as client:
                yield House(app, omie, company, client, made.url.reveal().rpartition("/")[2])


async def test_what_a_person_changes_in_omie_is_known_at_once(house: House) -> None:
    id = house.omie.company.first_id
    async with serving(build_web(house.app)) as url:
        set_up = await house.in_omie("webhooks", url=url + PATH + house.secret, duplicates=1)
        assert set_up.json() == {"ping": 200}
        before, _ = await house.name_of(id)
        assert await house.name_of(id) == (before, "cache")
        await house.rename(id, "Nome Novo Ltda")

        async def is_applied() -> bool:
            return await house.statuses() == [EventStatus.APPLIED]

        await eventually(is_applied, within=WAIT)

        async def is_fresh() -> bool:
            # Omie's own rule lets the same question be asked again after its minute only, scaled here.
            try:
                return await house.name_of(id) == ("Nome Novo Ltda", "omie")
            except Exception:
                return False

        await eventually(is_fresh, within=WAIT)
        assert await house.name_of(id) == ("Nome Novo Ltda", "cache")
    status = await house.app.services.webhooks.status(SYSTEM, house.company)
    assert status.last_ping_at is not None


async def test_without_the_event_the_old_answer_would_be_told_on(house: House) -> None:
    id = house.omie.company.first_id
    before, _ = await house.name_of(id)
    await house.rename(id, "Nome Novo Ltda")
    await asyncio.sleep(0.2)
    assert await house.name_of(id) == (before, "cache")


RECEIVER = """
import asyncio, os, signal, sys
import uvicorn
from pathlib import Path
from pydantic import SecretStr
from omie_control.app import open_app
from omie_control.services.webhook_inbox import WebhookInbox
from omie_control.settings import Settings
from omie_control.web import build_web

async def die(self):
    os.kill(os.getpid(), signal.SIGKILL)

# Between the answer and its effect: the machine goes.
WebhookInbox.apply_quietly = die

async def main():
    app_url, owner_url, valkey_url, home = sys.argv[1:]
    settings = Settings(home=Path(home), port=0, database_url=SecretStr(app_url),
                        database_owner_url=SecretStr(owner_url), valkey_url=SecretStr(valkey_url))
    async with open_app(settings, kind="serve") as app:
        import socket
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        await uvicorn.Server(uvicorn.Config(build_web(app), log_config=None, lifespan="on")).serve([listener])

asyncio.run(main())
"""


async def test_an_acknowledged_event_outlives_whoever_acknowledged_it(
    house: House, database: Database, valkey_url: str
) -> None:
    id = house.omie.company.first_id
    before, _ = await house.name_of(id)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RECEIVER,
        database.app_url,
        database.owner_url,
        valkey_url,
        str(house.app.settings.home),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        port = int(await asyncio.wait_for(process.stdout.readline(), 60))
        event = {
            "messageId": "m-1",
            "topic": "ClienteFornecedor.Alterado",
            "event": {"codigo_cliente_omie": id},
            "appKey": house.omie.company.app_key,
        }
        await house.rename(id, "Nome Novo Ltda")
        async with httpx2.AsyncClient(timeout=WAIT) as omie:
            answer = await omie.post(
                f"http://127.0.0.1:{port}{PATH}{house.secret}",
                content=json.dumps(event),
                headers={"Content-Type": "application/json"},
            )
        assert answer.status_code == 200
        assert await asyncio.wait_for(process.wait(), WAIT) == -signal.SIGKILL
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
    assert await house.statuses() == [EventStatus.RECEIVED]
    assert await house.name_of(id) == (before, "cache")
    # Any worker's next turn.
    await apply(house.app)
    assert await house.statuses() == [EventStatus.APPLIED]

    async def is_fresh() -> bool:
        try:
            return (await house.name_of(id))[0] == "Nome Novo Ltda"
        except Exception:
            return False

    await eventually(is_fresh, within=WAIT)
