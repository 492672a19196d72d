"""Starts that wait a moment for their end: a quick read is written once, whole, by one insert and one commit.

Only of what changes nothing anywhere. Nothing leaves for Omie, and no answer is given, before the commit: whoever
needs the start on record asks for it, and what is still running after `HOLD_SECONDS` gets its row like any other.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from omie_control.errors import ControlError
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import FinishRow, StartRow, WholeRow

# An answer from the cache is ready long before; whoever looks at what runs now does not notice it.
HOLD_SECONDS = 0.05


class HeldStart:
    """One start, sent when its time is over, when it is asked for, or as a whole with its end."""

    def __init__(self, recorder: Recorder, row: StartRow) -> None:
        self._recorder = recorder
        self._row = row
        self._sent: asyncio.Future[Any] | None = None
        self._timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._send_quietly)

    async def committed(self) -> None:
        """Send it, if that was not done yet, and wait for the commit. Raises what the recorder says of it."""
        await asyncio.shield(self.send())

    def send(self) -> asyncio.Future[Any]:
        """Send it, if that was not done yet. Raises StorageDown or Overloaded when it cannot be queued."""
        if self._sent is None:
            self._timer.cancel()
            self._sent = self._recorder.submit_held_start(self._row)
            # Whether anybody waits for it or not.
            self._sent.add_done_callback(_heard)
        return self._sent

    def whole(self, end: FinishRow) -> asyncio.Future[bool] | None:
        """Send start and end as one row. None: the start is on its way already, or this end is none for good."""
        if self._sent is not None or not end.status.has_ended or end.calls:
            return None
        self._timer.cancel()
        self._sent = whole = self._recorder.submit_whole(WholeRow(self._row, end))
        return whole

    def _send_quietly(self) -> None:
        # Where there is no room now, the end brings both, or is told the same.
        with suppress(ControlError):
            self.send()


def _heard(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()
