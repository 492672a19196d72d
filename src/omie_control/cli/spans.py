"""Spans of time and instants as the operator writes them: 90d, 12h, 30m; 2026-11-29T04:30:00."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_SPAN = re.compile(r"([0-9]{1,4})\s*([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def read_span(text: str) -> timedelta | None:
    """Read a span of days, hours or minutes; None when it is none."""
    found = _SPAN.fullmatch(text.strip())
    return None if found is None else timedelta(**{_UNITS[found[2]]: int(found[1])})


def in_zone(given: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Read an instant without a zone in that of the house, which dates whatever our commands print."""
    return given.replace(tzinfo=zone) if given is not None and given.tzinfo is None else given
