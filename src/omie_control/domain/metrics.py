"""Latency histograms that can be added up: 40 buckets, each 1.325 times as wide as the one before.

Counts of two minutes, processes or servers add up bucket by bucket, which percentiles do not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

BUCKET_COUNT = 40
_RATIO = 1.325
# Upper bounds in milliseconds; the last bucket takes everything above.
BUCKET_BOUNDS_MS: tuple[float, ...] = tuple(round(_RATIO**step, 3) for step in range(BUCKET_COUNT - 1))


def bucket_of(milliseconds: float) -> int:
    """Return the index (0 to 39) of the bucket that counts a duration."""
    return bisect_left(BUCKET_BOUNDS_MS, milliseconds)


def percentile(counts: Sequence[int], quantile: float) -> float | None:
    """Estimate a percentile in ms from bucket counts, interpolated inside its bucket; None when empty."""
    total = sum(counts)
    if total == 0:
        return None
    rank = quantile * total
    seen = 0
    for index, count in enumerate(counts):
        if count and seen + count >= rank:
            lower = BUCKET_BOUNDS_MS[index - 1] if index else 0.0
            upper = BUCKET_BOUNDS_MS[index] if index < len(BUCKET_BOUNDS_MS) else lower * _RATIO
            return lower + (upper - lower) * (rank - seen) / count
        seen += count
    return BUCKET_BOUNDS_MS[-1]
