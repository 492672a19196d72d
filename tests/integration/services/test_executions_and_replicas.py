"""A replica that lags: what is asked of one execution is told as it is, not as it was."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.conftest import Database, at_database, run_on
from tests.mcp_serving import settings_for

from omie_control.app import DatabaseManager, ProcessController
from omie_control.domain.executions import Status


@pytest.fixture
async def stale(postgres_server: str, template: Database) -> AsyncIterator[str]:
    """Give the address of a replica that has heard of nothing yet."""
    name = f"{template.name}_{secrets.token_hex(4)}"
    await run_on(postgres_server, f"create database {name} template {template.name}")
    yield at_database(template.app_url, name)
    await run_on(postgres_server, f"drop database {name} with (force)")


async def test_what_was_just_begun_is_found_ended_and_cancelled(
    database: Database, stale: str, valkey_url: str, tmp_path: Path
) -> None:
    settings = settings_for(database, valkey_url, tmp_path, database_read_url=SecretStr(stale))
    ours = ProcessController(DatabaseManager(settings))
    others = ProcessController(DatabaseManager(settings))
    try:
        first, second = [await ours.start_process("importar", {"n": n}) for n in (1, 2)]
        assert (await others.get_process(first)).status is Status.RUNNING
        await others.complete_process(first, success=True, response_data={"linhas": 1})
        assert (await ours.get_process(first)).status is Status.COMPLETED
        await ours.cancel_process(second, "manutenção")
        assert (await others.get_process(second)).status is Status.CANCELLED
    finally:
        await others.close()
        await ours.close()
