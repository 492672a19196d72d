"""The gate before Omie, in words: what asks to pass, how it ended, and the limits that nobody may exceed.

Pure values and the sentences that people read; the deciding is done where the state lies (`valkey/lua/gate.lua`,
and `domain/gate_rules.py` for the fallback).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from omie_control.errors import OmieBusy

_SPANS = (
    "window_seconds",
    "margin_seconds",
    "lease_seconds",
    "linger_seconds",
    "lone_seconds",
    "busy_first_seconds",
    "busy_again_seconds",
    "pause_seconds",
    "block_seconds",
    "waiter_seconds",
)
_MINUTE = 60


class Verdict(StrEnum):
    """How a call ended, as far as limits care.

    `NOT_SENT`: it never left us, so Omie counted nothing. `UNKNOWN`: no whole answer came; Omie may still be at it.
    """

    DONE = "done"
    FAULT = "fault"
    REFUSED_REDUNDANT = "refused_redundant"
    REFUSED_BUSY = "refused_busy"
    REFUSED_RATE = "refused_rate"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class Why(StrEnum):
    """What a caller waits for, or was turned away by."""

    RATE = "rate"
    CROWD = "crowd"
    REDUNDANT = "redundant"
    PAUSE = "pause"
    BREAKER = "breaker"
    BLOCK = "block"
    QUEUE = "queue"

    @property
    def error_code(self) -> str:
        """Return the code by which faces and records name this cause."""
        return f"gate_{self.value}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Omie's published numbers and ours around them; every span in seconds, so that a test may scale time.

    A call counts from its entering until `window + margin` after its leaving, since only Omie knows when in
    between it counted. `errors_most` stays below the ten errors after which Omie blocks, calls under way included.
    """

    per_egress: int = 960
    per_method: int = 240
    reads_at_once: int = 4
    writes_at_once: int = 1
    errors_open: int = 6
    errors_most: int = 9
    most_waiters: int = 500
    window_seconds: float = 60.0
    margin_seconds: float = 0.25
    lease_seconds: float = 75.0
    linger_seconds: float = 10.0
    lone_seconds: float = 604_800.0
    busy_first_seconds: float = 10.0
    busy_again_seconds: float = 61.0
    pause_seconds: float = 60.0
    block_seconds: float = 1800.0
    waiter_seconds: float = 3.0

    def scaled(self, factor: float) -> Limits:
        """Return the same limits on a clock that runs `factor` times as fast."""
        return replace(self, **{name: getattr(self, name) / factor for name in _SPANS})

    @property
    def held_seconds(self) -> float:
        """How long a call that has left still counts."""
        return self.window_seconds + self.margin_seconds

    def breaker_pause(self, errors: int) -> float:
        """Return how long a method stays shut after so many errors in a row: doubling, at last a whole block."""
        if errors >= self.errors_most:
            return self.block_seconds
        return min(self.pause_seconds * 2.0 ** (errors - self.errors_open), self.block_seconds)


@dataclass(frozen=True, slots=True)
class Ask:
    """One call that wants to leave. `app_key` is a hash, never the key; `company` the company's id as text.

    `is_known_good`: a read that is sure to succeed when Omie is well, so that an open breaker may try with it.
    """

    egress: str
    app_key: str
    endpoint: str
    writes: bool
    params_digest: str
    caller: str
    company: str
    is_background: bool = False
    patience_seconds: float = 20.0
    is_known_good: bool = False

    @property
    def line(self) -> str:
        """Name the line it stands in: limits per method are counted here."""
        return f"{self.app_key}:{self.endpoint}"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to send one call, now. `remaining`: what this method may still send this minute; full at `resets_at`."""

    id: str
    ask: Ask
    entered_at: float
    waited_seconds: float
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Admitted:
    """The answer "go"."""

    remaining: int
    resets_in: float


@dataclass(frozen=True, slots=True)
class Wait:
    """The answer "not yet": ask again in `seconds`, earlier when woken."""

    seconds: float
    why: Why


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The answer "not within your patience": there is no use in asking for `seconds`."""

    seconds: float
    why: Why


Answer = Admitted | Wait | TurnedAway


@dataclass(frozen=True, slots=True)
class Line:
    """What is remembered of one (app_key, method) beyond its calls; spans in seconds from now, 0 when over."""

    app_key: str
    endpoint: str
    company: str
    errors: int = 0
    opens_in: float = 0.0
    patient_in: float = 0.0
    paused_for: float = 0.0
    busy_runs: int = 0
    lone_for: float = 0.0


@dataclass(frozen=True, slots=True)
class Passage:
    """One call as the book keeps it; spans in seconds from now, 0 when over.

    It runs for `running_for` at most, counts in the windows for `counts_for`, its like is refused for `repeats_for`.
    """

    id: str
    app_key: str
    endpoint: str
    company: str
    caller: str
    digest: str
    running_for: float
    counts_for: float
    repeats_for: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that must be known of an egress to go on without breaking a limit."""

    passages: tuple[Passage, ...] = ()
    lines: tuple[Line, ...] = ()
    blocks: tuple[tuple[str, float], ...] = ()


def entering(id: str, ask: Ask, limits: Limits) -> Passage:
    """Return the passage of a call that enters now: until it leaves, everything is assumed to last."""
    running = limits.lease_seconds
    counts = running + limits.held_seconds
    return Passage(id, ask.app_key, ask.endpoint, ask.company, ask.caller, ask.params_digest, running, counts, counts)


def leaving(id: str, ask: Ask, verdict: Verdict, seconds: float | None, limits: Limits) -> Passage:
    """Return the passage of a call that leaves now with this verdict."""
    held = 0.0 if verdict is Verdict.NOT_SENT else limits.held_seconds
    running = limits.linger_seconds if verdict is Verdict.UNKNOWN else 0.0
    repeats = held
    if verdict in {Verdict.REFUSED_BUSY, Verdict.REFUSED_RATE, Verdict.BLOCKED}:
        repeats = 0.0
    elif verdict is Verdict.REFUSED_REDUNDANT:
        repeats = max(held, (seconds or 0.0) + limits.margin_seconds)
    return Passage(id, ask.app_key, ask.endpoint, ask.company, ask.caller, ask.params_digest, running, held, repeats)


_CAUSES = {
    Why.RATE: "O limite de chamadas por minuto do Omie para este método já foi usado.",
    Why.CROWD: "O Omie já está atendendo o máximo de chamadas deste método ao mesmo tempo.",
    Why.REDUNDANT: "Esta mesma consulta acabou de ser feita, e o Omie só aceita outra igual depois de um minuto.",
    Why.PAUSE: "O Omie pediu uma pausa neste método.",
    Why.BREAKER: "Este método do Omie falhou várias vezes seguidas; as chamadas pararam antes que o Omie bloqueie.",
    Why.BLOCK: "O Omie bloqueou as chamadas desta empresa por consumo indevido.",
    Why.QUEUE: "A fila para o Omie está cheia.",
}


def busy(why: Why, seconds: float, now: datetime) -> OmieBusy:
    """Build the refusal that says why, and how long the wait is from `now` on."""
    return OmieBusy(
        f"{_CAUSES[why]} Tente de novo em {span_words(seconds)}.",
        hint="Espere esse tempo e chame de novo uma única vez; chamar antes não adianta.",
        code=why.error_code,
        until=now + timedelta(seconds=seconds),
    )


def span_words(seconds: float) -> str:
    """Say a span for people, rounded up: `1 segundo`, `45 segundos`, `2 min 30 s`."""
    whole = max(1, int(-(-seconds // 1)))
    if whole <= 2 * _MINUTE:
        return "1 segundo" if whole == 1 else f"{whole} segundos"
    minutes, rest = divmod(whole, _MINUTE)
    return f"{minutes} min {rest} s" if rest else f"{minutes} minutos"
