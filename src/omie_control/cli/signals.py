"""The signals that ask a command to end: Ctrl-C, `kill`, a terminal that was closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndedBySignal(Exception):
    """A signal came before the command had done its work; all that it had opened is closed."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def on_signals(end: Callable[[int], None]) -> None:
    """Call `end` at each such signal from now until the loop closes, instead of whatever was called before.

    The closing that a signal begins is in this span as well: the system's own answer to one more would be to
    break it off, with servers left behind and calls not written down.
    """
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        # Under `nohup` the end of the terminal is to mean nothing.
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, end, int(number))


async def until_signalled(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; the first signal cancels it, once, so that its way out is walked to the end.

    Work that knows a better end names it by `on_signals`. Raises EndedBySignal.
    """
    task, came = asyncio.current_task(), list[int]()

    def end(number: int) -> None:
        came.append(number)
        if task is not None and len(came) == 1:
            task.cancel()

    on_signals(end)
    try:
        return await work
    except asyncio.CancelledError:
        if not came:
            raise
        raise EndedBySignal(came[0]) from None
