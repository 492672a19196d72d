"""The live view's shadow in Valkey. Best effort: away, it is quietly missing, and nobody ever waits for it.

`note` only appends to a list. One task encodes what gathered and sends it in one write; a single server is told
not to answer the many SETEX, so that one flush costs a handful of replies however much it carries.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from redis.exceptions import RedisError

from omie_control.domain.executions import Change, Status
from omie_control.telemetry import Event, tell
from omie_control.valkey import wire
from omie_control.valkey.connection import TIMEOUT_SECONDS
from omie_control.valkey.courier import courier

if TYPE_CHECKING:
    from redis.asyncio import Redis

CHANNEL = b"live:changes"
RUNNING_SECONDS = 3_600
ENDED_SECONDS = 86_400
SECOND_COUNTER_SECONDS = 120
MINUTE_COUNTER_SECONDS = 7_200

_MAX_WAITING = 50_000
_MAX_BATCH = 512
_MAX_HINTS = 64
# Nobody sees a page change sooner than this, and a flush costs the same for one change as for ten.
_LINGER_SECONDS = 0.05
_PROBE_SECONDS = 5.0
_HEAL_SECONDS = 1.0
_CANCEL_SECONDS = 0.2
_AWAY = (RedisError, OSError, TimeoutError)


class Live:
    """Writes what just changed to Valkey and hints at it on the bus."""

    def __init__(self, redis: Redis) -> None:
        self._courier = courier(redis)
        self._changes: deque[Change] = deque(maxlen=_MAX_WAITING)
        self._asides: deque[bytes] = deque(maxlen=1_000)
        self._wake = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._dropped = 0
        self.is_up = True
        self.down_since: datetime | None = None

    async def open(self) -> None:
        """Begin to flush; Valkey need not be there yet."""
        if self._flusher is None:
            self._wake.set()
            self._flusher = asyncio.create_task(self._run(), name="live flusher")

    async def close(self) -> None:
        """Flush once more if Valkey is well, and stop."""
        if self._flusher is None:
            return
        while not self._flusher.done():
            # Python 3.11 and the client library may swallow a cancellation that meets an answer: ask until it ends.
            self._flusher.cancel()
            await asyncio.wait([self._flusher], timeout=_CANCEL_SECONDS)
        self._flusher = None
        if self.is_up and self._changes:
            await self._flush_or_fail()
        await self._courier.hang_up()

    def note(self, changes: Sequence[Change]) -> None:
        """Remember committed changes for the next flush. Never blocks, never raises; full, the oldest go."""
        room = _MAX_WAITING - len(self._changes)
        if len(changes) > room:
            self._dropped += len(changes) - room
        self._changes.extend(changes)
        self._wake.set()

    def aside(self, command: bytes) -> None:
        """Send one more encoded command, unanswered, with the next flush."""
        self._asides.append(command)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            if self.is_up:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PROBE_SECONDS):
                        await self._wake.wait()
            else:
                await asyncio.sleep(_HEAL_SECONDS)
            self._wake.clear()
            await self._flush_or_fail()
            if self._changes:
                self._wake.set()
            if len(self._changes) < _MAX_BATCH:
                await asyncio.sleep(_LINGER_SECONDS)

    async def _flush_or_fail(self) -> None:
        batch = [self._changes.popleft() for _ in range(min(_MAX_BATCH, len(self._changes)))]
        asides = [self._asides.popleft() for _ in range(len(self._asides))]
        try:
            silent, spoken = encode(batch, asides)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._courier.carry(silent, spoken)
        except _AWAY as exc:
            await self._courier.hang_up()
            self._put_back(batch)
            self._lost(exc)
        except asyncio.CancelledError:
            # Replies may still be on their way, so this connection is spent.
            await self._courier.hang_up()
            self._put_back(batch)
            raise
        except Exception as exc:
            # A change that cannot be encoded takes its batch with it, never the flusher.
            await self._courier.hang_up()
            tell(Event.LOOP_FAILED, loop="live", reason=repr(exc), lost=len(batch))
        else:
            self._back()

    def _put_back(self, batch: list[Change]) -> None:
        room = _MAX_WAITING - len(self._changes)
        self._dropped += max(0, len(batch) - room)
        self._changes.extendleft(reversed(batch[-room:] if room else []))

    def _lost(self, exc: BaseException) -> None:
        if self.is_up:
            self.is_up, self.down_since = False, datetime.now(UTC)
            tell(Event.LIVE_LOST, reason=type(exc).__name__)

    def _back(self) -> None:
        if not self.is_up:
            since, dropped = self.down_since, self._dropped
            self.is_up, self.down_since, self._dropped = True, None, 0
            tell(Event.LIVE_BACK, since=since, dropped=dropped)


def encode(batch: Sequence[Change], asides: Iterable[bytes] = ()) -> tuple[list[bytes], list[bytes]]:
    """Encode one flush: state keys, whose answers nobody needs, then counters and the hint."""
    latest = {change.execution_id: change for change in batch}
    silent = [*map(_state, latest.values()), *asides]
    return silent, [*_counters(batch), _hints(batch)] if batch else [wire.PING]


def decode_hints(message: bytes) -> list[Change]:
    """Read a message of the bus; raises ValueError for anything else."""
    return [
        Change(
            execution_id=hint["execution_id"],
            process_type=hint["process_type"],
            status=Status(hint["status"]),
            at=datetime.fromisoformat(hint["at"]),
            company_id=UUID(hint["company_id"]) if hint["company_id"] else None,
        )
        for hint in orjson.loads(message)
    ]


def _state(change: Change) -> bytes:
    key = b"process:" + change.execution_id.encode()
    if change.status.has_ended:
        success = change.status is Status.COMPLETED
        value = {"status": change.status, "completed_at": change.at, "success": success}
        return wire.setex(key, ENDED_SECONDS, orjson.dumps(value))
    value = {"status": change.status, "started_at": change.at, "process_type": change.process_type}
    return wire.setex(key, RUNNING_SECONDS, orjson.dumps(value))


def _counters(batch: Sequence[Change]) -> list[bytes]:
    seconds = Counter((int(change.at.timestamp()), change.status) for change in batch)
    minutes: Counter[tuple[int, Status]] = Counter()
    for (second, status), count in seconds.items():
        minutes[second - second % 60, status] += count
    return [
        *_counter_commands(b"live:second:", seconds, SECOND_COUNTER_SECONDS),
        *_counter_commands(b"live:minute:", minutes, MINUTE_COUNTER_SECONDS),
    ]


def _counter_commands(prefix: bytes, tally: Counter[tuple[int, Status]], seconds: int) -> Iterable[bytes]:
    ttl = b"%d" % seconds
    for (at, status), count in tally.items():
        key = prefix + b"%d" % at
        yield wire.pack(b"HINCRBY", key, status.encode(), b"%d" % count)
        yield wire.pack(b"EXPIRE", key, ttl)


def _hints(batch: Sequence[Change]) -> bytes:
    # Hints only: who re-reads the state after the newest ones has seen the older ones too.
    told = [
        {
            "execution_id": change.execution_id,
            "process_type": change.process_type,
            "status": change.status,
            "at": change.at,
            # As text: the driver's own kind of UUID, of a row that was read, is none to the JSON library.
            "company_id": None if change.company_id is None else str(change.company_id),
        }
        for change in batch[-_MAX_HINTS:]
    ]
    return wire.pack(b"PUBLISH", CHANNEL, orjson.dumps(told))
