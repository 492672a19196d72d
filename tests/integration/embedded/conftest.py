"""Homes of their own for the tests that kill servers; the session's servers are left in peace."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.embedded.homes import delete, kill_all, mentioning

from omie_control.embedded import EmbeddedServers
from omie_control.telemetry import Event, subscribe


@pytest.fixture
def own_home() -> Iterator[Path]:
    """Give a home that does not exist yet, under a folder that only we may enter."""
    closed = Path(tempfile.mkdtemp(prefix="octl-emb-"))
    yield closed / "home"
    kill_all(mentioning(closed))  # only a failed test leaves any
    delete(closed)


@pytest.fixture
async def make_servers(own_home: Path) -> AsyncIterator[Callable[..., EmbeddedServers]]:
    """Give a maker of users of `own_home`; all of them leave at the end."""
    made: list[EmbeddedServers] = []

    def make(**options: Any) -> EmbeddedServers:
        made.append(EmbeddedServers(own_home, **options))
        return made[-1]

    yield make
    for servers in made:
        await servers.stop()


@pytest.fixture
def told() -> Iterator[list[tuple[Event, dict[str, Any]]]]:
    """Give what was told since the test began."""
    heard: list[tuple[Event, dict[str, Any]]] = []
    end = subscribe(lambda event, facts: heard.append((event, facts)))
    yield heard
    end()
