"""A replica that lags: what is decided by, and what is asked of one execution, is as it is and not as it was."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.conftest import Database, at_database, eventually, run_on
from tests.mcp_serving import settings_for

from omie_control.app import DatabaseManager, ProcessController
from omie_control.domain.actors import LIBRARY
from omie_control.domain.configuration import CACHE_ENABLED
from omie_control.domain.executions import Status


@pytest.fixture
async def stale(postgres_server: str, template: Database) -> AsyncIterator[str]:
    """Give the address of a replica that has heard of nothing yet."""
    name = f"{template.name}_{secrets.token_hex(4)}"
    await run_on(postgres_server, f"create database {name} template {template.name}")
    yield at_database(template.app_url, name)
    await run_on(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
async def pair(
    database: Database, stale: str, valkey_url: str, tmp_path: Path
) -> AsyncIterator[tuple[ProcessController, ProcessController]]:
    """Give two processes' controllers that read there."""
    settings = settings_for(database, valkey_url, tmp_path, database_read_url=SecretStr(stale))
    made = ProcessController(DatabaseManager(settings)), ProcessController(DatabaseManager(settings))
    yield made
    for controller in made:
        await controller.close()


async def test_what_was_just_begun_is_found_ended_and_cancelled(
    pair: tuple[ProcessController, ProcessController],
) -> None:
    ours, others = pair
    first, second = [await ours.start_process("importar", {"n": n}) for n in (1, 2)]
    assert (await others.get_process(first)).status is Status.RUNNING
    await others.complete_process(first, success=True, response_data={"linhas": 1})
    assert (await ours.get_process(first)).status is Status.COMPLETED
    await ours.cancel_process(second, "manutenção")
    assert (await others.get_process(second)).status is Status.CANCELLED


async def test_a_new_key_a_configuration_and_an_errand_are_known_to_the_other_process(
    pair: tuple[ProcessController, ProcessController],
) -> None:
    ours, others = [await controller.ready() for controller in pair]
    await ours.configurations.set(LIBRARY, CACHE_ENABLED.name, False)
    rotated = await ours.key_rotation.rotate(LIBRARY)
    errand, _ = await ours.errands.open(LIBRARY, "fechar o mês", company=None, session="s1")

    async def knows() -> bool:
        return not others.live_configuration.get(CACHE_ENABLED) and others.keys.master.key_id == rotated.after

    await eventually(knows)
    assert (await others.errands.joined(LIBRARY, errand.name)).name == errand.name
    assert await others.errands.current(LIBRARY, "s1") == errand
