"""The servers that are set against each other do what the page says of them: nothing, plain rows, or our record."""

from __future__ import annotations

import asyncpg
import pytest
from benchmarks.mcp_overhead import CONTESTANTS, SETTINGS, Contestant, contestants, in_turns, report
from benchmarks.mcp_server import CONTROLLED, KINDS, ONE_INSERT, ONLY_READS, TWO_INSERTS
from benchmarks.servers import Servers, servers
from tests.conftest import at_database

# Two servers and five contestants take a minute to start, and several on a busy machine.
pytestmark = pytest.mark.timeout(900)


async def _count(at: Servers, database: str, table: str) -> int:
    (name,) = (made for made in at.made if made.endswith(database))
    connection = await asyncpg.connect(at_database(at.owner_url, name))
    found: int = await connection.fetchval(f"select count(*) from {table}")
    await connection.close()
    return found


async def _rows_of(at: Servers, running: dict[str, Contestant], kind: str) -> int:
    before = await _count(at, "_mcp_floor", "mcp_floor")
    assert await running[kind].run(SETTINGS[0], 0.2, ONLY_READS) > 0
    return await _count(at, "_mcp_floor", "mcp_floor") - before


async def test_every_contestant_answers_and_leaves_the_rows_that_it_should() -> None:
    async with servers() as at, contestants(at) as running:
        assert set(running) == set(KINDS)
        assert await _rows_of(at, running, "bare") == 0
        assert await _rows_of(at, running, ONE_INSERT) > 0
        assert await _rows_of(at, running, TWO_INSERTS) % 2 == 0
        assert await _count(at, "_mcp", "process_executions") == 0
        await running[CONTROLLED].run(SETTINGS[0], 0.2, ONLY_READS)
        assert await _count(at, "_mcp", "process_executions where status = 'completed'") > 0
        rates = await in_turns(running, 1, 0.1)
    page = report(rates, 1, 0.1)
    assert all(f"| {setting.name} | {name} |" in page for setting in SETTINGS for name in CONTESTANTS)
