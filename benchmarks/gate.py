"""What a ticket costs: enter and leave of an empty gate, beside a bare PING of the same Valkey.

python -m benchmarks.gate [--rounds 1000]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import uvloop
from benchmarks.page import table
from benchmarks.servers import servers

from omie_control.domain.gate import Ask, Limits, Verdict
from omie_control.postgres.database import Postgres
from omie_control.postgres.gate import PostgresGate
from omie_control.services.gate import DoubleGate
from omie_control.valkey.connection import connect
from omie_control.valkey.gate import ValkeyGate

_PAUSE_SECONDS = 0.002


async def measure(database_url: str, valkey_url: str, rounds: int) -> dict[str, float]:
    """Return medians in µs."""
    limits = replace(Limits(), per_egress=10**6, per_method=10**6)
    postgres, redis = Postgres(database_url, timezone="America/Sao_Paulo"), connect(valkey_url)
    await postgres.open()
    gate = DoubleGate(ValkeyGate(redis, limits), PostgresGate(postgres, limits))
    # Equal calls of a run a moment ago would be refused.
    run = uuid4().hex
    pings, enters, leaves = [], [], []
    for number in range(rounds):
        ask = Ask("benchmark", "0" * 16, "geral/clientes/ListarClientes", False, f"{run}-{number}", "bench", "bench")
        began = time.perf_counter()
        await redis.ping()
        pinged = time.perf_counter()
        ticket = await gate.enter(ask)
        entered = time.perf_counter()
        await gate.leave(ticket, Verdict.DONE)
        left = time.perf_counter()
        pings.append(pinged - began)
        enters.append(entered - pinged)
        leaves.append(left - entered)
        # A call to Omie comes in between in life; here the book gets a moment to be written.
        await asyncio.sleep(_PAUSE_SECONDS)
    await gate.close()
    await redis.aclose()
    await postgres.close()
    medians = {"ping": pings, "enter": enters, "leave": leaves}
    return {name: round(statistics.median(values) * 1e6) for name, values in medians.items()}


def report(found: Mapping[str, float], rounds: int) -> str:
    """Write the section."""
    whole = found["enter"] + found["leave"]
    line = [f"{found[name]:,.0f} µs" for name in ("ping", "enter", "leave")] + [f"**{whole / found['ping']:.1f}**"]
    return "\n".join(
        [
            "## The gate before Omie",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.gate`: `enter` and `leave` of an empty "
            "gate, one round trip each, beside the client library's own PING of the same Valkey; medians of "
            f"{rounds:,} rounds.",
            "",
            table(["PING", "enter", "leave", "enter + leave, in PINGs"], [line]),
            "",
        ]
    )


async def bench(rounds: int) -> str:
    """Measure, and return the section."""
    async with servers() as at:
        return report(await measure(await at.database("gate"), at.valkey_url, rounds), rounds)


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_000)
    sys.stdout.write(uvloop.run(bench(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
