"""How fast one token may go on: a bucket that fills evenly, so that a burst passes and a flood does not.

Counted in each process by itself; with several, a token may go on as many times as fast.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

PER_SECOND = 10.0
BURST = 120.0
_KNOWN_MAX = 4096


class Pace:
    """Takes one drop a request. `clock` in seconds."""

    def __init__(
        self, per_second: float = PER_SECOND, burst: float = BURST, clock: Callable[[], float] = monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        # By who asks: what is left, and as of when; whoever asked longest ago comes first.
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, who: Hashable) -> float:
        """Take a drop; return 0, or in how many seconds there will be one. A refusal takes none."""
        now = self._clock()
        left, at = self._left.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._left[who] = (left - 1 if wait == 0 else left, now)
        while len(self._left) > _KNOWN_MAX:
            self._left.popitem(last=False)
        return wait
