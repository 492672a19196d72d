"""Whoever ends a command by a signal, at any moment and also twice, finds nothing running and nothing broken off."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.campaign.house import House
from tests.integration.embedded.homes import mentioning, until

pytestmark = pytest.mark.timeout(600)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """Let a closed terminal end what is started here, though the tests themselves may run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    with tempfile.TemporaryDirectory(prefix="octl-sig-") as folder:
        made = House(Path(folder) / "h")
        yield made
        made.end()


@contextmanager
def running(house: House, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the house, its input kept open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "omie_control", *words],
        env={**os.environ, "OMIE_CONTROL_HOME": str(house.home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def ended(process: subprocess.Popen[str]) -> int:
    """Wait for its end without closing its input, as a terminal or a client does that stays."""
    return await asyncio.to_thread(process.wait, 180)


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_start_that_is_ended_leaves_no_server(house: House, number: signal.Signals) -> None:
    with running(house, "up", "--port", "0") as up:
        await until(lambda: bool(house.servers()))
        up.send_signal(number)
        assert await ended(up) == 128 + number
        assert up.stderr is not None
        assert up.stderr.read() == ""
    assert not mentioning(house.home)


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_second_signal_breaks_no_closing_off(house: House, number: signal.Signals) -> None:
    await house.start()
    up = house.process
    up.send_signal(signal.SIGTERM)
    await until(lambda: "Encerrando" in house.screen.read_text(encoding="utf-8", errors="replace"))
    up.send_signal(number)
    assert await asyncio.to_thread(up.wait, 180) == 0
    assert "Encerrado" in house.screen.read_text(encoding="utf-8")
    assert not mentioning(house.home)


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_ends_an_agents_process_whose_input_stays_open(house: House, number: signal.Signals) -> None:
    with running(house, "mcp") as mcp:
        assert mcp.stdin is not None
        assert mcp.stdout is not None
        mcp.stdin.write(json.dumps(HELLO) + "\n")
        mcp.stdin.flush()
        assert "omie" in await asyncio.to_thread(mcp.stdout.readline)
        mcp.send_signal(number)
        assert await ended(mcp) == 0
    assert not mentioning(house.home)


async def test_a_short_command_that_is_ended_leaves_no_server(house: House) -> None:
    with running(house, "process", "tail") as tail:
        await until((house.home / "master.key").exists)
        tail.send_signal(signal.SIGTERM)
        assert await ended(tail) == 128 + signal.SIGTERM
    assert not mentioning(house.home)
