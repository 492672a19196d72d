"""From nothing to the first recorded call: `omie-control up` on an empty home, a real client, the row committed.

`python -m benchmarks.first_call [--rounds 5]`. The virtual environment is warm: nothing is installed meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from tests.campaign.house import House

GOAL_SECONDS = 6.0


async def once(folder: Path) -> tuple[float, float]:
    """Return the seconds of a first start to its first recorded call, and of the second start on the same home."""
    house = House(folder / "h")
    try:
        first = await _until_recorded(house)
        await house.stop()
        second = await _until_recorded(house)
        await house.stop()
    finally:
        house.end()
    return first, second


async def _until_recorded(house: House) -> float:
    began = time.perf_counter()
    await house.start()
    transport = StreamableHttpTransport(house.url, headers={"Authorization": f"Bearer {house.token}"})
    async with Client(transport) as client:
        result = await client.call_tool("estado_do_sistema", {})
    took = time.perf_counter() - began
    assert result.meta["execution_id"]
    return took


def report(rounds: int) -> str:
    """Run the rounds and write the table."""
    samples = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="octl-") as folder:
            samples.append(asyncio.run(once(Path(folder))))
    lines = [
        "## From nothing to the first recorded call",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.first_call`: {rounds} rounds of "
        "`omie-control up`, a real client, its row committed; the virtual environment is warm.",
        "",
        "| start | median | min–max | goal |",
        "|---|---|---|---|",
    ]
    for name, times in zip(("empty home", "second, same home"), zip(*samples, strict=True), strict=True):
        goal = f"≤ {GOAL_SECONDS:.0f} s" if name == "empty home" else "seconds"
        lines.append(f"| {name} | {statistics.median(times):.1f} s | {min(times):.1f}–{max(times):.1f} s | {goal} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    sys.stdout.write(report(parser.parse_args().rounds) + "\n")
