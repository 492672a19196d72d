"""One running system for all stories of tools; a new company for each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client
from tests.conftest import TIMEZONE, Database, at_database, run_on
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import settings_for
from tests.stories.conftest import patient
from tests.titles_held import BRASILIA
from tests.tool_stories import House

from omie_control.app import App, open_app
from omie_control.app import services as wiring
from omie_control.domain.actors import LIBRARY, Actor, ActorKind, Role
from omie_control.mcp.server import build_server
from omie_control.simulator.rules import Limits
from omie_control.simulator.seed import DEMO_COMPANIES, found

_AGENT = Actor(ActorKind.STDIO, "historias", Role.AGENT, may_write=True)
_keys = count(8_880_000_000_001)
_LONGEST_STORY_SECONDS = 100


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every story of this folder in the loop in which the system runs."""
    here = Path(__file__).parent
    for item in items:
        # Other rooms have a house of their own, and this hook is shown every test there is.
        if item.path.is_relative_to(here) and "house" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass(frozen=True)
class Running:
    """The system that all stories share."""

    app: App
    client: Client[Any]
    omie: OmieServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    postgres_server: str, template: Database, shared_valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    name = f"{template.name}_{secrets.token_hex(4)}"
    await run_on(
        postgres_server,
        f"create database {name} template {template.name}",
        f"alter database {name} set timezone = '{TIMEZONE}'",
    )
    database = replace(
        template,
        name=name,
        owner_url=at_database(template.owner_url, name),
        app_url=at_database(template.app_url, name),
        reader_url=at_database(template.reader_url, name),
    )
    home = tmp_path_factory.mktemp("home")
    # Hundreds of stories share one address: its own limit is another test's matter.
    async with start_omie(limits=Limits(per_ip=100_000)) as omie:
        settings = settings_for(database, shared_valkey_url, home, omie_base_url=omie.base_url)
        async with AsyncExitStack() as opened:
            with pytest.MonkeyPatch.context() as patch:
                patient(patch)
                patch.setattr(wiring, "LIMITS", replace(wiring.LIMITS, per_egress=100_000))
                app = await opened.enter_async_context(open_app(settings, kind="serve"))
            client = await opened.enter_async_context(Client(build_server(app, stdio_actor=_AGENT)))
            yield Running(app, client, omie)
    await run_on(postgres_server, f"drop database {name} with (force)")


async def _until_the_day_lasts() -> None:
    """Wait for midnight when it is near: what is due, late or of this month is asked of one and the same day."""
    now = datetime.now(BRASILIA)
    left = (now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - now).total_seconds()
    if left < _LONGEST_STORY_SECONDS:
        await asyncio.sleep(left + 0.1)


@pytest_asyncio.fixture(loop_scope="session")
async def house(running: Running) -> AsyncIterator[House]:
    """Give a company with the demo's records, connected, that nobody else uses."""
    await _until_the_day_lasts()
    key = str(next(_keys))
    demo = replace(DEMO_COMPANIES[0], slug=f"casa-{key[-6:]}", app_key=key)
    simulator = running.omie.simulator
    [company] = found([demo], 1, simulator.clock.now())
    simulator.companies[key] = company
    await running.app.companies.add(LIBRARY, demo.slug, demo.name, demo.app_key, demo.app_secret)
    yield House(running.client, running.omie, demo.slug, key)
    simulator.faults.clear()
    del simulator.companies[key]
