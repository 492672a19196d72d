"""One process under load while the master key changes: `python -m tests.campaign.rotation_load <book> <rate> <stop>`.

Starts so many executions a second, on time whatever the ones before do, each with a person's CPF in it and each with
the credentials of a company opened as for a call to Omie. Five times a second a new company is connected, so that
something is being sealed under the master key at every moment. Whatever was acknowledged is a line of the book.
Ends once the file `stop` is there.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable
from io import TextIOWrapper
from pathlib import Path

import orjson

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY
from omie_control.domain.companies import Company
from omie_control.settings import Settings

_COMPANIES_A_SECOND = 5
_FALL_BEHIND = 2_000
_LOOK_EVERY = 10


def cpf(number: int) -> str:
    """Return a valid CPF for a number."""
    digits = [int(digit) for digit in f"{number % 10**9:09}"]
    for weight in (10, 11):
        rest = sum(digit * (weight - at) for at, digit in enumerate(digits)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


class Loader:
    """Paced callers of one process."""

    def __init__(self, app: App, book: TextIOWrapper, rate: float) -> None:
        self._app = app
        self._book = book
        self._rate = rate
        self._companies: list[Company] = []
        self._secrets: dict[str, str] = {}
        # Apart from those of the other loaders.
        self._numbers = os.getpid() % 1000 * 10**6

    async def run(self, stop: Path) -> None:
        """Keep the pace until the file is there; returns when the last execution has its answer."""
        await self._connect()
        began, due, count = time.perf_counter(), 0.0, 0
        running: set[asyncio.Task[None]] = set()
        while not (count % _LOOK_EVERY == 0 and stop.exists()):
            if (early := due - (time.perf_counter() - began)) > 0:
                await asyncio.sleep(early)
            every = int(self._rate / _COMPANIES_A_SECOND) or 1
            turn = self._connect if count % every == every - 1 else self._execute
            task = asyncio.create_task(self._kept(turn()))
            running.add(task)
            task.add_done_callback(running.discard)
            count += 1
            due = count / self._rate
            if len(running) > _FALL_BEHIND:
                raise AssertionError(f"{len(running)} executions wait: this machine cannot keep the pace")
        await asyncio.gather(*running)
        self._note(calls=count, seconds=time.perf_counter() - began)

    async def _kept(self, turn: Awaitable[None]) -> None:
        try:
            await turn
        except Exception as error:
            # Whatever a caller is told instead of an answer is what we look for.
            self._note(failed=f"{type(error).__name__}: {error}")

    async def _connect(self) -> None:
        """Connect a company: its credentials are sealed under the master key that this process holds in force."""
        number = self._next()
        slug, secret = f"empresa-{number}", f"{number:032x}"
        company = await self._app.companies.add(LIBRARY, slug, slug, f"{number:013}", secret)
        self._secrets[slug] = secret
        self._companies.append(company)

    async def _execute(self) -> None:
        number = self._next()
        # The newest first of all: its data key is just being made.
        company = self._companies[-1 if number % 2 else number % len(self._companies)]
        person = cpf(number)
        arguments = {"empresa": company.slug, "cnpj_cpf": person}
        async with self._app.controller.track("consultar_clientes", arguments, company=company.id) as run:
            door = await self._app.companies.door(company.id)
            if door.credentials.app_secret.reveal() != self._secrets[company.slug]:
                raise AssertionError(f"the credentials of {company.slug} are not those that were sealed")
            run.result = {"clientes": [{"codigo_cliente_omie": number, "cnpj_cpf": person}]}
        self._note(execution=run.execution_id, person=person)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _note(self, **facts: object) -> None:
        self._book.write(orjson.dumps({"at": time.time(), **facts}).decode() + "\n")
        self._book.flush()


async def main(book: Path, rate: float, stop: Path) -> None:
    """Open the installation of the home, as every process of it does, and load it."""
    async with open_app(Settings.from_environment(), kind="library") as app:
        with book.open("w", encoding="utf-8") as file:
            await Loader(app, file, rate).run(stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])))
