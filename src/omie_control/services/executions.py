"""The verbs of an execution: start, finish, refuse, cancel, get, list. Every face calls these.

A start is committed before it returns, so nothing leaves for Omie unrecorded; that of a call which only reads may
wait a moment for its end, and is committed before anything leaves for Omie all the same. A finish is written even
when its caller is cancelled meanwhile: the row is queued before the first wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from omie_control.domain.access import Right, is_allowed
from omie_control.domain.actors import Actor
from omie_control.domain.executions import Execution, Status, id_of
from omie_control.errors import Conflict, ControlError, InvalidInput, NotFound
from omie_control.postgres import executions as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import FinishRow, StartRow, WholeRow
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.held_starts import HeldStart
from omie_control.services.recording import Handle, Outcome, Recording, Request, message_of
from omie_control.telemetry import Event, step, tell
from omie_control.valkey.sessions import Sessions

__all__ = ["Executions", "Handle", "Outcome", "Page", "Request"]

PAGE_MAX = 200
# What an id of an execution can tell the time of.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
ABANDONED = Outcome(
    Status.CANCELLED,
    error_code="cliente_desistiu",
    error_message="Quem chamou desistiu antes do início; nada foi enviado ao Omie.",
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of executions, newest first; `next` is the cursor of the following page, None at the end."""

    items: list[Execution]
    next: str | None


class Executions:
    """The verbs; one object per process, since it knows which executions are open here."""

    def __init__(
        self, recorder: Recorder, postgres: Postgres, access: Access, recording: Recording, sessions: Sessions
    ) -> None:
        self._sessions = sessions
        self._recorder = recorder
        self._postgres = postgres
        self._access = access
        self._recording = recording
        self._open: dict[UUID, Handle] = {}

    async def start(self, request: Request) -> Handle:
        """Record that a request runs; committed when this returns, unless it only reads.

        Raises Forbidden, TooLarge, StorageDown.
        """
        if not is_allowed(request.actor, Right.EXECUTION_RUN, request.company):
            await self._access.require(request.actor, Right.EXECUTION_RUN, request.company)
        self._record_parent(request)
        handle, row = await self._recording.opening(request)
        if request.only_reads and not request.writes:
            self._recorder.require_open()
            handle.held = HeldStart(self._recorder, row)
        else:
            await self._commit_start(handle, row)
        self._note_session(request)
        handle.task = asyncio.current_task()
        self._open[handle.id] = handle
        tell(Event.EXECUTION_STARTED, execution_id=handle.execution_id, process_type=request.process_type)
        return handle

    async def _commit_start(self, handle: Handle, row: StartRow) -> None:
        pending = self._recorder.submit_start(row)
        try:
            with step("postgres record start"):
                await pending
        except asyncio.CancelledError:
            if not pending.cancelled():
                # Committed in the very moment the caller left: nobody else will end it.
                self._write_end(handle, ABANDONED)
            raise

    def _record_parent(self, request: Request) -> None:
        """Send the held start of whatever this is a part of, so that it is on record before its child."""
        parent = None if request.parent is None else self._open.get(request.parent)
        if parent is not None and parent.held is not None:
            parent.held.send()

    async def finish(self, handle: Handle, outcome: Outcome) -> bool:
        """Record how an execution ended. False: somebody else (rescue, cancel) had ended it already.

        A cancelled caller does not stop the row: it is queued before the first wait. Raises StorageDown when
        PostgreSQL stays away; the row then waits in memory and is written when it is back.
        """
        self._open.pop(handle.id, None)
        with step("postgres record end"):
            row, writing = self._write_end(handle, outcome)
            if await writing or await self._correct(row):
                return True
        # Not there to be ended, since its held start was refused? Then that is what to tell.
        await handle.on_record()
        return False

    async def _correct(self, row: FinishRow) -> bool:
        """Have the last word where a rescue took this process for dead, as after a long outage of PostgreSQL."""
        async with self._postgres.transaction() as tx:
            return await store.correct_lost(tx, row)

    def _note_session(self, request: Request) -> None:
        origin = request.origin
        if origin.session_id is not None:
            address = None if origin.ip_address is None else str(origin.ip_address)
            self._sessions.note(
                origin.session_id,
                request.actor.label,
                origin.transport,
                user_agent=origin.user_agent,
                ip_address=address,
            )

    def _write_end(self, handle: Handle, outcome: Outcome) -> tuple[FinishRow, asyncio.Future[bool]]:
        row = self._recording.ending(handle, outcome)
        writing = self._whole(handle, row) or self._recorder.submit_finish(row)
        facts: dict[str, object] = {
            "execution_id": handle.execution_id,
            "process_type": handle.request.process_type,
            "status": outcome.status.value,
            "duration_ms": row.duration_ms,
            "error_code": outcome.error_code,
        }
        writing.add_done_callback(lambda written: _tell_end(written, facts))
        return row, writing

    def _whole(self, handle: Handle, row: FinishRow) -> asyncio.Future[bool] | None:
        """Write a held start together with its end, if it still can be; if not, the start goes ahead of the end."""
        if handle.held is None:
            return None
        whole = handle.held.whole(row)
        if whole is None:
            handle.held.send()
        return whole

    async def refuse(self, request: Request, error: ControlError) -> str:
        """Record a request that was turned away: one row, born ended. Returns its execution_id."""
        stripped = request if error.code != "grande_demais" else replace(request, input={"_recusado": error.message})
        handle, row = await self._recording.opening(stripped, status=Status.FAILED)
        end = FinishRow(
            id=row.id,
            attempt=row.attempt,
            status=row.status,
            completed_at=row.started_at,
            duration_ms=0,
            error_message=message_of(error.for_people()),
            error_code=error.code,
            process_type=row.process_type,
            execution_id=row.execution_id,
            company_id=row.company_id,
        )
        await self._recorder.record(WholeRow(row._replace(instance_id=None), end))
        tell(Event.EXECUTION_REFUSED, execution_id=handle.execution_id, code=error.code, actor=request.actor.label)
        return handle.execution_id

    async def cancel(self, actor: Actor, execution_id: str, reason: str) -> Execution:
        """End an execution that has not begun; ask one that runs to stop (its end then says how it ended).

        What one has started oneself one may stop; for another's it takes the right.
        """
        reason = message_of(reason) or ""
        async with self._postgres.transaction() as tx:
            before = await store.lock(tx, execution_id)
            if before is None or not actor.may_look_at(before.company_id, before.actor):
                raise NotFound(f"A execução {execution_id[:100]} não existe.")
            right = Right.EXECUTION_RUN if before.actor == actor.label else Right.EXECUTION_CANCEL
            await self._access.require(
                actor, right, before.company_id, object_type="execution", object_id=before.execution_id
            )
            if before.status in (Status.QUEUED, Status.AWAITING_APPROVAL):
                await store.cancel(tx, before, reason, by=actor.label)
            elif before.status is Status.RUNNING:
                await store.ask_to_stop(tx, before, f"{reason} ({actor.label})")
            else:
                raise Conflict(f"A execução já terminou ({before.status}); não há o que cancelar.")
            await audit.append(
                tx,
                actor,
                "execution.cancelled",
                object_type="execution",
                object_id=before.execution_id,
                company_id=before.company_id,
                before={"status": before.status},
                after={"reason": reason},
            )
        handle = self._open.get(before.id)
        if handle is not None:
            await self._stop(handle, reason)
        return await self.get(actor, execution_id)

    async def get(self, actor: Actor, execution_id: str) -> Execution:
        """Return one execution with its calls and children. Raises NotFound, also for another company's."""
        await self._access.require(actor, Right.EXECUTION_READ)
        # Not from a replica: who asks has often just begun it, ended it or had it cancelled.
        async with self._postgres.transaction() as connection:
            found = await store.find(connection, execution_id, id_of(execution_id))
            if found is None or not actor.may_look_at(found.company_id, found.actor):
                raise NotFound(
                    f"A execução {execution_id[:100]} não existe.",
                    hint="Confira o execution_id, ou procure por tipo e situação na lista de execuções.",
                )
            calls = await store.calls(connection, found)
            children = await store.children(connection, found)
        return replace(found, calls=tuple(calls), children=tuple(children))

    async def list(
        self,
        actor: Actor,
        *,
        status: Status | None = None,
        process_type: str | None = None,
        company: UUID | None = None,
        session: str | None = None,
        since: datetime | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return a page of executions, newest first, within the actor's companies.

        Raises InvalidInput for an instant that no execution's id could hold.
        """
        await self._access.require(actor, Right.EXECUTION_READ, company)
        if since is not None and not _FIRST <= since <= _LAST:
            raise InvalidInput("Não é válido: since.", hint="Use um instante posterior a 1970.")
        size = max(1, min(limit, PAGE_MAX))
        async with self._postgres.reading() as connection:
            found = await store.page(
                connection,
                status=status,
                process_type=process_type,
                company=company,
                companies=_scope(actor),
                asker=actor.label,
                session=session,
                since=since,
                before=cursor_id(before),
                limit=size + 1,
            )
        items = found[:size]
        return Page(items, str(items[-1].id) if len(found) > size else None)

    async def running(self, actor: Actor) -> Sequence[Execution]:
        """Return what runs now, oldest first, within the actor's companies; 200 at most."""
        await self._access.require(actor, Right.EXECUTION_READ)
        async with self._postgres.reading() as connection:
            return await store.running(connection, companies=_scope(actor), asker=actor.label, limit=PAGE_MAX)

    async def adopt(self, execution_id: str) -> Handle:
        """Take over an execution that another process started, to end it here. Raises NotFound, Conflict."""
        async with self._postgres.transaction() as connection:
            found = await store.find(connection, execution_id, id_of(execution_id))
        if found is None:
            raise NotFound(f"A execução {execution_id[:100]} não existe.")
        if found.status is not Status.RUNNING:
            raise Conflict(f"A execução já terminou ({found.status}).")
        return await self._recording.resumed(found)

    async def summary(self, actor: Actor, span: timedelta = timedelta(hours=24)) -> Sequence[store.TypeSummary]:
        """Return how each process type fared over a span, busiest first; of all companies, so for whoever sees all."""
        await self._access.require(actor, Right.SYSTEM_READ)
        async with self._postgres.reading() as connection:
            return await store.summary(connection, datetime.now(UTC) - span)

    async def stop_asked(self) -> int:
        """Stop the executions of this process that somebody asked to cancel; returns how many."""
        if not self._open:
            return 0
        async with self._postgres.transaction() as connection:
            asked = await store.asked_to_stop(connection, list(self._open))
        for id, reason in asked.items():
            handle = self._open.get(id)
            if handle is not None:
                await self._stop(handle, reason)
        return len(asked)

    async def _stop(self, handle: Handle, reason: str) -> None:
        """Stop the task of an open execution; one that was opened by hand has none, and ends here and now.

        Whoever completes it later is told that it had ended.
        """
        if handle.task is not None:
            stop(handle, reason)
            return
        text = message_of(f"Cancelada: {reason}")
        # While PostgreSQL is away the end waits in memory, and those who stop the others must not fail for it.
        with suppress(ControlError):
            await self.finish(handle, Outcome(Status.CANCELLED, error_code="cancelada", error_message=text))


def _tell_end(written: asyncio.Future[bool], facts: dict[str, object]) -> None:
    if written.cancelled() or written.exception() is not None:
        return
    tell(Event.EXECUTION_ENDED if written.result() else Event.EXECUTION_ENDED_LATE, **facts)


def stop(handle: Handle, reason: str) -> None:
    """Ask the task of an open execution to stop; its face turns the cancellation into a clear answer."""
    if handle.stop_reason is None and handle.task is not None:
        handle.stop_reason = reason
        handle.task.cancel()


def takes_stop_back(handle: Handle) -> bool:
    """Say whether what cancelled the current task is `stop` of this execution alone; if so the task goes on."""
    task = asyncio.current_task()
    return handle.stop_reason is not None and task is not None and task is handle.task and task.uncancel() == 0


def cursor_id(cursor: str | None) -> UUID | None:
    """Read a page's cursor. Raises NotFound for one that is not ours."""
    if cursor is None:
        return None
    try:
        return UUID(cursor)
    except ValueError:
        raise NotFound("O cursor da página não existe.", hint="Comece de novo sem o cursor.") from None


def _scope(actor: Actor) -> list[UUID] | None:
    return None if actor.companies is None else list(actor.companies)
