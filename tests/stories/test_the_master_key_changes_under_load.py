"""A slice of the rotation campaign: nobody notices a change of the master key; two ways to do it wrong are caught."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.campaign.rotation import HONEST, SABOTEURS, campaign

# A campaign at a time: they want the machine.
pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("campaign")]
RATE = 40
_TRIES = 4


def short_home(folders: pytest.TempPathFactory) -> Path:
    # A socket's path has few letters.
    return folders.mktemp("r") / "h"


async def test_nobody_notices_that_the_master_key_changes(tmp_path_factory: pytest.TempPathFactory) -> None:
    report = await campaign(short_home(tmp_path_factory), RATE, 1, HONEST)
    assert report.is_clean, str(report)
    assert report.calls > RATE and report.opened > RATE, str(report)


@pytest.mark.parametrize("saboteur", SABOTEURS)
async def test_a_change_without_overlap_is_caught(tmp_path_factory: pytest.TempPathFactory, saboteur: str) -> None:
    reports = []
    # Chance says whether anybody seals something just then, between the change and their hearing of it.
    for _ in range(_TRIES):
        program = ("-m", "tests.campaign.rotation_saboteur", saboteur)
        reports.append(await campaign(short_home(tmp_path_factory), RATE, 1, program))
        if reports[-1].failed if saboteur == "late" else reports[-1].not_retired:
            return
    pytest.fail("\n".join(map(str, reports)))
