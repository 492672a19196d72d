"""How a request and its outcome become rows: masked for the eye, sealed in the clear, committed to.

The jsonb columns hold the masked form. The clear form is sealed only where masking took something away;
otherwise the column already tells all. A salted commitment covers input, request and response, so that
a later seal can prove them unchanged without holding them.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from opentelemetry import trace

from omie_control.domain.actors import LIBRARY, Actor
from omie_control.domain.caps import capped
from omie_control.domain.executions import (
    Call,
    Category,
    Complexity,
    Execution,
    Origin,
    Status,
    execution_id_for,
    uuid7,
)
from omie_control.domain.masking import HIDDEN, Masked, mask, secrets_in
from omie_control.domain.sealing import canonical, commitment
from omie_control.errors import TooLarge
from omie_control.postgres.rows import FinishRow, SealedBody, StartRow
from omie_control.services.bodies import INPUT_PART, Bodies, clear_end, clear_input
from omie_control.services.held_starts import HeldStart

if TYPE_CHECKING:
    import asyncio
    from zoneinfo import ZoneInfo


# What one execution may bring in; a face refuses larger requests before they get here.
MAX_INPUT_BYTES = 4 * 1024 * 1024
# A masked response over this is cut in its column; the sealed body keeps it whole.
MAX_COLUMN_BYTES = 1024 * 1024
MESSAGE_MAX = 4000
PROCESS_TYPE_MAX = 100
_NOWHERE = Origin()
_NOTHING = mask(None)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks to run. `writes` is true unless it is known to change nothing."""

    process_type: str
    input: Any
    actor: Actor
    origin: Origin = _NOWHERE
    company: UUID | None = None
    parent: UUID | None = None
    writes: bool = True
    category: Category | None = None
    complexity: Complexity | None = None
    idempotency_key: str | None = None
    omie_endpoint: str | None = None
    # Changes nothing anywhere: what it does before its start is committed leaves no trace if the process dies.
    only_reads: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended. `response` is the clear answer; masking is done here, not by the caller."""

    status: Status
    response: Any = None
    error_message: str | None = None
    error_code: str | None = None
    status_code: int | None = None
    omie_endpoint: str | None = None
    request_payload: Any = None


@dataclass(slots=True, eq=False)
class Handle:
    """An open execution in this process, between its start and its end."""

    id: UUID
    execution_id: str
    request: Request
    started_at: datetime
    started_ns: int
    masked_input: Masked
    input_column: bytes = b""
    attempt: int = 1
    calls: list[Call] = field(default_factory=list)
    omie_endpoint: str | None = None
    request_payload: Any = None
    response_status_code: int | None = None
    # True from before a write's bytes leave until its answer is understood: an end in between is `uncertain`.
    write_in_flight: bool = False
    # The start of a read that may be over before it is sent; None: it was committed before anything ran.
    held: HeldStart | None = None
    stop_reason: str | None = None
    task: asyncio.Task[Any] | None = None

    async def on_record(self) -> None:
        """Return once the start is committed; nothing may leave for Omie before. Raises as a start does."""
        if self.held is not None:
            await self.held.committed()

    def note_call(self, call: Call) -> None:
        """Keep one HTTP attempt; it is written with the end of the execution."""
        self.calls.append(call)


class Recording:
    """Shapes the rows of one process; holds the keys' fast path, the zone and the instance's id."""

    def __init__(self, bodies: Bodies, zone: ZoneInfo, instance_id: UUID) -> None:
        self._bodies = bodies
        self._zone = zone
        self._instance_id = instance_id

    async def opening(self, request: Request, *, status: Status = Status.RUNNING) -> tuple[Handle, StartRow]:
        """Shape the first row of an execution. Raises TooLarge for an input over 4 MiB."""
        now_ns = time.time_ns()
        at = datetime.fromtimestamp(now_ns / 1e9, UTC)
        id = uuid7(now_ns // 1_000_000, os.urandom(10))
        process_type = request.process_type[:PROCESS_TYPE_MAX]
        execution_id = execution_id_for(process_type, id, at, self._zone)
        # Its owner may change it while it runs: what is sealed at the end is what came in at the start.
        given = capped(request.input)
        masked = mask(given)
        if masked.has_secrets:
            # What an exception may quote of it is looked for at the end, too.
            request = replace(request, input=given)
        column = canonical(masked.value)
        text = column.decode()
        if len(text) > MAX_INPUT_BYTES:
            raise TooLarge(
                f"Os dados enviados têm {len(text) // 1024} kB; o limite é {MAX_INPUT_BYTES // 1024} kB.",
                execution_id=execution_id,
            )
        await self._bodies.prepare(request.company, at)
        body = None
        if masked.is_masked and (request.writes or status is Status.QUEUED):
            # A read that dies can be asked again; what a write was about to do must not be lost with its process.
            clear = clear_input(masked.clear)
            body = self._bodies.seal(request.company, at, id, INPUT_PART, clear, masked.documents, (column,))
        handle = Handle(
            id=id,
            execution_id=execution_id,
            request=request,
            started_at=at,
            started_ns=time.monotonic_ns(),
            masked_input=masked,
            input_column=column,
            omie_endpoint=request.omie_endpoint,
        )
        return handle, self._start_row(handle, process_type, status, text, body)

    def _start_row(
        self, handle: Handle, process_type: str, status: Status, text: str, body: SealedBody | None
    ) -> StartRow:
        request, origin = handle.request, handle.request.origin
        return StartRow(
            id=handle.id,
            process_type=process_type,
            execution_id=handle.execution_id,
            status=status,
            started_at=handle.started_at,
            input_parameters=text,
            company_id=request.company,
            actor=request.actor.label,
            parent_id=request.parent,
            instance_id=self._instance_id,
            attempt=0 if status is Status.QUEUED else 1,
            writes=request.writes,
            category=request.category,
            complexity=request.complexity,
            user_agent=origin.user_agent,
            ip_address=None if origin.ip_address is None else str(origin.ip_address),
            session_id=origin.group,
            is_cleaned=handle.masked_input.is_cleaned,
            idempotency_key=request.idempotency_key,
            trace_id=_trace_id(),
            omie_endpoint=request.omie_endpoint,
            body=body,
        )

    def ending(self, handle: Handle, outcome: Outcome) -> FinishRow:
        """Shape the last row of an execution: duration from the monotonic clock, bodies masked and sealed."""
        duration_ms = (time.monotonic_ns() - handle.started_ns) // 1_000_000
        payload = outcome.request_payload if outcome.request_payload is not None else handle.request_payload
        request_body = _NOTHING if payload is None else mask(payload)
        response = mask(outcome.response)
        sent = None if payload is None else _column(request_body.value)
        answered = None if outcome.response is None else _column(response.value)
        # An uncertain end is settled later, and its columns change with that.
        columns = () if outcome.status is Status.UNCERTAIN else (handle.input_column, sent, answered)
        body, digest = self._seal(handle, request_body, response, columns)
        request = handle.request
        return FinishRow(
            id=handle.id,
            execution_id=handle.execution_id,
            process_type=request.process_type[:PROCESS_TYPE_MAX],
            attempt=handle.attempt,
            status=outcome.status,
            started_at=handle.started_at,
            completed_at=datetime.now(UTC),
            duration_ms=duration_ms,
            omie_endpoint=outcome.omie_endpoint or handle.omie_endpoint,
            request_payload=None if sent is None else sent.decode(),
            response_status_code=outcome.status_code
            if outcome.status_code is not None
            else handle.response_status_code,
            response_data=None if answered is None else answered.decode(),
            error_message=_message(handle, outcome.error_message),
            error_code=outcome.error_code,
            is_cleaned=handle.masked_input.is_cleaned or request_body.is_cleaned or response.is_cleaned,
            commitment=digest,
            body=body,
            category=request.category,
            complexity=request.complexity,
            company_id=request.company,
            calls=tuple(handle.calls),
        )

    def _seal(
        self, handle: Handle, request_body: Masked, response: Masked, columns: tuple[bytes | None, ...]
    ) -> tuple[SealedBody | None, bytes]:
        """Seal what the columns do not tell, and commit to everything; what hides nothing needs no secret salt."""
        parts = (handle.masked_input, request_body, response)
        is_personal = any(part.is_masked for part in parts)
        salt = os.urandom(16) if is_personal else handle.id.bytes
        given, sent, answered = (part.clear for part in parts)
        clear = clear_end(salt, given, sent, answered)
        digest = commitment(clear)
        if not is_personal:
            return None, digest
        documents = [document for part in parts for document in part.documents]
        at = handle.started_at
        return self._bodies.seal(handle.request.company, at, handle.id, 1, clear, documents, columns), digest

    async def resumed(self, found: Execution) -> Handle:
        """Make a handle for an execution that another process opened; its input is known masked only."""
        await self._bodies.prepare(found.company_id, found.started_at)
        elapsed = datetime.now(UTC) - found.started_at
        request = Request(
            found.process_type,
            found.input_parameters,
            LIBRARY,
            company=found.company_id,
            writes=found.writes,
            category=found.category,
            complexity=found.complexity,
        )
        return Handle(
            id=found.id,
            execution_id=found.execution_id,
            request=request,
            started_at=found.started_at,
            started_ns=time.monotonic_ns() - int(elapsed.total_seconds() * 1e9),
            masked_input=mask(found.input_parameters),
            input_column=canonical(found.input_parameters),
            attempt=found.attempt,
        )


def message_of(text: str | None) -> str | None:
    """Write an error's text as it may be recorded: bounded, and without what it quotes of a person or a secret."""
    return None if text is None else str(mask(text[:MESSAGE_MAX]).value)


def _message(handle: Handle, text: str | None) -> str | None:
    if text is not None and handle.masked_input.has_secrets:
        # An exception may quote what the call was given under the name of a secret.
        for secret in secrets_in(handle.request.input):
            text = text.replace(secret, HIDDEN)
    return message_of(text)


def _trace_id() -> bytes | None:
    context = trace.get_current_span().get_span_context()
    return context.trace_id.to_bytes(16, "big") if context.is_valid else None


def _column(value: Any) -> bytes:
    """Write a masked body for its column, in the form that the sealed one beside it relies on."""
    column = canonical(value)
    if len(column) <= MAX_COLUMN_BYTES:
        return column
    start = column[:2000].decode(errors="replace")
    return canonical({"_cortado": True, "_bytes": len(column), "_inicio": start})
