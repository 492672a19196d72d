"""This process among the others: announced, alive by heartbeat, missed when it dies.

What a dead instance left running is ended by a rescue: reads as `timeout`, writes as `uncertain`.
"""

from __future__ import annotations

import asyncio
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
# Each command is a process; how long one is still of interest to whoever looks into what it left.
FORGOTTEN_AFTER = timedelta(days=30)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PIDS = Path("/proc/self/ns/pid")


class Instance:
    """One process of the installation. As often as its heart beats it also does what others asked (`on_beat`)."""

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
            process_started=started_at(psutil.Process()),
            version=__version__,
        )
        self._duties: list[Callable[[], Awaitable[object]]] = []

    def on_beat(self, duty: Callable[[], Awaitable[object]]) -> None:
        """Do this as often as the heart beats, beside it."""
        self._duties.append(duty)

    async def register(self) -> None:
        """Announce this process, and end what dead processes of this machine left running."""
        async with self._postgres.transaction() as tx:
            await store.register(tx, self._row)
        await self.rescue()

    async def beat(self) -> None:
        """Say that this process lives: nothing else, for whoever waits on the way is taken for dead."""
        async with self._postgres.transaction() as tx:
            if not await store.heartbeat(tx, self.id):
                await store.register(tx, self._row)

    async def attend(self) -> None:
        """Do the duties, each whatever becomes of the others; raises the first fault when all are through."""
        for outcome in await asyncio.gather(*(duty() for duty in self._duties), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

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

    async def forget(self) -> int:
        """Forget processes that are long gone and left nothing running; returns how many."""
        async with self._postgres.transaction() as tx:
            return await store.prune(tx, FORGOTTEN_AFTER)

    def _is_there(self, other: store.Instance) -> bool:
        """Judge a process of this machine; of one from another boot or container only its heartbeat can tell."""
        # Two machines may carry one name, and so may two containers: what we do not see may well be alive.
        return other.boot_id != self._row.boot_id or is_alive(other.pid, other.process_started)


def boot_id() -> str:
    """Name this boot of this machine and, in a container, whose numbers of processes are its own, the container."""
    try:
        return f"{_BOOT_ID.read_text(encoding='ascii').strip()}:{_PIDS.stat().st_ino}"
    except OSError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{psutil.boot_time():.0f}"))


def is_alive(pid: int, process_started: float) -> bool:
    """Say whether the very process still runs: the same number may belong to another program by now."""
    try:
        process = psutil.Process(pid)
        return abs(started_at(process) - process_started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def started_at(process: psutil.Process) -> float:
    """Return when a process started: the same for its whole life, though the machine's clock is set meanwhile."""
    # On Linux the start is kept as seconds since the boot, and the clock's time of the boot moves with the clock.
    return process.create_time() - psutil.boot_time() if psutil.LINUX else process.create_time()
