"""Group commit: rows that wait together are written by one statement in one commit, on one connection.

`start` and `finish` return after the commit of their row. While PostgreSQL works on a batch, the callers of
the batch before it mask and seal their next rows. A lost answer is settled by looking, never by guessing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from time import process_time
from typing import Any
from uuid import UUID

from omie_control.domain.executions import Change, Status
from omie_control.errors import Overloaded, StorageDown
from omie_control.postgres.batches import Batch, Waiting, size_of
from omie_control.postgres.committer import Committer
from omie_control.postgres.health import StorageHealth
from omie_control.postgres.rows import FinishRow, Row, StartRow, WholeRow, clean
from omie_control.postgres.writer import Connect
from omie_control.telemetry import Event, tell

MAX_ROWS = 20_000
MAX_BYTES = 256 * 1024 * 1024
PATIENCE_SECONDS = 5.0

_BATCH_ROWS = 128
_BATCH_BYTES = 4 * 1024 * 1024
_ANSWERS_AT_ONCE = 32
# Of a processor: a process that gets more is held up by its own work, one that gets less by PostgreSQL or by others.
_BUSY_SHARE = 0.45
_WATCH_SECONDS = 0.1
_STALL_SECONDS = 30.0
_DRAIN_SECONDS = 10.0

_ABANDONED = "Quem chamou desistiu antes de o início ser gravado; nada foi enviado ao Omie."


class Recorder:
    """The one writer of executions in a process. Bounded in rows and bytes; over that it says Overloaded.

    Starts are turned away at half of the bounds, so that whatever has started finds room for its end.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        health: StorageHealth | None = None,
        on_commit: Callable[[Sequence[Change]], None] | None = None,
        max_rows: int = MAX_ROWS,
        max_bytes: int = MAX_BYTES,
        patience_seconds: float = PATIENCE_SECONDS,
        stall_seconds: float = _STALL_SECONDS,
        drain_seconds: float = _DRAIN_SECONDS,
    ) -> None:
        self._health = health if health is not None else StorageHealth()
        self._committer = Committer(connect, self._health)
        self._on_commit = on_commit
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._patience = patience_seconds
        self._stall = stall_seconds
        self._drain = drain_seconds
        self._queue: deque[Waiting] = deque()
        self._writing: list[Waiting] = []
        self._committing: asyncio.Task[list[Batch]] | None = None
        # Committed, and its callers not all answered yet.
        self._answers: deque[Batch] = deque()
        # Whether to work on the next rows while PostgreSQL works on some; else they go together.
        self._overlaps = True
        self._rows = 0
        self._bytes = 0
        self._sleeper: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closing = True
        self._must_probe = False

    @property
    def depth(self) -> int:
        """How many rows wait for their commit."""
        return self._rows

    @property
    def health(self) -> StorageHealth:
        """Whether PostgreSQL answers this recorder."""
        return self._health

    @property
    def is_connecting(self) -> bool:
        """Whether the connection was lost and is not there again yet."""
        return not self._committer.is_connected

    async def open(self) -> None:
        """Connect and begin to write. Raises what connecting raises."""
        self._loop = asyncio.get_running_loop()
        await self._committer.open()
        self._is_closing = False
        self._tasks = [
            asyncio.create_task(self._run(), name="recorder"),
            asyncio.create_task(self._watch(), name="recorder.watch"),
        ]

    async def close(self) -> None:
        """Write what waits, for at most `drain_seconds`, then leave."""
        if not self._tasks:
            return
        self._is_closing = True
        self._wake()
        running, watching = self._tasks
        await asyncio.wait([running], timeout=self._drain)
        while not (running.done() and watching.done()):
            # Python 3.11 may swallow a cancellation that meets a result: ask until both end.
            for task in filter(None, (running, watching, self._committing)):
                task.cancel()
            await asyncio.wait([running, watching], timeout=_WATCH_SECONDS)
        self._tasks = []
        self._give_up()
        await self._committer.close()

    async def start(self, row: StartRow) -> None:
        """Record a new execution; committed when it returns. A cancelled caller's row is not left running.

        Raises Overloaded, StorageDown (nothing may leave for Omie then) or InvalidInput for a row that
        PostgreSQL refuses.
        """
        await self.submit_start(row)

    async def record(self, row: WholeRow) -> bool:
        """Record an execution that has ended already, such as a refusal: True. Raises as `start`, keeps as `finish`."""
        self.require_open()
        return await self.submit_whole(row)

    async def finish(self, row: FinishRow) -> bool:
        """Record the end of an execution. False: somebody else had ended it, or claimed it since.

        StorageDown says that PostgreSQL stays away: the row is kept and written when it is back.
        """
        return await self.submit_finish(row)

    def require_open(self) -> None:
        """Say that something new may begin. Raises StorageDown, or Overloaded where there is no room for it."""
        if self._is_closing or self._tasks[0].done():
            raise StorageDown("O controle está sendo encerrado; nada novo é aceito.")
        if self._has_been_down_long():
            raise StorageDown()
        self._require_room(0.5)

    def submit_start(self, row: StartRow) -> asyncio.Future[None]:
        """Queue a start and return what to wait for. Cancelling the future takes the start back."""
        self.require_open()
        return self._enqueue(row)

    def submit_held_start(self, row: StartRow) -> asyncio.Future[None]:
        """Queue the start of something that has begun already: it is written whether anybody waits for it or not."""
        self._require_writing()
        return self._enqueue(row, is_kept=True)

    def submit_whole(self, row: WholeRow) -> asyncio.Future[bool]:
        """Queue an execution that has ended already. Cancelling the future changes nothing: it is written.

        What is waited for is always True: nobody else could have ended it.
        """
        self._require_writing()
        return self._enqueue(row)

    def submit_finish(self, row: FinishRow) -> asyncio.Future[bool]:
        """Queue an end and return what to wait for. Cancelling the future changes nothing: the end is written."""
        self._require_writing()
        return self._enqueue(row)

    def _require_writing(self) -> None:
        if not self._tasks or self._tasks[0].done():
            raise StorageDown("O controle foi encerrado; o fim desta execução não foi gravado.")
        self._require_room(1)

    def _require_room(self, share: float) -> None:
        if self._rows >= self._max_rows * share or self._bytes >= self._max_bytes * share:
            raise Overloaded("Há execuções demais esperando pelo banco de dados.")

    def _enqueue(self, row: Row, *, is_kept: bool = False) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        row = clean(row)
        size = size_of(row)
        self._queue.append(Waiting(row, future, size, self._loop.time(), is_kept=is_kept))
        self._rows += 1
        self._bytes += size
        self._wake()
        return future

    def _wake(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    # The writing side: one task, one batch at a time.

    async def _run(self) -> None:
        while True:
            self._note_committed()
            is_free = self._committing is None and (self._overlaps or not self._answers)
            batch = self._take() if is_free else None
            if batch is not None and not self._answers:
                self._answers.extend(await self._committer.commit(batch))
                self._writing = []
            elif batch is not None:
                self._committing = self._loop.create_task(self._committer.commit(batch))
                # One turn of the loop, and its bytes are on the wire.
                await asyncio.sleep(0)
            elif self._answers:
                await self._answer_some()
            elif self._committing is not None:
                await self._committing
            elif self._is_closing:
                return
            else:
                self._sleeper = self._loop.create_future()
                await self._sleeper

    def _note_committed(self) -> None:
        if self._committing is not None and self._committing.done():
            self._answers.extend(self._committing.result())
            self._committing = None
            self._writing = []

    def _take(self) -> Batch | None:
        rows: list[Waiting] = []
        kept: set[UUID] = set()
        size = 0
        queue = self._queue
        while queue and len(rows) < _BATCH_ROWS and size < _BATCH_BYTES:
            waiting = queue.popleft()
            if waiting.is_unwanted:
                self._forget(waiting)
                continue
            if kept and isinstance(waiting.row, FinishRow) and waiting.row.id in kept:
                # One statement does not see its own insert: the end of what this batch starts goes with the next.
                queue.appendleft(waiting)
                break
            if waiting.is_kept:
                kept.add(waiting.row.id)
            rows.append(waiting)
            size += waiting.size
        if not rows and not self._must_probe:
            return None
        self._must_probe = False
        self._writing = rows
        return Batch(rows)

    # The callers' side: what a commit means to those who wait.

    async def _answer_some(self) -> None:
        """Answer some of the callers whose rows are committed, and let them prepare their next rows.

        Half of them when PostgreSQL has nothing to do: their rows are then sent while the other half masks and
        seals. A few at a time while it works, so that it does not wait for us when it is done. All of them when the
        processor is not what we wait for: fewer commits are worth more then.
        """
        batch = self._answers[0]
        share = _ANSWERS_AT_ONCE
        if self._committing is None and self._overlaps:
            share = (len(batch.unanswered) + 1) // 2
        for waiting in batch.take_unanswered(share):
            self._forget(waiting)
            self._answer(waiting)
        if batch.unanswered or not self._overlaps:
            # One turn of the loop: those who were answered bring their next rows.
            await asyncio.sleep(0)
        if batch.unanswered:
            return
        self._answers.popleft()
        if self._on_commit is not None and len(batch):
            self._tell_changes(self._on_commit, batch)

    def _tell_changes(self, on_commit: Callable[[Sequence[Change]], None], batch: Batch) -> None:
        try:
            on_commit(batch.changes())
        except Exception as exc:
            # A listener's mistake must not stop the writing.
            tell(Event.LOOP_FAILED, loop="recorder.on_commit", error=repr(exc))

    def _answer(self, waiting: Waiting) -> None:
        future, row = waiting.future, waiting.row
        if not future.done():
            if waiting.error is not None:
                future.set_exception(waiting.error)
            else:
                future.set_result(None if isinstance(row, StartRow) else waiting.is_ours)
        elif isinstance(row, StartRow) and waiting.is_written and not waiting.is_kept:
            self._end_abandoned(row, was_cancelled=future.cancelled())

    def _end_abandoned(self, row: StartRow, *, was_cancelled: bool) -> None:
        """End an execution whose caller left before its start was committed, so that nothing stays running."""
        self._enqueue(
            FinishRow(
                id=row.id,
                attempt=row.attempt,
                status=Status.CANCELLED if was_cancelled else Status.FAILED,
                completed_at=datetime.now(UTC),
                duration_ms=0,
                error_message=_ABANDONED,
                error_code="abandonada",
                process_type=row.process_type,
                execution_id=row.execution_id,
                company_id=row.company_id,
            )
        )

    def _forget(self, waiting: Waiting) -> None:
        self._rows -= 1
        self._bytes -= waiting.size

    # The watching side: nobody waits longer than the patience.

    async def _watch(self) -> None:
        looked, used = self._loop.time(), process_time()
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            now = self._loop.time()
            before, used = used, process_time()
            self._overlaps = used - before > _BUSY_SHARE * (now - looked)
            looked = now
            is_writing = bool(self._writing)
            silence = now - self._committer.tried_at if is_writing else 0.0
            waited = now - self._writing[0].since if is_writing else 0.0
            # Who has waited too long, and most of it for this answer, must not be told that there is too much to do.
            if silence > self._patience or 2 * silence > waited > self._patience:
                self._health.lost("no answer to a batch")
            if silence > self._stall:
                self._committer.hang_up()
            self._lose_patience(self._writing, now)
            self._lose_patience(self._queue, now)
            if not is_writing and not self._health.is_up:
                self._must_probe = True
                self._wake()

    def _lose_patience(self, waiting: Iterable[Waiting], now: float) -> None:
        for each in waiting:
            if now - each.since <= self._patience:
                # In the order of their coming: all that follow are younger.
                return
            if not each.future.done():
                each.future.set_exception(Overloaded() if self._health.is_up else StorageDown())
                # Whoever has left does not read it; asyncio need not complain.
                each.future.exception()

    def _has_been_down_long(self) -> bool:
        since = self._health.down_since
        return since is not None and (datetime.now(UTC) - since).total_seconds() > self._patience

    def _give_up(self) -> None:
        """Tell of the rows that closing leaves unwritten, and release who waits for them."""
        while self._answers:
            batch = self._answers.popleft()
            for waiting in batch.take_unanswered(len(batch.unanswered)):
                self._answer(waiting)
        for waiting in (*self._writing, *self._queue):
            if not isinstance(waiting.row, StartRow):
                tell(
                    Event.ROW_REJECTED,
                    execution_id=waiting.row.execution_id,
                    reason="closed before PostgreSQL was back",
                )
            if not waiting.future.done():
                waiting.future.set_exception(StorageDown())
                waiting.future.exception()
        self._writing = []
        self._queue.clear()
        self._rows = self._bytes = 0
