"""A process that writes and may be killed: `python -m tests.campaign.writer <work> <book>`.

Works off a list of keys with several callers, two for each key, and asks again until it has a definite answer, as a
patient client does. Every answer is in its book, on disk, before the next request. Calls go the product's whole way:
rights, key, gate with Omie's own limits, cache; only the clock is faster, and the patience with Omie shorter.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

from tests.writing import TIMEOUT_SECONDS, Told, Writer, company_of

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.domain.gate import Limits
from omie_control.errors import ControlError
from omie_control.jobs.completer import Completer
from omie_control.jobs.rescuer import rescue
from omie_control.omie.client import OmieClient
from omie_control.services.calls import OmieCalls
from omie_control.services.fences import Fence
from omie_control.services.idempotency import IdempotentWrites
from omie_control.services.loops import Every
from omie_control.services.sending import Sender
from omie_control.services.settlements import Settlements
from omie_control.services.verifications import Pace, Verifications
from omie_control.settings import Settings

CALLERS = 6
# The simulator's clock runs sixty times as fast.
TIME_SCALE = 60.0
_LOOK_SECONDS = 0.1
PACE = Pace(first=timedelta(seconds=0.1), again=timedelta(seconds=1.05), lease=timedelta(seconds=5))


def client_of(key: str) -> dict[str, Any]:
    """Return what the write of a key makes; its name is how the books know it."""
    return {"razao_social": f"Campanha {key}", "email": f"{key}@exemplo.com.br"}


class Caller:
    """One client: takes keys from the list and writes down what it is told."""

    def __init__(self, writer: Writer, book: TextIO) -> None:
        self._writer = writer
        self._book = book

    async def work(self, keys: asyncio.Queue[str]) -> None:
        """Get a definite answer for each key."""
        while not keys.empty():
            key = keys.get_nowait()
            while not await self._ask(key):
                await asyncio.sleep(0.2)

    async def _ask(self, key: str) -> bool:
        try:
            told = await self._writer.write(client_of(key), key=key)
        except ControlError as error:
            # It could not be recorded (PostgreSQL too slow on a busy machine): nothing was promised, so again.
            told = Told("", None, error)
        line: dict[str, Any] = {"key": key, "execution_id": told.execution_id}
        if told.written is not None:
            line |= {"answer": told.written.payload.data, "repeated_of": told.written.repeated_of}
        else:
            line |= {"error": type(told.error).__name__, "code": getattr(told.error, "code", None)}
        self._book.write(json.dumps(line) + "\n")
        self._book.flush()
        os.fsync(self._book.fileno())
        return told.written is not None


async def main(work: Path, book: Path) -> None:
    """Work off the list; ends when every key has its answer and nothing is uncertain. Sets this process's limits."""
    wiring.LIMITS = Limits().scaled(TIME_SCALE)
    async with open_app(Settings.from_environment(), kind="worker") as app:
        client = OmieClient(app.settings.omie_base_url, timeout_seconds=TIMEOUT_SECONDS)
        await client.open()
        services = app.services
        writes = IdempotentWrites(app.db.postgres, services.keys)
        sender = Sender(client, services.companies, services.gate, Fence(app.db.postgres), app.settings.egress)
        calls = OmieCalls(sender, writes, services.answers, services.access)
        settlements = Settlements(app.db.postgres, services.keys, services.bodies, services.access, services.answers)
        verifications = Verifications(
            app.db.postgres, services.companies, services.executions, settlements, calls.look, PACE
        )
        parts = [
            Completer(verifications, writes, timedelta(seconds=0.1)),
            Every("rescue", timedelta(seconds=0.5), lambda: rescue(app)),
        ]
        company = await company_of(app, os.environ["CAMPAIGN_APP_KEY"], os.environ["CAMPAIGN_APP_SECRET"])
        keys: asyncio.Queue[str] = asyncio.Queue()
        for key in work.read_text(encoding="utf-8").split():
            keys.put_nowait(key)
            keys.put_nowait(key)
        for part in parts:
            part.start()
        with book.open("a", encoding="utf-8") as kept:
            writer = Writer(services.executions, calls, writes, company)
            await asyncio.gather(*(Caller(writer, kept).work(keys) for _ in range(CALLERS)))
            # From here on Omie is well: everything has to get its end soon.
            kept.write(json.dumps({"settled_after": await _settle(app)}) + "\n")
        for part in parts:
            await part.stop()
        await writes.close()
        await client.close()


async def _settle(app: App) -> float:
    """Wait until nothing is open; returns the seconds, each pause counted as long as it was meant.

    A machine that is busy with something else is late with our pauses and with the product's alike.
    """
    seconds = 0.0
    open_ones = "select count(*) from process_executions where status in ('running', 'uncertain')"
    while await app.db.pg_pool.fetchval(open_ones):
        await asyncio.sleep(_LOOK_SECONDS)
        seconds += _LOOK_SECONDS
    return seconds


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
