"""Spans of time as the operator writes them: 90d, 12h, 30m."""

from __future__ import annotations

import re
from datetime import timedelta

_SPAN = re.compile(r"([0-9]{1,4})\s*([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def read_span(text: str) -> timedelta | None:
    """Read a span of days, hours or minutes; None when it is none."""
    found = _SPAN.fullmatch(text.strip())
    return None if found is None else timedelta(**{_UNITS[found[2]]: int(found[1])})
