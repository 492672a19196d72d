"""Omie's published limits, on the simulator's clock: rates, concurrency, redundancy, and the block of 30 minutes.

Each breach goes to the book; whether it is also refused is `is_enforced`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from omie_control.simulator.book import Book
from omie_control.simulator.clock import Clock
from omie_control.simulator.envelope import Refusal, Request

_MINUTE = 60.0
_PRUNE_ABOVE = 50_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers. `lone_methods` take one call at a time; `block_reach` is `method` (as published) or `key`."""

    per_ip: int = 960
    per_method: int = 240
    reads_at_once: int = 4
    writes_at_once: int = 1
    redundancy_seconds: float = 60.0
    errors_before_block: int = 10
    block_seconds: float = 1800.0
    lone_methods: frozenset[str] = frozenset()
    block_reach: str = "method"
    is_enforced: bool = True


@dataclass(slots=True)
class _Line:
    """What is remembered of one (ip, app_key, method)."""

    times: deque[float] = field(default_factory=deque)
    running: int = 0
    errors: int = 0


class Rules:
    """Judges each request before it is executed and learns from how it ended."""

    def __init__(self, limits: Limits, clock: Clock, book: Book) -> None:
        self.limits = limits
        self._clock = clock
        self._book = book
        self._by_ip: dict[str, deque[float]] = defaultdict(deque)
        self._lines: dict[tuple[str, str, str], _Line] = defaultdict(_Line)
        self._blocked: dict[tuple[str, str, str], float] = {}
        self._seen: dict[tuple[str, str, str], float] = {}

    @contextmanager
    def admit(self, request: Request, digest: str, *, writes: bool) -> Iterator[int]:
        """Hold the request's place among those running, or refuse it; yields how many run beside it."""
        line = self._lines[request.ip, request.app_key, request.endpoint]
        self._refuse_blocked(request)
        self._refuse_fast(request, line)
        self._refuse_crowd(request, line, writes=writes)
        self._refuse_repeated(request, digest, writes=writes)
        line.running += 1
        try:
            yield line.running
        finally:
            line.running -= 1

    def executed(self, request: Request, digest: str) -> None:
        """Remember that this very request was carried out, for redundancy."""
        if len(self._seen) > _PRUNE_ABOVE:
            oldest = self._clock.seconds() - self.limits.redundancy_seconds
            self._seen = {key: at for key, at in self._seen.items() if at > oldest}
        self._seen[request.app_key, request.endpoint, digest] = self._clock.seconds()

    def succeeded(self, request: Request) -> None:
        """End the run of errors of a method."""
        self._lines[request.ip, request.app_key, request.endpoint].errors = 0

    def failed(self, request: Request) -> None:
        """Count an error; the tenth in a row shuts the door."""
        line = self._lines[request.ip, request.app_key, request.endpoint]
        line.errors += 1
        if line.errors >= self.limits.errors_before_block and self.limits.is_enforced:
            self._blocked[self._reach(request)] = self._clock.seconds() + self.limits.block_seconds
            line.errors = 0

    def block(self, request: Request, seconds: float) -> Refusal:
        """Shut the door for a caller by order, as an injected fault does."""
        self._blocked[self._reach(request)] = self._clock.seconds() + seconds
        return _blocked(seconds)

    def _reach(self, request: Request) -> tuple[str, str, str]:
        return request.ip, request.app_key, request.endpoint if self.limits.block_reach == "method" else ""

    def _refuse_blocked(self, request: Request) -> None:
        key = self._reach(request)
        until = self._blocked.get(key)
        if until is None:
            return
        now = self._clock.seconds()
        if now >= until:
            del self._blocked[key]
            return
        self._blocked[key] = now + self.limits.block_seconds
        self._break(request, "block", f"{until - now:.0f} s were left", lambda: _blocked(self.limits.block_seconds))

    def _refuse_fast(self, request: Request, line: _Line) -> None:
        busy = Refusal("", "Too many requests", 429)
        for rule, times, most in (
            ("rate_ip", self._by_ip[request.ip], self.limits.per_ip),
            ("rate_method", line.times, self.limits.per_method),
        ):
            oldest = self._clock.seconds() - _MINUTE
            while times and times[0] <= oldest:
                times.popleft()
            times.append(self._clock.seconds())
            if len(times) > most:
                self._break(request, rule, f"{len(times)} in a minute", lambda: busy)

    def _refuse_crowd(self, request: Request, line: _Line, *, writes: bool) -> None:
        is_lone = writes or request.endpoint in self.limits.lone_methods
        most = self.limits.writes_at_once if is_lone else self.limits.reads_at_once
        if line.running >= most:
            self._break(request, "concurrency", f"{line.running} were running", _locked)

    def _refuse_repeated(self, request: Request, digest: str, *, writes: bool) -> None:
        key = (request.app_key, request.endpoint, digest)
        now, seen = self._clock.seconds(), self._seen.get(key)
        left = self.limits.redundancy_seconds - (now - seen) if seen is not None else 0.0
        if left <= 0:
            return
        if writes:
            again = self._clock.now() + timedelta(seconds=left)
            self._break(request, "repeated", f"{left:.0f} s were left", lambda: _repeated(f"{again:%H:%M:%S}"))
        else:
            self._seen[key] = now
            self._break(request, "redundancy", f"{left:.0f} s were left", lambda: _redundant(left))

    def _break(self, request: Request, rule: str, detail: str, refusal: Callable[[], Refusal]) -> None:
        self._book.violate(self._clock.now(), rule, request.app_key, request.endpoint, detail)
        if self.limits.is_enforced:
            raise refusal()


def _blocked(seconds: float) -> Refusal:
    text = f"API bloqueada por consumo indevido. Tente novamente em {max(1, round(seconds))} segundos."
    return Refusal("MISUSE_API_PROCESS", text, 425)


def _locked() -> Refusal:
    return Refusal(
        "Client-1880",
        "ERROR: Já existe uma requisição desse método sendo executada e você pode tentar novamente em alguns "
        "instantes. (1)",
    )


def _redundant(seconds: float) -> Refusal:
    wait = max(1, round(seconds))
    return Refusal(
        "Client-6",
        f"ERROR: Consumo redundante detectado. Aguarde {wait} segundos para tentar novamente (REDUNDANT)",
    )


def _repeated(at: str) -> Refusal:
    return Refusal(
        "Client-8020",
        f"ERROR: Esta requisição já foi processada ou está sendo processada e você pode tentar novamente às {at}. (1)",
    )
