"""The web room over real servers: one App, one uvicorn on a port of its own, one logged-in person."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from tests import patience
from tests.conftest import TIMEZONE, Database, Servers, at_database, run_on

from omie_control.app import App, open_app
from omie_control.domain.actors import SYSTEM, Actor, ActorKind, Role
from omie_control.domain.executions import Status
from omie_control.services.executions import Handle, Outcome, Request
from omie_control.settings import Settings
from omie_control.web import build_web

PASSWORD = "uma-senha-longa-42"
AGENT = Actor(ActorKind.TOKEN, "claude", Role.AGENT)
# Of a busy machine; an answer is there much sooner.
PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def patient_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Valkey take its time: past half a second it counts as away, which a busy machine would bring about."""
    patience.with_valkey(monkeypatch, 30.0)


@dataclass(slots=True)
class House:
    """An App that is served."""

    app: App
    url: str
    web: FastAPI

    async def begin(self, process_type: str = "consultar_clientes", **more: Any) -> Handle:
        """Start an execution as an agent would; lists are by id, and ids of one millisecond have no order."""
        await asyncio.sleep(0.002)
        return await self.app.executions.start(Request(process_type, {"pagina": 1}, AGENT, **more))

    async def end(self, handle: Handle, status: Status = Status.COMPLETED, **more: Any) -> None:
        """End it."""
        await self.app.executions.finish(handle, Outcome(status, **more))

    @asynccontextmanager
    async def visitor(self, username: str = "admin") -> AsyncIterator[httpx2.AsyncClient]:
        """Give a browser-like client that has logged in."""
        async with browser(self.url) as client:
            answer = await log_in(client, username, PASSWORD)
            assert answer.status_code == 303, answer.text
            yield client


def browser(url: str) -> httpx2.AsyncClient:
    """Give a client that asks for pages and keeps cookies, as nobody yet."""
    return httpx2.AsyncClient(base_url=url, headers={"Accept": "text/html"}, timeout=PATIENCE_SECONDS)


async def log_in(client: httpx2.AsyncClient, username: str, password: str, **more: str) -> httpx2.Response:
    """Fill in the login form."""
    token = csrf_of((await client.get("/entrar")).text)
    form = {"username": username, "password": password, "csrf_token": token, **more}
    return await client.post("/entrar", data=form)


def csrf_of(page: str) -> str:
    """Read the token of a page's first form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@asynccontextmanager
async def open_house(database: Database, valkey_url: str, home: Path) -> AsyncIterator[House]:
    """Serve a house with one administrator."""
    settings = Settings(
        home=home,
        port=0,
        database_url=database.app_url,
        database_owner_url=database.owner_url,
        valkey_url=valkey_url,
        tz=TIMEZONE,
    )
    async with open_app(settings, kind="serve") as app:
        await app.users.ensure_admin(PASSWORD)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            web = build_web(app)
            server = uvicorn.Server(uvicorn.Config(web, log_level="warning", lifespan="on"))
            serving = asyncio.create_task(server.serve([listener]))
            yield House(app, f"http://127.0.0.1:{listener.getsockname()[1]}", web)
            server.should_exit = True
            await serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(
    template: Database, servers: Servers, shared_valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Serve one house for all tests that do not mind what others left in it."""
    name = f"{template.name}_web"
    await run_on(servers.owner_url, f"create database {name} template {template.name}")
    urls = {role: at_database(getattr(template, role), name) for role in ("owner_url", "app_url", "reader_url")}
    try:
        async with open_house(
            replace(template, name=name, **urls), shared_valkey_url, tmp_path_factory.mktemp("home")
        ) as made:
            yield made
    finally:
        await run_on(servers.owner_url, f"drop database {name} with (force)")


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_house(database: Database, shared_valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Serve an empty house of this test's own."""
    async with open_house(database, shared_valkey_url, tmp_path) as made:
        yield made


__all__ = ["AGENT", "PASSWORD", "PATIENCE_SECONDS", "SYSTEM", "House", "browser", "csrf_of", "log_in"]
