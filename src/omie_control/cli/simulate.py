"""`omie-control simulate`: an Omie of our own on a loopback port."""

from __future__ import annotations

import asyncio
import socket
import sys

import uvicorn

from omie_control.cli.ports import bind
from omie_control.cli.serve import Server
from omie_control.cli.session import run_async
from omie_control.cli.signals import on_signals
from omie_control.simulator.seed import DEMO_COMPANIES
from omie_control.simulator.server import build_simulator


def simulate(*, host: str, port: int) -> None:
    """Run the simulator until a signal, and say how to reach it."""

    async def work() -> None:
        listener = bind(host, port)
        chosen = listener.getsockname()[1]
        sys.stdout.write(f"Simulador do Omie em http://{host}:{chosen}/api/v1/\n")
        for company in DEMO_COMPANIES:
            sys.stdout.write(f"  {company.name}: app_key {company.app_key}  app_secret {company.app_secret}\n")
        sys.stdout.flush()
        ended = asyncio.Event()
        on_signals(lambda _: ended.set())
        await run_simulator(listener, ended)

    run_async(work())


def _config() -> uvicorn.Config:
    return uvicorn.Config(build_simulator(), access_log=False, log_config=None, lifespan="off", ws="none")


async def run_simulator(listener: socket.socket, stopping: asyncio.Event) -> None:
    """Serve the simulator inside another process until it stops."""
    server = Server(_config())
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="simulator")
    await stopping.wait()
    server.should_exit = True
    await serving
