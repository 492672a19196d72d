"""`process list --since`: an instant without a zone is one of the house, whatever zone the machine keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from omie_control.cli import process

# Nobody's machine keeps this one.
ZONE = ZoneInfo("Pacific/Chatham")


def test_an_instant_without_a_zone_is_one_of_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    async def listed(_: object, **filters: Any) -> SimpleNamespace:
        asked.update(filters)
        return SimpleNamespace(items=[], next=None)

    app = SimpleNamespace(executions=SimpleNamespace(list=listed), settings=SimpleNamespace(zone=ZONE))

    def with_app(verb: Callable[[Any], Awaitable[None]], **_: object) -> None:
        asyncio.run(verb(app))  # type: ignore[arg-type]

    monkeypatch.setattr(process, "with_app", with_app)
    done = CliRunner().invoke(process.commands, ["list", "--since", "2026-11-29T04:30:00"])
    assert done.exit_code == 0, done.output
    assert asked["since"] == datetime(2026, 11, 29, 4, 30, tzinfo=ZONE)
