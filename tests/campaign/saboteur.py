"""A build that lies: callers are answered before their end is committed. The campaign has to catch it."""

from __future__ import annotations

import asyncio

from tests.campaign.quick import run

from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import FinishRow

_honest = Recorder.submit_finish
# Long enough that whoever kills comes in time, on a busy machine too.
_LATER_SECONDS = 2.0


def _early(self: Recorder, row: FinishRow) -> asyncio.Future[bool]:
    """Say "done" at once and write a little later, as a cache that is flushed now and then would."""
    loop = asyncio.get_running_loop()
    loop.call_later(_LATER_SECONDS, lambda: _honest(self, row))
    said: asyncio.Future[bool] = loop.create_future()
    said.set_result(True)
    return said


Recorder.submit_finish = _early  # type: ignore[method-assign]
run()
