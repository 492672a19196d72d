"""What happens here, in words declared once: events, the spans around them, the log they end in.

A room says `tell(Event.X, …)`; the log, the counters and whoever subscribes hear it. The execution that
a task works for travels in a context variable, so that each log line carries its id.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode


class Event(StrEnum):
    """Everything worth telling. `docs/reference/events.md` lists them, by test."""

    EXECUTION_STARTED = "execution.started"
    EXECUTION_ENDED = "execution.ended"
    EXECUTION_REFUSED = "execution.refused"
    EXECUTION_ENDED_LATE = "execution.ended_late"
    EXECUTIONS_RESCUED = "executions.rescued"
    EXECUTION_SETTLED = "execution.settled"
    EXECUTION_UNSETTLED = "execution.unsettled"
    WRITE_REPEATED = "write.repeated"
    CALL_SENT = "call.sent"
    CALL_ANSWERED = "call.answered"
    BATCH_COMMITTED = "recorder.batch_committed"
    BATCH_SPLIT = "recorder.batch_split"
    BATCH_SETTLED = "recorder.batch_settled"
    ROW_REJECTED = "recorder.row_rejected"
    ROLLUPS_FOLDED = "rollups.folded"
    PARTITIONS_MADE = "partitions.made"
    RECORDS_SEALED = "records.sealed"
    CHECKPOINT_FAILED = "checkpoint.failed"
    AUDIT_VERIFIED = "audit.verified"
    AUDIT_DAMAGED = "audit.damaged"
    WEBHOOK_RECEIVED = "webhook.received"
    WEBHOOKS_APPLIED = "webhooks.applied"
    WEBHOOKS_UNAPPLIED = "webhooks.unapplied"
    ERASURES_REAPPLIED = "erasures.reapplied"
    STORAGE_LOST = "storage.lost"
    STORAGE_BACK = "storage.back"
    REPLICA_LOST = "replica.lost"
    REPLICA_BACK = "replica.back"
    LIVE_LOST = "live.lost"
    LIVE_BACK = "live.back"
    CONFIGURATION_CHANGED = "configuration.changed"
    CONFIGURATION_IGNORED = "configuration.ignored"
    GATE_FALLBACK = "gate.fallback"
    GATE_REBUILT = "gate.rebuilt"
    GATE_BLOCKED = "gate.blocked"
    SERVER_STARTED = "embedded.server_started"
    SERVER_ADOPTED = "embedded.server_adopted"
    SERVER_DIED = "embedded.server_died"
    SERVER_FROZEN = "embedded.server_frozen"
    SERVER_STOPPED = "embedded.server_stopped"
    MIGRATION_APPLIED = "migration.applied"
    MIGRATION_LIMITED = "migration.limited"
    LOOP_FAILED = "loop.failed"
    ACCESS_REFUSED = "access.refused"
    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_REFUSED = "login.refused"
    PROVIDER_FAILED = "identity_provider.failed"
    REQUEST_FAILED = "request.failed"
    PROCESS_STARTED = "process.started"
    PROCESS_STOPPING = "process.stopping"


_QUIET = frozenset(
    {Event.BATCH_COMMITTED, Event.RECORDS_SEALED, Event.ROLLUPS_FOLDED, Event.CALL_SENT, Event.EXECUTION_STARTED}
)
_LOUD = frozenset(
    {
        Event.ROW_REJECTED,
        Event.STORAGE_LOST,
        Event.REPLICA_LOST,
        Event.LIVE_LOST,
        Event.CONFIGURATION_IGNORED,
        Event.GATE_FALLBACK,
        Event.GATE_BLOCKED,
        Event.MIGRATION_LIMITED,
        Event.CHECKPOINT_FAILED,
        Event.AUDIT_DAMAGED,
        Event.SERVER_DIED,
        Event.SERVER_FROZEN,
        Event.LOOP_FAILED,
        Event.WEBHOOKS_UNAPPLIED,
        Event.ACCESS_REFUSED,
        Event.LOGIN_REFUSED,
        Event.PROVIDER_FAILED,
        Event.EXECUTION_ENDED_LATE,
        Event.EXECUTIONS_RESCUED,
        Event.EXECUTION_UNSETTLED,
        Event.REQUEST_FAILED,
    }
)

Subscriber = Callable[[Event, dict[str, Any]], None]
_subscribers: list[Subscriber] = []


@dataclass(frozen=True, slots=True)
class Running:
    """The execution that the current task works for."""

    id: UUID
    execution_id: str


current_execution: ContextVar[Running | None] = ContextVar("current_execution", default=None)


def tell(event: Event, **facts: Any) -> None:
    """Tell everybody who listens. Never raises for a listener's mistake, never takes a secret."""
    for subscriber in _subscribers:
        try:
            subscriber(event, facts)
        except Exception:
            logging.getLogger("omie_control").exception("a telemetry subscriber failed")


def subscribe(subscriber: Subscriber) -> Callable[[], None]:
    """Hear every event from now on; returns what ends it."""
    _subscribers.append(subscriber)
    return lambda: _subscribers.remove(subscriber)


def log_event(event: Event, facts: dict[str, Any]) -> None:
    """Write an event to the structured log: quiet ones at debug, loud ones at warning."""
    level = logging.DEBUG if event in _QUIET else logging.WARNING if event in _LOUD else logging.INFO
    # Asked first: structlog's chain costs more than the quiet events are worth, several times an execution.
    if logging.getLogger("omie_control").isEnabledFor(level):
        structlog.get_logger("omie_control").log(level, event.value, **facts)


def configure_logging(log_format: str, *, level: int = logging.INFO, file: Path | None = None) -> None:
    """Send structlog and stdlib logging to stderr as `json` or `console`, each line with its execution_id.

    With `file`, everything from INFO also goes there as JSON, in files of 10 MB of which five older ones are kept.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_execution,
        _add_trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(_formatter(log_format, shared))
    stderr.setLevel(level)
    handlers: list[logging.Handler] = [stderr]
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = RotatingFileHandler(file, maxBytes=10_000_000, backupCount=5, encoding="utf-8")
        kept.setFormatter(_formatter("json", shared))
        handlers.append(kept)
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(level if file is None else min(level, logging.INFO))
    for noisy in ("httpx2", "httpcore2", "uvicorn", "uvicorn.error", "uvicorn.access", "mcp", "fastmcp", "docket"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if log_event not in _subscribers:
        subscribe(log_event)


def _formatter(log_format: str, shared: list[Any]) -> logging.Formatter:
    # Plain: the library's own choice, where rich is installed, shows every local value of every frame, secrets too.
    plain = structlog.dev.plain_traceback
    tail: list[Any] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    if log_format == "json":
        tail = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail]
    )


def _add_execution(logger: Any, name: str, line: dict[str, Any]) -> dict[str, Any]:
    running = current_execution.get()
    if running is not None:
        line.setdefault("execution_id", running.execution_id)
    return line


def _add_trace(logger: Any, name: str, line: dict[str, Any]) -> dict[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = format(context.trace_id, "032x")
    return line


def configure_tracing(service: str, version: str) -> None:
    """Send spans by OTLP over HTTP to where the standard `OTEL_EXPORTER_OTLP_*` variables point.

    Of what went wrong in one, FastMCP's too, only the kind is told: messages and stack traces quote what was in hand.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - half a second
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    class Discreet(BatchSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            told = ReadableSpan(
                span.name,
                span.context,
                span.parent,
                span.resource,
                span.attributes,
                links=span.links,
                kind=span.kind,
                status=Status(span.status.status_code),
                start_time=span.start_time,
                end_time=span.end_time,
                instrumentation_scope=span.instrumentation_scope,
            )
            super().on_end(told)

    resource = Resource.create({"service.name": service, "service.version": version})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(Discreet(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


_tracer = trace.get_tracer("omie_control")
_UNTRACED = nullcontext()
_DISCREET: dict[str, Any] = {"record_exception": False, "set_status_on_exception": False}


@contextmanager
def span(name: str, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: Any) -> Iterator[Span]:
    """Open an OpenTelemetry span; free of cost when no exporter is configured."""
    with (
        _tracer.start_as_current_span(name, kind=kind, attributes=attributes, **_DISCREET) as opened,
        _failing_in_kind(opened),
    ):
        yield opened


def step(name: str) -> AbstractContextManager[None]:
    """Open a span inside a traced call; outside of one it costs a look. For hot paths such as SQL."""
    return _traced_step(name) if trace.get_current_span().is_recording() else _UNTRACED


@contextmanager
def _traced_step(name: str) -> Iterator[None]:
    with _tracer.start_as_current_span(name, **_DISCREET) as opened, _failing_in_kind(opened):
        yield


@contextmanager
def _failing_in_kind(opened: Span) -> Iterator[None]:
    """Tell a span what kind of error went through it, and no more: who reads traces may not read people's data."""
    try:
        yield
    except Exception as error:
        opened.set_attribute("error.type", type(error).__qualname__)
        opened.set_status(Status(StatusCode.ERROR))
        raise
