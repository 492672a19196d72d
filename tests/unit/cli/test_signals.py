"""Which signals a command answers to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from omie_control.cli.signals import on_signals


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN], ids=["by itself", "under nohup"])
def hangup(request: pytest.FixtureRequest) -> Iterator[signal.Handlers]:
    """Set what a closed terminal means to this process; the tests themselves may run under `nohup`."""
    before = signal.signal(signal.SIGHUP, request.param)
    yield request.param
    signal.signal(signal.SIGHUP, before)


async def answered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    numbers: list[int] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", lambda number, *_: numbers.append(number))
    on_signals(lambda _: None)
    return numbers


async def test_a_closed_terminal_ends_a_command_but_under_nohup(
    monkeypatch: pytest.MonkeyPatch, hangup: signal.Handlers
) -> None:
    always = [signal.SIGINT, signal.SIGTERM]
    assert await answered(monkeypatch) == ([*always, signal.SIGHUP] if hangup is signal.SIG_DFL else always)
