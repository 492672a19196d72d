"""How everything stands, in the words of the page: three lamps, and a banner for each mode that is not normal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from omie_control.services.system import SystemState
from omie_control.web.words import mark

_MODES = {
    "sem_postgresql": mark("Sem o banco de dados"),
    "sem_valkey": mark("Sem a visão instantânea"),
    "selos_atrasados": mark("Selos da auditoria atrasados"),
    "auditoria_violada": mark("Diferenças na auditoria"),
}
_GRAVE = frozenset({"sem_postgresql", "auditoria_violada"})


@dataclass(frozen=True, slots=True)
class Part:
    """One lamp: `tone` is ok, warn or bad."""

    name: str
    tone: str
    word: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """One banner: the mode, since when, what it means."""

    mode: str
    level: str
    since: datetime | None
    effect: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the page says about the system's health."""

    parts: tuple[Part, ...]
    troubles: tuple[Trouble, ...]


def view(state: SystemState) -> Standing:
    """Shape the system's state."""
    modes = {degraded.mode for degraded in state.degraded}
    parts = (
        _part("PostgreSQL", "bad", is_up="sem_postgresql" not in modes),
        _part("Valkey", "warn", is_up="sem_valkey" not in modes),
        _queue(state.recorder_depth),
    )
    troubles = tuple(
        Trouble(
            _MODES.get(degraded.mode, degraded.mode),
            "bad" if degraded.mode in _GRAVE else "warn",
            degraded.since,
            degraded.meaning,
        )
        for degraded in state.degraded
    )
    return Standing(parts, troubles)


def _part(name: str, tone: str, *, is_up: bool) -> Part:
    return Part(name, "ok" if is_up else tone, mark("no ar") if is_up else mark("fora do ar"))


def _queue(depth: int) -> Part:
    if depth == 0:
        return Part(mark("Gravação"), "ok", mark("em dia"))
    return Part(mark("Gravação"), "ok", mark("gravando"))
