"""A slice of the rotation campaign: nobody notices a change of the master key; two ways to do it wrong are caught."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.campaign.rotation import HONEST, SABOTEURS, campaign

# A campaign at a time: they want the machine.
pytestmark = pytest.mark.xdist_group("campaign")
RATE = 40


@pytest.fixture
def short_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # A socket's path has few letters.
    return tmp_path_factory.mktemp("r") / "h"


async def test_nobody_notices_that_the_master_key_changes(short_home: Path) -> None:
    report = await campaign(short_home, RATE, 1, HONEST)
    assert report.is_clean, str(report)
    assert report.calls > RATE and report.opened > RATE, str(report)


@pytest.mark.parametrize("saboteur", SABOTEURS)
async def test_a_change_without_overlap_is_caught(short_home: Path, saboteur: str) -> None:
    report = await campaign(short_home, RATE, 1, ("-m", "tests.campaign.rotation_saboteur", saboteur))
    assert report.failed if saboteur == "late" else report.not_retired, str(report)
