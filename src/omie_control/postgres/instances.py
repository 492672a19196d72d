"""Processes as rows: who lives, by PostgreSQL's clock, and the rescue of what the dead left running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from omie_control.domain.executions import Change
from omie_control.domain.metrics import BUCKET_BOUNDS_MS
from omie_control.postgres.executions import change
from omie_control.postgres.queries import Connection, queries

_sql = queries("instances")
RESCUED_AT_ONCE = 500

_LOST_READ = (
    "O processo que executava esta consulta parou antes de terminar. Nada mudou no Omie: "
    "chame de novo se ainda precisar."
)
_LOST_WRITE = (
    "O processo que executava esta escrita parou antes de registrar o resultado; não se sabe se o Omie a executou. "
    "Não repita a chamada: consulte o registro no Omie e só então decida."
)


@dataclass(frozen=True, slots=True)
class Instance:
    """A process of this system. Together, boot_id, pid and process_started tell it from any later one."""

    id: UUID
    kind: str
    host: str
    boot_id: str
    pid: int
    process_started: float
    version: str
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None


async def register(connection: Connection, instance: Instance) -> None:
    """Announce a process; again after it was pruned."""
    await _sql.register.run(
        connection,
        id=instance.id,
        kind=instance.kind,
        host=instance.host,
        boot_id=instance.boot_id,
        pid=instance.pid,
        process_started=instance.process_started,
        version=instance.version,
    )


async def heartbeat(connection: Connection, id: UUID) -> bool:
    """Say that a process lives. False: it has to register again."""
    return await _sql.heartbeat.one(connection, id=id) is not None


async def stop(connection: Connection, id: UUID) -> None:
    """Note that a process left by itself; what it still has running is rescued from now on."""
    await _sql.stop.run(connection, id=id)


async def alive(connection: Connection, lost_after: timedelta) -> list[Instance]:
    """Return the processes whose heartbeat is younger than `lost_after`, oldest first."""
    return [Instance(**row) for row in await _sql.alive.fetch(connection, lost_after=lost_after)]


async def on_host(connection: Connection, host: str) -> list[Instance]:
    """Return the processes of a machine that never said goodbye, for its own to see which of them still live."""
    return [Instance(**row) for row in await _sql.on_host.fetch(connection, host=host)]


async def rescue(
    connection: Connection, lost_after: timedelta, *, gone: Sequence[UUID] = (), limit: int = RESCUED_AT_ONCE
) -> list[Change]:
    """End up to `limit` executions of dead processes: reads as `timeout`, writes as `uncertain` with an alert.

    Dead: silent longer than `lost_after`, stopped, or among `gone`. Call again while `limit` come back. Two
    rescuers at once share the work; a row that its process ended meanwhile is left as it is.
    """
    rows = await _sql.rescue.fetch(
        connection,
        lost_after=lost_after,
        gone=gone,
        limit=limit,
        read_message=_LOST_READ,
        write_message=_LOST_WRITE,
        bounds=BUCKET_BOUNDS_MS,
    )
    return [change(row) for row in rows]


async def prune(connection: Connection, older_than: timedelta) -> int:
    """Forget processes that are gone since `older_than` and left nothing running; returns how many."""
    return await _sql.prune.run(connection, older_than=older_than)
