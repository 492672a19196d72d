"""Connections that ask where to go each time they connect, and questions put to several servers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import Connection, SSLConnection

from omie_control.valkey.address import Host

Locate = Callable[[], Awaitable[Host]]
T = TypeVar("T")

_asked: set[asyncio.Task[Any]] = set()


class Following(Connection):
    """Connects to wherever `locate` says at that moment."""

    def __init__(self, *, locate: Locate, **options: Any) -> None:
        super().__init__(**options)
        self._locate = locate

    async def _connect(self) -> None:
        self.host, self.port = await self._locate()
        await super()._connect()  # type: ignore[no-untyped-call]


class FollowingTls(Following, SSLConnection):
    """The same, encrypted."""


class FollowingPool(BlockingConnectionPool):
    """A pool of such connections."""

    # What locates may belong to the very client whose repr this is part of.
    OMIT_REPR_KEYS = BlockingConnectionPool.OMIT_REPR_KEYS | {"locate"}


async def ask_each(questions: Sequence[Coroutine[Any, Any, T | None]], *, enough: int, within: float) -> list[T]:
    """Ask all at once; return the answers as soon as `enough` came, everybody is through, or time is over.

    None is not an answer. Who answers late is heard by nobody; nobody waits for its end.
    """
    pending = {asyncio.create_task(question) for question in questions}
    _asked.update(pending)
    for task in pending:
        task.add_done_callback(_asked.discard)
    answers: list[T] = []
    deadline = asyncio.get_running_loop().time() + within
    try:
        while pending and len(answers) < enough:
            left = deadline - asyncio.get_running_loop().time()
            done, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            answers += [answer for task in done if (answer := task.result()) is not None]
    finally:
        for task in pending:
            task.cancel()
    return answers
