"""A caller of the simulator in process, who shows raw answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx2

from omie_control.simulator.clock import BRASILIA
from omie_control.simulator.rules import Limits
from omie_control.simulator.seed import DEMO_COMPANIES, DemoCompany
from omie_control.simulator.server import build_simulator

# Where the simulator's clock starts: what a test asks for is of the same day as what is there, at any hour it runs.
SOME_DAY = datetime(2026, 11, 23, 15, 0, tzinfo=BRASILIA)


def day(offset: int = 0) -> str:
    """Write the simulator's today, or a day before or after it, as Omie does."""
    return f"{SOME_DAY + timedelta(days=offset):%d/%m/%Y}"


class Omie:
    """Calls one service of one company."""

    def __init__(
        self, http: httpx2.AsyncClient, service: str = "geral/clientes/", company: DemoCompany = DEMO_COMPANIES[0]
    ) -> None:
        self.http = http
        self.service = service
        self.pair = {"app_key": company.app_key, "app_secret": company.app_secret}

    def at(self, service: str) -> Omie:
        """Return a caller of another service of the same company."""
        other = Omie(self.http, service)
        other.pair = self.pair
        return other

    async def post(self, call: str, *param: Any, **pair: str) -> httpx2.Response:
        """Send a call, whatever it is, and return the raw answer."""
        envelope = {"call": call, "param": list(param), **self.pair, **pair}
        return await self.http.post(f"/api/v1/{self.service}", json=envelope)

    async def ask(self, call: str, **param: Any) -> dict[str, Any]:
        """Send a call that must go well, and return its data."""
        answer = await self.post(call, param)
        assert answer.status_code == 200, answer.text
        data = answer.json()
        assert isinstance(data, dict)
        return data

    async def refused(self, call: str, **param: Any) -> str:
        """Send a call that must be refused, and return code and text."""
        answer = await self.post(call, param)
        assert answer.status_code == 500, answer.text
        body = answer.json()
        return f"{body['faultcode'].removeprefix('SOAP-ENV:')} {body['faultstring']}"


@asynccontextmanager
async def simulated(**choices: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """Give HTTP to a fresh simulator whose limits are written down but not enforced; its day is that of `SOME_DAY`."""
    usual = {"latency_ms": (0, 0), "limits": Limits(is_enforced=False), "began_at": SOME_DAY}
    app = build_simulator(**{**usual, **choices})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://omie.test") as http:
        yield http
