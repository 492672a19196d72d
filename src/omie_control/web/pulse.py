"""The last hour as the live page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from omie_control.services.pulse import Beat
from omie_control.web.charts import Bar, bars


@dataclass(frozen=True, slots=True)
class PulseView:
    """Figures and bars; `success_rate` in per cent, None while nothing ended."""

    last_minute: int
    last_hour: int
    failed_last_hour: int
    success_rate: float | None
    peak: int
    bars: list[Bar]
    process_types: tuple[str, ...]


def view(beat: Beat) -> PulseView:
    """Shape the last hour. The last whole minute and the current one count as the last minute."""
    total = beat.total
    return PulseView(
        last_minute=max(minute.total for minute in beat.minutes[-2:]),
        last_hour=total,
        failed_last_hour=beat.failed,
        success_rate=round(100 * (total - beat.failed) / total, 1) if total else None,
        peak=max(minute.total for minute in beat.minutes),
        bars=bars(beat.minutes) if total else [],
        process_types=beat.process_types,
    )
