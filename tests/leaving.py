"""Callers who leave: a coroutine whose task is cancelled in the very moment of its n-th wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LeavingAt(Generic[T]):
    """Runs a coroutine, and cancels its task in the very moment of its n-th wait."""

    def __init__(self, work: Coroutine[Any, Any, T], wait: int) -> None:
        self._work = work
        self._wait = wait

    def __await__(self) -> Generator[Any, Any, T]:
        """Pass every wait on, as `await` would."""
        sent: Any = None
        raised: BaseException | None = None
        while True:
            try:
                waited_for = self._work.send(sent) if raised is None else self._work.throw(raised)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            raised = None
            self._wait -= 1
            if self._wait == 0:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                sent = yield waited_for
            except BaseException as error:
                raised = error

    @property
    def has_left(self) -> bool:
        """Say whether the wait was ever reached."""
        return self._wait <= 0
