"""A whole installation in one process: HTTP server, worker and, without a real company, the simulator."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

from omie_control.app import App, open_app
from omie_control.cli.output import print_note
from omie_control.cli.ports import bind
from omie_control.cli.screen import Welcome, show
from omie_control.cli.serve import run_http, stop_at_signals
from omie_control.cli.simulate import run_simulator
from omie_control.domain.actors import SYSTEM
from omie_control.jobs.worker import Worker
from omie_control.settings import Settings
from omie_control.simulator.seed import DEMO_COMPANIES
from omie_control.telemetry import Event, tell


async def run(settings: Settings, listener: socket.socket, once_open: Callable[[], Awaitable[None]]) -> None:
    """Run everything until a signal; `once_open` is awaited when the databases are ours to use."""
    async with open_app(settings, kind="up") as app:
        await once_open()
        async with _demonstration(app) as is_demo, Worker(app):
            stop_at_signals(app)
            await _welcome(app, is_demo=is_demo)
            await run_http(app, listener)
            print_note("Encerrando: gravando o que falta e parando os servidores…")


@contextlib.asynccontextmanager
async def _demonstration(app: App) -> AsyncIterator[bool]:
    """Run the simulator and its company while there is no real one (or as OMIE_CONTROL_DEMO says)."""
    if not await _wants_demo(app):
        yield False
        return
    listener = bind("127.0.0.1", 0)
    company = DEMO_COMPANIES[0]
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1/"
    await app.companies.ensure_demo(SYSTEM, company.name, company.app_key, company.app_secret, base_url)
    ended = asyncio.Event()
    simulator = asyncio.create_task(run_simulator(listener, ended), name="simulator")
    try:
        yield True
    finally:
        ended.set()
        await simulator


async def _wants_demo(app: App) -> bool:
    if app.settings.demo is not None:
        return app.settings.demo
    return not any(company.is_active and not company.is_demo for company in await app.companies.list(SYSTEM))


async def _welcome(app: App, *, is_demo: bool) -> None:
    settings = app.settings
    given = settings.resolved_admin_password()
    access = await app.first_steps.ensure_access(settings.home, given.get_secret_value() if given is not None else None)
    show(
        Welcome(
            url=settings.own_address(),
            username=access.username,
            password=None if given is not None else access.password,
            token=access.token,
            home=settings.home,
            master_key=where_the_key_lies(settings),
            database="PostgreSQL externo" if settings.database_url else f"PostgreSQL em {settings.home / 'postgres'}",
            valkey="Valkey externo" if settings.valkey_url else f"Valkey em {settings.home / 'valkey'}",
            is_demo=is_demo,
        )
    )
    tell(Event.PROCESS_STARTED, kind="up", port=settings.port)


def where_the_key_lies(settings: Settings) -> str:
    """Say what is to be kept, in the order in which the settings look for it."""
    if settings.master_key is not None:
        return "na variável OMIE_CONTROL_MASTER_KEY"
    if settings.master_key_file is None and settings.master_key_command is not None:
        return "a que o comando de OMIE_CONTROL_MASTER_KEY_COMMAND imprime"
    return str(settings.master_key_file or settings.home / "master.key")
