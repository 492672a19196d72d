"""One process of ours that reads pages, started by `benchmarks.paging`: `python -m benchmarks.paging_process …`.

It opens the App on the home of the environment, says `ready`, waits for a line, reads its pages the product's whole
way (rights, record, cache, gate, wire), and says what came of them as one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.cli.serve import run_http
from omie_control.domain.actors import SYSTEM, Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.domain.executions import Origin, Status
from omie_control.domain.gate import Limits
from omie_control.errors import ControlError, OmieBusy
from omie_control.jobs.worker import Worker
from omie_control.omie.catalog import catalog
from omie_control.services.endings import outcome_of
from omie_control.services.recording import Outcome, Request

SLUG = "paginas"
READER = Actor(ActorKind.TOKEN, "leitor", Role.AGENT)
# The simulator's company has more customers than that: pages of one, then the same again under another filter.
_PAGES_EACH = 50
_TRIES = 200


def limits_at(scale: float) -> Limits:
    """Return Omie's limits on its faster clock. How a waiter shows that it lives is ours, and stays as it is."""
    limits = Limits()
    return replace(limits.scaled(scale), waiter_seconds=limits.waiter_seconds)


def page(number: int) -> dict[str, Any]:
    """Return the question for one page; no two are alike."""
    lists, at = divmod(number, _PAGES_EACH)
    since = date(2020, 1, 1) + timedelta(days=lists)
    return {"pagina": at + 1, "registros_por_pagina": 1, "filtrar_por_data_de": f"{since:%d/%m/%Y}"}


class Pager:
    """Reads pages with several callers at once, each page until it is answered."""

    def __init__(self, app: App, company: Company, transport: str) -> None:
        self._app = app
        self._company = company
        self._origin = Origin(transport)
        self.told: Counter[str] = Counter()

    async def read(self, numbers: range, callers: int) -> None:
        """Read them all."""
        todo = iter(numbers)

        async def work() -> None:
            for number in todo:
                for _ in range(_TRIES):
                    if await self._ask(page(number)):
                        break

        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(work())

    async def _ask(self, param: dict[str, Any]) -> bool:
        method = catalog().method("geral/clientes/", "ListarClientes")
        try:
            handle = await self._app.executions.start(
                Request("ler_pagina", param, READER, self._origin, self._company.id)
            )
        except ControlError as error:
            self.told[type(error).__name__] += 1
            await asyncio.sleep(0.05)
            return False
        try:
            answer = await self._app.calls.read(handle, self._company, method, param)
        except ControlError as error:
            await self._app.executions.finish(handle, outcome_of(handle, error))
            self.told[error.code if isinstance(error, OmieBusy) else type(error).__name__] += 1
            await asyncio.sleep(_until(error))
            return False
        await self._app.executions.finish(handle, Outcome(Status.COMPLETED, response=answer.payload.data))
        self.told[answer.source] += 1
        return True


def _until(error: ControlError) -> float:
    until = error.until if isinstance(error, OmieBusy) else None
    return 0.05 if until is None else max(0.05, (until - datetime.now(UTC)).total_seconds())


async def company_of(app: App) -> Company:
    """Return the company whose pages are read."""
    return next(each for each in await app.companies.list(SYSTEM) if each.slug == SLUG)


async def main(given: argparse.Namespace) -> None:
    """Be one server or one worker of the installation."""
    wiring.LIMITS = limits_at(given.scale)
    async with open_app(kind=given.kind) as app, AsyncExitStack() as parts:
        if given.kind == "serve":
            listener = parts.enter_context(socket.create_server(("127.0.0.1", 0)))
            serving = asyncio.create_task(run_http(app, listener))
            parts.push_async_callback(_ended, app, serving)
        else:
            await parts.enter_async_context(Worker(app))
        pager = Pager(app, await company_of(app), "http" if given.kind == "serve" else "job")
        _say({"ready": True})
        await asyncio.to_thread(sys.stdin.readline)
        began = time.time()
        await pager.read(range(given.first, given.first + given.pages), given.callers)
        _say({"began": began, "ended": time.time(), "told": pager.told})
        await asyncio.to_thread(sys.stdin.readline)


async def _ended(app: App, serving: asyncio.Task[None]) -> None:
    app.stopping.set()
    await serving


def _say(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("serve", "worker"), required=True)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--pages", type=int, required=True)
    parser.add_argument("--callers", type=int, required=True)
    asyncio.run(main(parser.parse_args()))
