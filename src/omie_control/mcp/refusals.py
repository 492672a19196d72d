"""Refusals of callers without a name: counted all, told and recorded by sample, so that noise fills no table."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

_MINUTE = 60.0


class Sampler:
    """Lets the first few of each minute through and counts the rest."""

    def __init__(self, *, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._since = clock()
        self._taken = 0
        self.skipped = 0

    def takes(self) -> bool:
        """Say whether this one is told; the skipped ones since the last telling are in `skipped`."""
        now = self._clock()
        if now - self._since >= _MINUTE:
            self._since, self._taken = now, 0
        if self._taken >= self._per_minute:
            self.skipped += 1
            return False
        self._taken += 1
        return True

    def flush(self) -> int:
        """Return how many were skipped since the last flush, and count from nought again."""
        skipped, self.skipped = self.skipped, 0
        return skipped
