"""A slice of the campaign of bodies; `python -m tests.campaign.bodies` runs a million."""

from __future__ import annotations

import pytest
from tests.campaign import bodies


def test_no_body_crashes_the_protocol() -> None:
    report = bodies.run(3_000, seed=20_261_123)
    assert report.crashes == [], str(report)
    assert {"Payload", "OmieFault", "OmieBusy", "OmieUnreachable", "Uncertain"} <= report.ended.keys()


def test_a_crash_is_told_with_what_brings_it_about(monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(*given: object) -> None:
        raise KeyError("pagina")

    monkeypatch.setattr(bodies, "decipher", crashing)
    report = bodies.run(20, seed=7)
    assert len(report.crashes) + report.ended["BodyUnreadable"] == 20
    assert "seed 7: KeyError" in report.crashes[0]
