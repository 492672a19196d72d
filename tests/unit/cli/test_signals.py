"""Which signals a command answers to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from omie_control.cli.signals import on_signals


@pytest.fixture
def ignored_hangup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


async def answered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    numbers: list[int] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", lambda number, *_: numbers.append(number))
    on_signals(lambda _: None)
    return numbers


async def test_a_closed_terminal_ends_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await answered(monkeypatch) == [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


async def test_under_nohup_it_does_not(monkeypatch: pytest.MonkeyPatch, ignored_hangup: None) -> None:
    assert await answered(monkeypatch) == [signal.SIGINT, signal.SIGTERM]
