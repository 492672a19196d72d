"""This process among the others: announced, alive by heartbeat, missed when it dies.

What a dead instance left running is ended by a rescue: reads as `timeout`, writes as `uncertain`.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from time import time_ns
from uuid import UUID

import psutil

from omie_control import __version__
from omie_control.domain.executions import Change, uuid7
from omie_control.postgres import instances as store
from omie_control.postgres.database import Postgres
from omie_control.telemetry import Event, tell

# A process that was silent this long is dead for the others: ten heartbeats.
LOST_AFTER = timedelta(seconds=20)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Instance:
    """One process of the installation. Its heartbeat also does what others asked of it (`on_beat`)."""

    def __init__(
        self, postgres: Postgres, kind: str, on_rescue: Callable[[Sequence[Change]], None] | None = None
    ) -> None:
        self.id: UUID = uuid7(time_ns() // 1_000_000, os.urandom(10))
        self.kind = kind
        self._postgres = postgres
        self._on_rescue = on_rescue
        self._row = store.Instance(
            id=self.id,
            kind=kind,
            host=socket.gethostname(),
            boot_id=boot_id(),
            pid=os.getpid(),
            process_started=psutil.Process().create_time(),
            version=__version__,
        )
        self._duties: list[Callable[[], Awaitable[object]]] = []

    def on_beat(self, duty: Callable[[], Awaitable[object]]) -> None:
        """Do this at each heartbeat too."""
        self._duties.append(duty)

    async def register(self) -> None:
        """Announce this process, and end what dead processes of this machine left running."""
        async with self._postgres.transaction() as tx:
            await store.register(tx, self._row)
        await self.rescue()

    async def beat(self) -> None:
        """Say that this process lives, then do the duties."""
        async with self._postgres.transaction() as tx:
            if not await store.heartbeat(tx, self.id):
                await store.register(tx, self._row)
        for duty in self._duties:
            await duty()

    async def leave(self) -> None:
        """Say goodbye: nobody has to wait for this process's silence."""
        async with self._postgres.transaction() as tx:
            await store.stop(tx, self.id)

    async def rescue(self) -> int:
        """End the executions of dead instances; returns how many. Safe to run anywhere, any number of times."""
        total = some = await self._rescue_some()
        while some == store.RESCUED_AT_ONCE:
            some = await self._rescue_some()
            total += some
        return total

    async def _rescue_some(self) -> int:
        async with self._postgres.transaction() as tx:
            # Whoever rescues lives: after an outage nobody may be taken for dead before it could beat again.
            await store.heartbeat(tx, self.id)
            neighbours = await store.on_host(tx, self._row.host)
            gone = [each.id for each in neighbours if not self._is_there(each)]
            rescued = await store.rescue(tx, LOST_AFTER, gone=gone)
        if rescued:
            tell(Event.EXECUTIONS_RESCUED, count=len(rescued), execution_ids=[c.execution_id for c in rescued[:20]])
            if self._on_rescue is not None:
                self._on_rescue(rescued)
        return len(rescued)

    def _is_there(self, other: store.Instance) -> bool:
        """Judge a process of this machine; of one from another boot or container only its heartbeat can tell."""
        if other.boot_id != self._row.boot_id:
            return False
        return is_alive(other.pid, other.process_started)


def boot_id() -> str:
    """Name this boot of this machine; in a container, that of its host."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{psutil.boot_time():.0f}"))


def is_alive(pid: int, process_started: float) -> bool:
    """Say whether the very process still runs: the same number may belong to another program by now."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - process_started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
