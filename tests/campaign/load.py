"""Callers that never stop: real MCP clients, and a book of every answer that they were given."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from tests.campaign.house import House

_EXECUTION = re.compile(r"execution_id: (\S+)")
# What a caller is told whose tool is through while PostgreSQL is away: nothing is acknowledged by it.
_NOT_WRITTEN_YET = "o fim ainda não foi gravado"
_PAUSE_SECONDS = 0.05
# The client tells at length of every connection that we cut; cutting is our purpose.
logging.getLogger("mcp").setLevel(logging.CRITICAL)
logging.getLogger("fastmcp").setLevel(logging.CRITICAL)
# It lists the tools before each call to one that is not on the short list, and says so each time.
logging.getLogger("client").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that reached its caller: nothing of it may be lost from here on."""

    execution_id: str
    tool: str
    is_error: bool
    code: str | None
    # The caller was told that the tool is through and its end not written yet: which end is for the record to say.
    is_open: bool = False


@dataclass(slots=True)
class Load:
    """Callers at work; `answers` is the book of the acknowledged, `silent` counts calls that got no answer."""

    house: House
    callers: int
    answers: list[Answer] = field(default_factory=list)
    silent: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Let every caller begin."""
        self._tasks = [asyncio.create_task(self._caller(number)) for number in range(self.callers)]

    async def stop(self) -> None:
        """Let every caller end, wherever it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def more(self, count: int, *, within: float = 180.0) -> None:
        """Wait until so many further answers have come."""
        goal = len(self.answers) + count
        deadline = asyncio.get_running_loop().time() + within
        while len(self.answers) < goal:
            assert asyncio.get_running_loop().time() < deadline, f"only {len(self.answers)} answers of {goal}"
            await asyncio.sleep(0.02)

    async def _caller(self, number: int) -> None:
        questions = _questions(number)
        while True:
            with suppress(Exception):
                transport = StreamableHttpTransport(
                    self.house.url, headers={"Authorization": f"Bearer {self.house.token}"}
                )
                async with Client(transport, mode="auto" if number % 2 else "legacy", timeout=15) as client:
                    while True:
                        await self._ask(client, *next(questions))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _ask(self, client: Client[StreamableHttpTransport], tool: str, code: str | None, arguments: dict) -> None:
        try:
            result = await client.call_tool(tool, arguments, raise_on_error=False)
        except BaseException:
            self.silent += 1
            raise
        text = result.content[0].text if result.content else ""
        said = (result.meta or {}).get("execution_id") or (m[1] if (m := _EXECUTION.search(text)) else None)
        # An answer without an id acknowledges nothing: the call was turned away before it began.
        if said is not None:
            is_open = bool(result.is_error) and _NOT_WRITTEN_YET in text
            self.answers.append(Answer(said, tool, bool(result.is_error), code, is_open))


def _questions(caller: int) -> Iterator[tuple[str, str | None, dict]]:
    chance = random.Random(caller)
    for number in itertools.count():
        match number % 5:
            case 0 | 2:
                size = 1 + chance.randrange(60)
                yield "consultar_clientes", None, {"pagina": 1 + number % 3, "registros_por_pagina": size}
            case 1 | 3:
                code = f"K{caller}-{number}-{chance.randrange(10**6)}"
                yield (
                    "incluir_cliente",
                    code,
                    {
                        "razao_social": f"Cliente {code} Ltda",
                        "codigo_integracao": code,
                        "email": f"{number}@exemplo.com.br",
                    },
                )
            case _:
                yield "consultar_cliente_por_codigo", None, {"codigo_integracao": f"NAO-{caller}-{number}"}
