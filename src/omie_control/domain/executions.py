"""An execution: one run of a process type, from the moment somebody asked to its end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from omie_control.errors import Conflict

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_ENCODED_LENGTH = 26
_EXECUTION_ID_MAX = 100
# <type>_<YYYYMMDD>_<HHMMSS>_<26 letters>: what is left of 100 characters for the type.
_TYPE_MAX = _EXECUTION_ID_MAX - (1 + 8 + 1 + 6 + 1 + _ENCODED_LENGTH)
_HASH_LENGTH = 8


class Status(StrEnum):
    """Where an execution stands; the enum `execution_status` of the database, word for word."""

    QUEUED = "queued"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"

    @property
    def has_ended(self) -> bool:
        """Say whether nothing will change this status any more."""
        return self in _ENDED


_ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.TIMEOUT, Status.CANCELLED})

# Which status may follow which. `uncertain` ends when somebody learns what Omie did;
# `docs/states.md` shows this table and a test compares the two.
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.AWAITING_APPROVAL, Status.FAILED}),
    Status.AWAITING_APPROVAL: frozenset({Status.QUEUED, Status.RUNNING, Status.CANCELLED, Status.FAILED}),
    Status.RUNNING: frozenset(
        {
            Status.COMPLETED,
            Status.FAILED,
            Status.TIMEOUT,
            Status.CANCELLED,
            Status.UNCERTAIN,
            Status.QUEUED,
            Status.AWAITING_APPROVAL,
        }
    ),
    Status.UNCERTAIN: frozenset({Status.COMPLETED, Status.FAILED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.TIMEOUT: frozenset(),
    Status.CANCELLED: frozenset(),
}


def require_transition(before: Status, after: Status) -> None:
    """Raise Conflict unless `after` may follow `before`."""
    if after not in TRANSITIONS[before]:
        raise Conflict(f"Uma execução em '{before}' não pode passar para '{after}'.")


class Category(StrEnum):
    """What part of the company a process type serves; the enum `tool_category`."""

    SISTEMA = "sistema"
    ORGANIZACIONAL = "organizacional"
    FINANCEIRO = "financeiro"
    COMERCIAL = "comercial"
    PRODUTOS = "produtos"
    RELATORIOS = "relatorios"


class Complexity(StrEnum):
    """How demanding a process type is; the enum `tool_complexity`."""

    BASICA = "basica"
    INTERMEDIARIA = "intermediaria"
    AVANCADA = "avancada"
    ESPECIALIZADA = "especializada"


def uuid7(at_ms: int, randomness: bytes) -> UUID:
    """Build a UUIDv7 (RFC 9562) from milliseconds since 1970 and 10 random bytes."""
    value = (at_ms & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(randomness[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def uuid7_ms(id: UUID) -> int:
    """Return the milliseconds since 1970 that a UUIDv7 carries."""
    return id.int >> 80


def uuid7_instant(id: UUID) -> datetime:
    """Return the instant that a UUIDv7 carries, to the millisecond."""
    return datetime.fromtimestamp(uuid7_ms(id) / 1000, UTC)


def execution_id_for(process_type: str, id: UUID, at: datetime, zone: ZoneInfo) -> str:
    """Name an execution for people: `<type>_<YYYYMMDD>_<HHMMSS>_<id in 26 letters>`, 100 characters at most."""
    stem = process_type
    if len(stem) > _TYPE_MAX:
        digest = hashlib.sha256(process_type.encode()).hexdigest()[:_HASH_LENGTH]
        stem = f"{stem[: _TYPE_MAX - _HASH_LENGTH - 1]}_{digest}"
    return f"{stem}_{_stamp(int(at.timestamp()), zone)}_{_encode(id)}"


@lru_cache(maxsize=64)
def _stamp(second: int, zone: ZoneInfo) -> str:
    # Many executions start within one second.
    return datetime.fromtimestamp(second, zone).strftime("%Y%m%d_%H%M%S")


def id_of(execution_id: str) -> UUID | None:
    """Return the row's key that an execution_id of our own form carries, or None for any other form."""
    head, separator, tail = execution_id.rpartition("_")
    if not separator or not head or len(tail) != _ENCODED_LENGTH or tail[0] not in "01234567":
        return None
    value = 0
    for letter in tail:
        digit = _VALUES.get(letter)
        if digit is None:
            return None
        value = value << 5 | digit
    return UUID(int=value)


def _encode(id: UUID) -> str:
    # Two letters at a time, of either half: small numbers are quicker than one of 128 bits.
    pairs, high, low = _PAIRS, id.int >> 60, id.int & 0xFFFFFFFFFFFFFFF
    return (
        f"{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}{pairs[high >> 30 & 1023]}"
        f"{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}"
        f"{pairs[low >> 50]}{pairs[low >> 40 & 1023]}{pairs[low >> 30 & 1023]}"
        f"{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as its transport tells it.

    `errand` is the piece of work that the caller named itself: equal writes of another one are other writes. `joined`
    is one that the caller only has open: like the protocol's `session_id` it groups records and tells no writes apart,
    for a retry after a reconnection is still a retry.
    """

    transport: str = "python"
    user_agent: str | None = None
    ip_address: IPv4Address | IPv6Address | None = None
    session_id: str | None = None
    errand: str | None = None
    joined: str | None = None

    @property
    def group(self) -> str | None:
        """Return what the record groups by: `fastmcp_session_id`."""
        return self.joined or self.session_id


@dataclass(frozen=True, slots=True)
class Execution:
    """One row of `process_executions` as people and faces see it: bodies masked, instants aware."""

    id: UUID
    process_type: str
    execution_id: str
    status: Status
    started_at: datetime
    completed_at: datetime | None = None
    duration_ms: int | None = None
    input_parameters: Any = None
    omie_endpoint: str | None = None
    request_payload: Any = None
    response_status_code: int | None = None
    response_data: Any = None
    error_message: str | None = None
    error_code: str | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    session_id: str | None = None
    company_id: UUID | None = None
    company: str | None = None
    actor: str | None = None
    parent_id: UUID | None = None
    parent: str | None = None
    writes: bool = False
    attempt: int = 0
    instance_id: UUID | None = None
    is_cleaned: bool = False
    # Its month was made small: of its bodies only what `slim_json` leaves is there.
    is_slimmed: bool = False
    # Something in its bodies was masked, and their clear form is kept: there is something to reveal.
    is_sealed: bool = False
    category: Category | None = None
    complexity: Complexity | None = None
    calls: tuple[Call, ...] = field(default=())
    children: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to Omie, as measured: one row of `omie_api_metrics`. Times in ms, sizes in bytes."""

    endpoint: str
    at: datetime
    response_time_ms: int
    status_code: int | None
    success: bool
    request_size_bytes: int
    response_size_bytes: int
    method: str = "POST"
    fault_code: str | None = None
    rate_limit_remaining: int | None = None
    rate_limit_reset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What the bus tells after a commit: this execution now stands so."""

    execution_id: str
    process_type: str
    status: Status
    at: datetime
    company_id: UUID | None = None
    duration_ms: int | None = None
