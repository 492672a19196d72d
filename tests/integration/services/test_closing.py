"""Closing: whoever is in a hurry still leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from tests.conftest import Database
from tests.leaving import LeavingAt
from tests.mcp_serving import settings_for

from omie_control.app import ProcessController
from omie_control.app.database import DatabaseManager


async def test_a_close_that_is_cancelled_still_writes_says_goodbye_and_lets_go(
    database: Database, valkey_url: str, tmp_path: Path, conn: asyncpg.Connection
) -> None:
    for wait in range(1, 4):
        controller = ProcessController(DatabaseManager(settings_for(database, valkey_url, tmp_path)))
        await controller.ready()
        closing = LeavingAt(controller.close(), wait)
        await asyncio.wait([asyncio.ensure_future(closing)])
        assert closing.has_left
        assert not controller.db.is_open
        assert await conn.fetchval("select count(*) from instances where stopped_at is null") == 0
