"""Noise is told by sample and counted whole."""

from __future__ import annotations

from omie_control.mcp.refusals import Sampler


def test_the_first_of_each_minute_are_told_and_the_rest_counted() -> None:
    now = [0.0]
    sampler = Sampler(per_minute=2, clock=lambda: now[0])
    assert [sampler.takes() for _ in range(5)] == [True, True, False, False, False]
    now[0] = 61.0
    assert sampler.takes()
    assert sampler.flush() == 3
    assert sampler.flush() == 0
