"""`/metrics` for Prometheus: what this process did and how it stands.

Open to a caller on this machine, where no proxy stands in front, and to a token that may read the system's state;
nobody else. Counting an event costs one dictionary entry; the families are built when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from omie_control.domain.access import Right
from omie_control.domain.actors import SYSTEM
from omie_control.errors import StorageDown, Unauthenticated
from omie_control.telemetry import Event
from omie_control.web.auth import origin_of

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.audit_trail import AuditState
    from omie_control.services.blocks import CompanyBlock

BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
_MAX_NAMES = 500
_OTHER = "outros"

router = APIRouter()


class Tally(Collector):
    """Hears every event and gives them as Prometheus families."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._events: Counter[str] = Counter()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._names: set[str] = set()
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS_MS) + 1))
        self._sums_ms: Counter[str] = Counter()
        self.blocks: list[CompanyBlock] = []
        self.audit: AuditState | None = None

    def hear(self, event: Event, facts: dict[str, Any]) -> None:
        """Count one event; a telemetry subscriber."""
        self._events[event] += 1
        if event is Event.EXECUTION_ENDED:
            name = self._known(str(facts.get("process_type")))
            self._ended[name, str(facts.get("status"))] += 1
            self._time(f"execution:{name}", facts.get("duration_ms"))
        elif event is Event.CALL_ANSWERED:
            self._time(f"call:{self._known(str(facts.get('endpoint')))}", facts.get("response_time_ms"))

    def collect(self) -> Iterable[Metric]:
        """Build the families of this moment."""
        yield from self._counted()
        yield self._histogram("omie_control_execution_seconds", "Duration of ended executions.", "execution:", "type")
        yield self._histogram("omie_control_call_seconds", "Time Omie took to answer.", "call:", "endpoint")
        yield from self._gauges()

    def _known(self, name: str) -> str:
        # A caller chooses process types: names without an end would fill every Prometheus.
        if name in self._names or len(self._names) < _MAX_NAMES:
            self._names.add(name)
            return name
        return _OTHER

    def _time(self, name: str, milliseconds: float | None) -> None:
        if milliseconds is not None:
            self._buckets[name][bisect_left(BOUNDS_MS, milliseconds)] += 1
            self._sums_ms[name] += milliseconds  # type: ignore[assignment]

    def _counted(self) -> Iterable[Metric]:
        events = CounterMetricFamily("omie_control_events", "Events told by this process.", labels=["event"])
        for event, count in self._events.items():
            events.add_metric([event], count)
        ended = CounterMetricFamily("omie_control_executions_ended", "Ended executions.", labels=["type", "status"])
        for labels, count in self._ended.items():
            ended.add_metric(list(labels), count)
        return events, ended

    def _histogram(self, name: str, text: str, prefix: str, label: str) -> Metric:
        family = HistogramMetricFamily(name, text, labels=[label])
        for key, counts in self._buckets.items():
            if key.startswith(prefix):
                family.add_metric([key.removeprefix(prefix)], _cumulated(counts), self._sums_ms[key] / 1000)
        return family

    def _gauges(self) -> Iterable[Metric]:
        readings: tuple[tuple[str, str, Callable[[], float]], ...] = (
            ("postgres_up", "1 while PostgreSQL answers.", lambda: self._app.db.postgres.is_up),
            ("valkey_up", "1 while Valkey answers.", lambda: self._app.db.live.is_up),
            ("recorder_waiting_rows", "Rows waiting for their commit.", lambda: self._app.db.recorder.depth),
        )
        for name, text, read in readings:
            yield GaugeMetricFamily(f"omie_control_{name}", text, float(read()))
        yield from self._audited()
        blocked = GaugeMetricFamily(
            "omie_control_omie_blocked_seconds",
            "For how much longer Omie blocks a company, and the method that brought it about.",
            labels=["company", "endpoint"],
        )
        for block in self.blocks:
            blocked.add_metric([block.company, block.endpoint], block.seconds_left)
        yield blocked

    def _audited(self) -> Iterable[Metric]:
        if self.audit is None:
            return
        last = self.audit.verification
        readings: list[tuple[str, str, float]] = [
            (
                "seal_lag_seconds",
                "How long the oldest record has waited for its seal.",
                self.audit.lag_seconds(datetime.now(UTC)),
            ),
            ("last_seal", "Number of the last seal of the audit.", self.audit.last_seal),
        ]
        if last is not None:
            readings += [
                ("verified_timestamp_seconds", "When the audit was last verified.", last.ended_at.timestamp()),
                ("verification_findings", "What the last verification found.", last.findings),
            ]
        for name, text, value in readings:
            yield GaugeMetricFamily(f"omie_control_audit_{name}", text, value)


def registry_for(tally: Tally) -> CollectorRegistry:
    """Make a registry of this application's own."""
    registry = CollectorRegistry()
    registry.register(tally)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Give the figures of this process. Raises Unauthenticated or Forbidden for a stranger."""
    await _admit(request)
    app: App = request.app.state.control
    tally: Tally = request.app.state.tally
    try:
        tally.blocks = await app.blocks.list(SYSTEM)
        tally.audit = await app.services.trail.state()
    except StorageDown:
        # Nobody knows; what was known may be over by now.
        tally.blocks, tally.audit = [], None
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)


async def _admit(request: Request) -> None:
    app: App = request.app.state.control
    # Not every proxy says for whom it asks: where there is one, a caller on this machine may be anybody.
    if not app.settings.is_behind_proxy and _is_local(request):
        return
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    origin = origin_of(request, app.settings.trusted_proxies)
    actor = await app.services.bearers.verify(text.strip(), origin) if scheme.lower() == "bearer" else None
    if actor is None:
        raise Unauthenticated
    await app.access.require(actor, Right.SYSTEM_READ)


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in ("x-forwarded-for", "forwarded")):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _cumulated(counts: list[int]) -> list[tuple[str, float]]:
    total = 0
    rows = []
    for bound, count in zip([*(str(ms / 1000) for ms in BOUNDS_MS), "+Inf"], counts, strict=True):
        total += count
        rows.append((bound, float(total)))
    return rows
