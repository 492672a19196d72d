"""Bringing a batch to its end: sent, settled when its answer is lost, and taken apart when a row of it is bad."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

from omie_control.errors import InvalidInput
from omie_control.postgres.batches import Batch, tables_for
from omie_control.postgres.faults import Foreign, is_clash, is_row_fault, leaves_doubt, one_line, sqlstate
from omie_control.postgres.health import StorageHealth
from omie_control.postgres.rows import FinishRow, Row, WholeRow, without_bodies
from omie_control.postgres.writer import Backend, Connect, Writer
from omie_control.telemetry import Event, tell

_FIRST_PAUSE_SECONDS = 0.05
_LAST_PAUSE_SECONDS = 2.0
_CHECK_VIOLATION = "23514"

REFUSED_BODY = "O banco de dados recusou o conteúdo da resposta; só o fim da execução foi gravado."


class Committer:
    """Holds the connection, renews it when it is lost, and commits one batch at a time, each exactly once."""

    def __init__(self, connect: Connect, health: StorageHealth) -> None:
        self._connect = connect
        self._health = health
        self._writer: Writer | None = None
        # When the current try began, on the loop's clock.
        self.tried_at = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that is not known to be lost."""
        return self._writer is not None

    async def open(self) -> None:
        """Connect for the first time. Raises what connecting raises."""
        self._writer = await Writer.open(self._connect)

    async def close(self) -> None:
        """Take leave of PostgreSQL."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None

    def hang_up(self) -> None:
        """Cut a connection that stays silent; whoever waits on it hears of it at once and dials anew."""
        if self._writer is not None:
            self._writer.terminate()

    async def commit(self, batch: Batch) -> list[Batch]:
        """Bring a batch to its end, whatever happens meanwhile: committed, or its bad rows with an error."""
        doubtful: Backend | None = None
        pause = 0.0
        while True:
            writer = None
            self.tried_at = asyncio.get_running_loop().time()
            try:
                writer = await self._connected()
                if doubtful is not None and await self._settle(writer, doubtful, batch):
                    return [batch]
                doubtful = None
                if pause:
                    batch.drop_unwanted()
                await self._send(writer, batch)
                return [batch]
            except Exception as exc:
                if writer is not None and doubtful is None and is_row_fault(exc):
                    if await self._made_partitions(writer, batch, exc):
                        continue
                    return await self._isolate(batch, exc)
                if writer is not None and doubtful is None and leaves_doubt(exc):
                    doubtful = writer.backend
                if not is_clash(exc):
                    self._disconnect(exc)
            pause = min(pause * 2 or _FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def _send(self, writer: Writer, batch: Batch) -> None:
        if len(batch):
            batch.note_ended(await writer.send(batch, tables_for(batch, datetime.now(UTC))))
        else:
            await writer.ping()
        self._committed(batch)

    def _committed(self, batch: Batch) -> None:
        self._health.back()
        tell(
            Event.BATCH_COMMITTED,
            starts=len(batch.starts),
            wholes=len(batch.wholes),
            finishes=len(batch.finishes),
            seconds=asyncio.get_running_loop().time() - self.tried_at,
        )

    async def _connected(self) -> Writer:
        if self._writer is None or self._writer.is_closed:
            self._writer = await Writer.open(self._connect)
        return self._writer

    def _disconnect(self, error: BaseException) -> None:
        self._health.lost(one_line(error))
        if self._writer is not None:
            self._writer.terminate()
            self._writer = None

    async def _settle(self, writer: Writer, lost: Backend, batch: Batch) -> bool:
        """Find out whether the batch that a lost backend had was committed."""
        await writer.outlive(lost)
        ended = await writer.was_committed(batch)
        tell(Event.BATCH_SETTLED, rows=len(batch), was_committed=ended is not None)
        if ended is None:
            return False
        batch.note_ended(ended)
        self._committed(batch)
        return True

    async def _made_partitions(self, writer: Writer, batch: Batch, error: Exception) -> bool:
        """Make this month's partitions when a batch found none; once a batch, since an id may be of any month."""
        # Every constraint of ours has a name: a check without one is a row that no partition takes.
        is_missing = sqlstate(error) == _CHECK_VIOLATION and not getattr(error, "constraint_name", None)
        if not is_missing or batch.has_made_partitions:
            return False
        batch.has_made_partitions = True
        with contextlib.suppress(*Foreign):
            await writer.make_partitions()
        return True

    async def _isolate(self, batch: Batch, error: Exception) -> list[Batch]:
        """Write the good rows of a batch that PostgreSQL refused; the bad one alone gets the error."""
        if len(batch) > 1:
            tell(Event.BATCH_SPLIT, rows=len(batch), reason=one_line(error))
            left, right = batch.halves()
            return await self.commit(left) + await self.commit(right)
        (waiting,) = batch
        tell(Event.ROW_REJECTED, execution_id=waiting.row.execution_id, reason=one_line(error))
        bare = _bare(waiting.row)
        if bare != waiting.row:
            waiting.row = bare
            return await self.commit(batch)
        waiting.error = InvalidInput(
            "O banco de dados recusou os dados desta execução.",
            hint="Confira os dados enviados; há um valor que não pode ser gravado.",
        )
        waiting.error.__cause__ = error
        return [batch]


def _bare(row: Row) -> Row:
    """Return the row without what came back: an end must always fit. What was asked is never left out."""
    if isinstance(row, FinishRow):
        return without_bodies(row, REFUSED_BODY)
    if isinstance(row, WholeRow):
        return row._replace(end=without_bodies(row.end, REFUSED_BODY))
    return row
