"""Charts as geometry: plain numbers that a template writes as SVG attributes. No script, no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from omie_control.domain.executions import Call, Execution
from omie_control.services.pulse import Minute

CHART_WIDTH = 720
CHART_HEIGHT = 96
_GAP = 3
_MIN_BAR = 0.4


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute as two stacked rectangles; heights and tops in chart units, from above."""

    minute: Minute
    x: float
    width: float
    ok_y: float
    ok_height: float
    bad_y: float
    bad_height: float


def bars(minutes: Sequence[Minute]) -> list[Bar]:
    """Stack the minutes as bars, the tallest as high as the chart."""
    if not minutes:
        return []
    step = CHART_WIDTH / len(minutes)
    top = max(1, *(minute.total for minute in minutes))
    made = []
    for index, minute in enumerate(minutes):
        ok, bad = (CHART_HEIGHT * count / top for count in (minute.succeeded, minute.failed))
        made.append(
            Bar(
                minute=minute,
                x=round(index * step + _GAP / 2, 2),
                width=round(step - _GAP, 2),
                ok_y=round(CHART_HEIGHT - ok, 2),
                ok_height=round(ok, 2),
                bad_y=round(CHART_HEIGHT - ok - bad, 2),
                bad_height=round(bad, 2),
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class Span:
    """One bar of a timeline: where it begins and how wide it is, in per cent of the whole."""

    left: float
    width: float
    start_ms: int
    duration_ms: int
    call: Call


@dataclass(frozen=True, slots=True)
class Timeline:
    """An execution from its start to its end (or to now), and the calls inside it; `own_width` in per cent."""

    total_ms: int
    own_ms: int
    own_width: float
    spans: tuple[Span, ...]


def timeline(execution: Execution, now: datetime) -> Timeline:
    """Lay the calls of an execution over its duration."""
    start = execution.started_at
    end = execution.completed_at or now
    for call in execution.calls:
        end = max(end, call.at + timedelta(milliseconds=call.response_time_ms))
    total = max(1, round((end - start).total_seconds() * 1000))
    own = execution.duration_ms if execution.duration_ms is not None else total
    width = round(max(_MIN_BAR, min(100, 100 * own / total)), 2)
    return Timeline(total, own, width, tuple(_span(call, start, total) for call in execution.calls))


def _span(call: Call, start: datetime, total_ms: int) -> Span:
    offset = max(0, round((call.at - start).total_seconds() * 1000))
    left = min(100 - _MIN_BAR, 100 * offset / total_ms)
    width = max(_MIN_BAR, min(100 - left, 100 * call.response_time_ms / total_ms))
    return Span(round(left, 2), round(width, 2), offset, call.response_time_ms, call)
