"""What the tests stand on: no module that they import has changed the limits for all of them."""

from __future__ import annotations

from omie_control.app import services as wiring
from omie_control.domain.gate import Limits


def test_an_app_opens_with_omies_own_limits() -> None:
    assert Limits() == wiring.LIMITS
    assert (wiring.LIMITS.per_egress, wiring.LIMITS.per_method, wiring.LIMITS.window_seconds) == (960, 240, 60.0)
