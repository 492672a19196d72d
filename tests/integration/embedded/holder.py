"""A process of ours that uses a home: `python holder.py <home>` prints the addresses and stays until SIGINT.

At SIGINT it still writes a row, as the product flushes what waits, says `flushed`, and leaves.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import asyncpg

from omie_control.embedded import EmbeddedServers


async def main(home: Path) -> None:
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, leave.set)
    servers = EmbeddedServers(home)
    endpoints = await servers.start()
    print(json.dumps(asdict(endpoints)), flush=True)
    await leave.wait()
    connection = await asyncpg.connect(endpoints.owner_url)
    await connection.execute("create table if not exists flushed (at timestamptz default now())")
    await connection.execute("insert into flushed default values")
    await connection.close()
    print("flushed", flush=True)
    await servers.stop()


asyncio.run(main(Path(sys.argv[1])))
