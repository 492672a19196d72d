"""A simulated Omie on real loopback HTTP, for every test that needs one.

`omie_server` is one with Omie's own limits and no latency; `start_omie` makes others.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from omie_control.domain.companies import Credentials, require_credentials
from omie_control.omie.client import OmieClient
from omie_control.simulator.faults import read_plan
from omie_control.simulator.seed import DEMO_COMPANIES, DemoCompany
from omie_control.simulator.server import Simulator, build_simulator


@dataclass(frozen=True, slots=True)
class OmieServer:
    """A running simulator: its address, and the handle to its inside."""

    url: str
    simulator: Simulator
    company: DemoCompany = DEMO_COMPANIES[0]

    @property
    def base_url(self) -> str:
        """Return what `OMIE_BASE_URL` would be."""
        return f"{self.url}/api/v1/"

    @property
    def credentials(self) -> Credentials:
        """Return the pair of the first demo company."""
        return require_credentials(self.company.app_key, self.company.app_secret)

    def plan(self, move: str, *, call: str | None = None, **rest: Any) -> None:
        """Let a call fail: `plan("timeout_after", call="IncluirCliente")`."""
        match = {key: rest.pop(key) for key in ("nth", "every", "service") if key in rest}
        self.simulator.faults.add([read_plan({"match": {"call": call, **match}, "move": move, **rest})])


class _Server(uvicorn.Server):
    """A server that leaves the signals to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def start_omie(**choices: Any) -> AsyncIterator[OmieServer]:
    """Run a simulator on a free port in this loop; `choices` go to `build_simulator`."""
    app = build_simulator(**{"latency_ms": (0.0, 0.0), **choices})
    # asyncio switches Nagle's wait off (40 ms an answer) only for sockets that say TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(60):
            while not server.started:
                await asyncio.sleep(0.005)
        yield OmieServer(f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.simulator)
    finally:
        server.should_exit = server.force_exit = True
        await serving
        listener.close()


@pytest.fixture
async def omie_server() -> AsyncIterator[OmieServer]:
    """Give a simulated Omie with its own limits and no latency."""
    async with start_omie() as server:
        yield server


@pytest.fixture
async def omie_client(omie_server: OmieServer) -> AsyncIterator[OmieClient]:
    """Give an open client of `omie_server`, with a short patience."""
    client = OmieClient(omie_server.base_url, timeout_seconds=5.0)
    await client.open()
    yield client
    await client.close()
