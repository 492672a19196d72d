"""How fast one token may go on."""

from __future__ import annotations

from omie_control.services.pace import Pace


class Clock:
    """A time that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_what_follows_waits_for_its_drop() -> None:
    clock = Clock()
    pace = Pace(lambda: 2, 1.5, clock)
    assert [pace.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    # Asking again costs nothing and brings nothing nearer.
    assert pace.take("a") == 0.5
    assert pace.take("b") == 0
    clock.now += 0.5
    assert [pace.take("a"), pace.take("a")] == [0, 0.5]


def test_a_long_rest_fills_the_bucket_and_no_more() -> None:
    clock = Clock()
    pace = Pace(lambda: 1, 2, clock)
    pace.take("a")
    clock.now += 3600
    assert [pace.take("a") for _ in range(3)] == [0, 0, 1]


def test_only_so_many_are_remembered() -> None:
    pace = Pace(lambda: 1, 1, Clock())
    for who in range(5_000):
        pace.take(who)
    assert len(pace._left) == 4096
    assert pace.take(4_999) == 1


def test_another_pace_is_followed_at_once() -> None:
    clock, wanted = Clock(), [1.0]
    pace = Pace(lambda: wanted[0], 2, clock)
    assert [pace.take("a") for _ in range(3)] == [0, 0, 1]
    wanted[0] = 4.0
    assert pace.take("a") == 0.25
    clock.now += 3600
    assert [pace.take("a") for _ in range(9)] == [0] * 8 + [0.25]
