"""What a ticket costs: enter and leave of an empty gate, beside a bare PING of the same Valkey.

`python -m benchmarks.gate <address of a migrated PostgreSQL database> <address of a Valkey>`
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import replace
from uuid import uuid4

from omie_control.domain.gate import Ask, Limits, Verdict
from omie_control.postgres.database import Postgres
from omie_control.postgres.gate import PostgresGate
from omie_control.services.gate import DoubleGate
from omie_control.valkey.connection import connect
from omie_control.valkey.gate import ValkeyGate

_ROUNDS = 1_000
_PAUSE_SECONDS = 0.002


async def measure(database_url: str, valkey_url: str) -> dict[str, float]:
    """Return medians in µs."""
    limits = replace(Limits(), per_egress=10**6, per_method=10**6)
    postgres, redis = Postgres(database_url, timezone="America/Sao_Paulo"), connect(valkey_url)
    await postgres.open()
    gate = DoubleGate(ValkeyGate(redis, limits), PostgresGate(postgres, limits))
    # Equal calls of a run a moment ago would be refused.
    run = uuid4().hex
    pings, enters, leaves = [], [], []
    for number in range(_ROUNDS):
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


if __name__ == "__main__":
    found = asyncio.run(measure(sys.argv[1], sys.argv[2]))
    for name, microseconds in found.items():
        sys.stdout.write(f"{name:>6} {microseconds:>6.0f} µs\n")
    sys.stdout.write(f"enter and leave in PINGs: {(found['enter'] + found['leave']) / found['ping']:.1f}\n")
