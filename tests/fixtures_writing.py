"""An installation that writes, for tests: `quick_omie` lives sixty times as fast, `house` is one process beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.conftest import Database
from tests.fixtures_omie import OmieServer, start_omie
from tests.writing import WritingHouse, writing_house

from omie_control.settings import Settings


@pytest.fixture
async def quick_omie() -> AsyncIterator[OmieServer]:
    """Give a simulated Omie with its own limits, whose minute lasts a second."""
    async with start_omie(time_scale=60.0, latency_ms=(5.0, 20.0)) as server:
        yield server


@pytest.fixture
def installation(database: Database, valkey_url: str, quick_omie: OmieServer, tmp_path: Path) -> Settings:
    """Give the settings of an installation on this test's database."""
    return Settings(
        home=tmp_path,
        database_url=SecretStr(database.app_url),
        database_owner_url=SecretStr(database.owner_url),
        valkey_url=SecretStr(valkey_url),
        omie_base_url=quick_omie.base_url,
    )


@pytest.fixture
async def writing(installation: Settings, quick_omie: OmieServer) -> AsyncIterator[WritingHouse]:
    """Give one process of this installation that writes."""
    async with writing_house(installation, quick_omie) as opened:
        yield opened
