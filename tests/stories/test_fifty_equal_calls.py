"""Fifty equal writes at once under one key: one effect, and one answer for all."""

from __future__ import annotations

from tests.campaign.equal_calls import CALLERS, run
from tests.fixtures_omie import OmieServer

from omie_control.settings import Settings


async def test_a_few_rounds_have_one_effect_each_and_one_answer(installation: Settings, quick_omie: OmieServer) -> None:
    report = await run(installation, quick_omie, rounds=4)
    assert report.broken == [], str(report)
    assert report.answers == 4 * CALLERS
