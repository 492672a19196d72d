"""A process that serves does not walk its own startup at every full collection: our server, and somebody else's."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import httpx2
from tests.conftest import Database
from tests.mcp_serving import settings_for

from omie_control import DatabaseManager, ProcessController
from omie_control.app import open_app
from omie_control.cli.ports import bind
from omie_control.cli.serve import run_http

FROZEN_BY_PYTHON = gc.get_freeze_count()


async def test_our_server_keeps_its_startup_while_it_answers(
    database: Database, valkey_url: str, tmp_path: Path
) -> None:
    """It is frozen while the port answers, and let go when the server has stopped."""
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
        serving = asyncio.create_task(run_http(app, listener))
        async with httpx2.AsyncClient(timeout=60) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/healthz")
        assert answer.status_code == 200
        assert gc.get_freeze_count() > FROZEN_BY_PYTHON + 10_000
        app.stopping.set()
        await serving
    assert gc.get_freeze_count() <= FROZEN_BY_PYTHON


async def test_a_server_under_our_lifespan_does_the_same(database: Database, valkey_url: str, tmp_path: Path) -> None:
    """`FastMCP(…, lifespan=controller.lifespan)` is all it takes."""
    controller = ProcessController(DatabaseManager(settings_for(database, valkey_url, tmp_path)))
    async with controller.lifespan():
        assert gc.get_freeze_count() > FROZEN_BY_PYTHON + 10_000
    assert gc.get_freeze_count() <= FROZEN_BY_PYTHON
