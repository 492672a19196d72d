"""One process that records: `python -m tests.campaign.tampering_writer <address> <home> <records> <seed>`."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from tests.conftest import Database
from tests.sealing import books

from omie_control.domain.executions import Status

_ENDS = [Status.COMPLETED] * 6 + [Status.FAILED, Status.TIMEOUT, Status.CANCELLED, Status.UNCERTAIN]


async def write(address: str, home: Path, records: int, seed: int) -> None:
    """Record executions of all ends, some uncertain ones settled later, and an event after every other."""
    dice = random.Random(seed)
    async with books(Database("", address, address, address), home) as house:
        for _ in range(records):
            status = dice.choice(_ENDS)
            end = await house.run(status)
            if status is Status.UNCERTAIN and dice.random() < 0.5:
                assert await house.recorder.finish(end._replace(status=Status.COMPLETED))
            if dice.random() < 0.5:
                await house.happen(dice.choice(["thing.changed", "thing.added"]))
            await asyncio.sleep(dice.random() * 0.02)


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
