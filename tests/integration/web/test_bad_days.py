"""PostgreSQL or Valkey away, seen from the browser. Both are reached through a door that the test can shut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx2
import pytest
from tests.conftest import Database, Servers, eventually
from tests.integration.web.conftest import PATIENCE_SECONDS, SYSTEM, House, open_house
from tests.ports import port_of, reserved

from omie_control.services.webhooks import PATH


class Door:
    """A TCP door in front of a server: shut, it cuts who is inside and lets nobody in."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        # Nobody else gets the port while the door is shut.
        self._reserved = reserved()
        self._port = port_of(self._reserved)
        self._server: asyncio.Server | None = None
        self._inside: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Let connections through, always at the same port."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)

    async def shut(self) -> None:
        """Cut every connection and take no new one, until it is opened again."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._inside:
            writer.transport.abort()
        self._inside.clear()

    def give_back(self) -> None:
        """Let others have the port."""
        self._reserved.close()

    def lead(self, url: str) -> str:
        """Rewrite an address of the same server so that it goes through the door."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        query = parse_qs(parts.query)
        query.pop("host", None)
        return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{self._port}", query=""))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await self._reach()
        if self._server is None:
            # Shut while this one was on its way through.
            for each in (writer, there):
                each.transport.abort()
            return
        self._inside |= {writer, there}
        await asyncio.gather(_pump(reader, there), _pump(there_reader, writer))
        self._inside -= {writer, there}

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        socket = parse_qs(self._parts.query).get("host")
        if self._parts.scheme == "unix":
            return await asyncio.open_unix_connection(self._parts.path)
        if socket is not None:
            return await asyncio.open_unix_connection(f"{socket[0]}/.s.PGSQL.{self._parts.port or 5432}")
        default = 5432 if self._parts.scheme.startswith("postgres") else 6379
        return await asyncio.open_connection(self._parts.hostname, self._parts.port or default)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def door(servers: Servers) -> AsyncIterator[Door]:
    """Give a door in front of PostgreSQL."""
    made = Door(servers.owner_url)
    await made.open()
    yield made
    await made.shut()
    made.give_back()


@pytest.fixture
async def house(door: Door, database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    through = replace(database, app_url=door.lead(database.app_url), owner_url=door.lead(database.owner_url))
    async with open_house(through, valkey_url, tmp_path) as made:
        yield made


async def test_without_postgresql_every_page_says_so_and_since_when_and_comes_back(house: House, door: Door) -> None:
    async with house.visitor() as client:
        await door.shut()
        page = await client.get("/")
        part = await client.get("/", headers={"HX-Request": "true"})
        ready = await client.get("/readyz")
        assert (page.status_code, part.status_code, ready.status_code) == (503, 503, 503)
        assert "O banco de dados do controle está fora do ar" in page.text
        assert "Desde" in page.text
        assert part.headers["hx-retarget"] == "#aviso"
        assert ready.json()["degraded"]["sem_postgresql"]["since"] is not None
        assert (await client.get("/healthz")).status_code == 200
        await door.open()

        async def is_back() -> bool:
            return (await client.get("/")).status_code == 200 and (await client.get("/readyz")).status_code == 200

        await eventually(is_back, within=90)


async def test_a_form_that_meets_an_outage_leads_back_to_its_page(house: House, door: Door) -> None:
    async with house.visitor() as client:
        await door.shut()
        failed = await client.post("/conta/senha", data={"csrf_token": "x"})
        await door.open()
    assert failed.status_code == 503
    # Without an address of its own the browser would ask for the form's, which is no page.
    assert '<meta http-equiv="refresh" content="5; url=/conta">' in failed.text


async def test_without_postgresql_no_webhook_is_acknowledged_and_none_is_lost(house: House, door: Door) -> None:
    company = await house.app.companies.add(SYSTEM, "padaria", "Padaria", "1234567890", "a" * 32)
    made = await house.app.services.webhooks.create(SYSTEM, company)
    path = PATH + made.url.reveal().rpartition("/")[2]
    event = {"messageId": "m-1", "topic": "Projeto.Incluido", "appKey": "1234567890", "event": {}}
    async with httpx2.AsyncClient(base_url=house.url, timeout=PATIENCE_SECONDS) as omie:
        await door.shut()
        answer = await omie.post(path, json=event)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        await door.open()

        async def is_taken() -> bool:
            return (await omie.post(path, json=event)).status_code == 200

        # As Omie does: again, until somebody takes it.
        await eventually(is_taken, within=90)
    [kept] = (await house.app.services.webhooks.list(SYSTEM)).items
    assert kept.message_id == "m-1"
