"""Whoever is killed, and whenever: nothing that was acknowledged is lost, and nothing stays `running`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.campaign.__main__ import SABOTEUR
from tests.campaign.kills import run

pytestmark = [pytest.mark.timeout(1800), pytest.mark.xdist_group("campaign")]


@pytest.fixture
def short_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("k") / "h"


async def test_twenty_kills_under_load_lose_nothing(short_home: Path) -> None:
    report = await run(short_home, cycles=20, seed=20)
    assert report.broken == [], str(report)
    assert all(report.kills.values()), str(report)


async def test_a_build_that_answers_before_the_commit_is_caught(short_home: Path) -> None:
    report = await run(short_home, cycles=4, seed=7, program=SABOTEUR)
    assert report.broken, str(report)
