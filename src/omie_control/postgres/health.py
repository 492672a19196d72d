"""Whether PostgreSQL answers, since when not, and who is told about it."""

from __future__ import annotations

from datetime import UTC, datetime

from omie_control.telemetry import Event, tell


class StorageHealth:
    """One process's view of PostgreSQL: told once when it is lost, once when it is back."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._down_since: datetime | None = None

    @property
    def is_up(self) -> bool:
        """Whether the last thing heard of PostgreSQL was an answer."""
        return self._down_since is None

    @property
    def down_since(self) -> datetime | None:
        """Since when PostgreSQL is away; None while it answers."""
        return self._down_since

    def lost(self, reason: str) -> None:
        """Note that PostgreSQL does not answer; only the first note in a row is told."""
        if self._down_since is None:
            self._down_since = datetime.now(UTC)
            if not self._is_quiet:
                tell(Event.STORAGE_LOST, reason=reason)

    def back(self) -> None:
        """Note that PostgreSQL answered."""
        if self._down_since is not None:
            seconds = (datetime.now(UTC) - self._down_since).total_seconds()
            self._down_since = None
            if not self._is_quiet:
                tell(Event.STORAGE_BACK, after_seconds=round(seconds, 3))
