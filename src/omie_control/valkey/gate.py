"""The gate in Valkey: every decision one atomic script on the server's clock, all keys of an egress in one slot.

Nothing here is the only copy: `services/gate.py` keeps the book in PostgreSQL and seeds a new epoch from it. Any
failure of Valkey is `ValkeyLost`; an epoch that is not the caller's is `EpochLost`.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson
from redis.exceptions import NoScriptError, RedisError

from omie_control.domain.gate import (
    Admitted,
    Answer,
    Ask,
    Limits,
    Line,
    Memory,
    Passage,
    TurnedAway,
    Verdict,
    Wait,
    Why,
)
from omie_control.valkey.lines import Lines

if TYPE_CHECKING:
    from redis.asyncio import Redis

_SCRIPT = (files("omie_control.valkey") / "lua" / "gate.lua").read_text(encoding="utf-8")
_PROBE_SECONDS = 1.0
_RETRY_SECONDS = 0.5
_MS = 1000
_AWAY = (RedisError, OSError, TimeoutError)
_SPANS = {
    "window": "window_seconds",
    "margin": "margin_seconds",
    "lease": "lease_seconds",
    "lone": "lone_seconds",
    "busy_first": "busy_first_seconds",
    "busy_again": "busy_again_seconds",
    "pause": "pause_seconds",
    "block": "block_seconds",
    "waiter": "waiter_seconds",
}
_COUNTS = (
    "per_egress",
    "per_method",
    "reads_at_once",
    "writes_at_once",
    "errors_open",
    "errors_most",
    "most_waiters",
)


class ValkeyLost(Exception):
    """Valkey did not answer, or not as it should."""


class EpochLost(Exception):
    """What Valkey knows is not of the caller's epoch; `current` is the one it names, or empty."""

    def __init__(self, current: str) -> None:
        super().__init__(current)
        self.current = current


class ValkeyGate:
    """Asks the script. Holds no state of its own but who waits in this process."""

    def __init__(self, redis: Redis, limits: Limits | None = None) -> None:
        self._lines = Lines(redis)
        self.limits = limits if limits is not None else Limits()
        self._limits = {name: _ms(getattr(self.limits, field)) for name, field in _SPANS.items()} | {
            name: getattr(self.limits, name) for name in _COUNTS
        }
        self._hashes: dict[str, bytes] = {}
        self._wakes = Wakes(redis)

    async def close(self) -> None:
        """Stop listening for wake-ups, and let go of the connections."""
        await self._wakes.close()
        await self._lines.hang_up()

    async def enter(self, epoch: str, id: str, ask: Ask, *, patience: float, waited: float) -> Answer:
        """Ask once whether the call may leave now; a Wait keeps its place in the queue for `waiter_seconds`."""
        facts = {
            **_about(id, ask),
            "writes": ask.writes,
            "eager": ask.writes or ask.is_known_good,
            "company": ask.company,
            "caller": ask.caller,
            "class": int(ask.is_background),
            "patience": _ms(patience),
            "waited": _ms(waited),
        }
        match await _to_its_end(self._run("enter", ask.egress, epoch, facts)):
            case ["go", remaining]:
                return Admitted(int(remaining), self.limits.held_seconds)
            case ["wait", ms, why]:
                return Wait(ms / _MS, Why(why))
            case ["away", ms, why]:
                return TurnedAway(ms / _MS, Why(why))
        raise ValkeyLost("an answer of another form")

    async def leave(
        self, epoch: str, ask: Ask, passage: Passage, verdict: Verdict | None, seconds: float
    ) -> Line | None:
        """Take a call out, and learn from its verdict; returns what its line became when that changed."""
        reply = await self._run(
            "leave",
            ask.egress,
            epoch,
            {
                **_about(passage.id, ask),
                "counts_for": _ms(passage.counts_for),
                "running_for": _ms(passage.running_for),
                "repeats_for": _ms(passage.repeats_for),
                "seconds": _ms(seconds),
            }
            | ({"verdict": verdict.value} if verdict is not None else {}),
        )
        if not reply:
            return None
        errors, opens, patient, pause, busy, lone = (int(each) for each in reply)
        spans = (opens / _MS, patient / _MS, pause / _MS)
        return Line(ask.app_key, ask.endpoint, ask.company, errors, *spans, busy, lone / _MS)

    async def abandon(self, epoch: str, id: str, ask: Ask) -> None:
        """Give up waiting. A place that was given without our hearing of it is free again."""
        nothing = {"counts_for": 0, "running_for": 0, "repeats_for": 0}
        await self._run("abandon", ask.egress, epoch, {**_about(id, ask), **nothing})

    async def block(self, egress: str, app_key: str, seconds: float) -> None:
        """Shut every method of an app_key for so long; never for less than it is shut already."""
        await self._run("block", egress, "", {"app_key": app_key, "block_for": _ms(seconds)})

    async def seen_epoch(self, egress: str) -> str:
        """Return the epoch that Valkey knows; empty after a flush. Raises ValkeyLost."""
        try:
            await self._run("abandon", egress, "?", {"id": "", "app_key": "", "endpoint": "", "digest": ""})
        except EpochLost as lost:
            return lost.current
        return "?"

    async def seed(self, egress: str, epoch: str, seen: str, memory: Memory) -> bool:
        """Begin an epoch from what the book remembers; False when the epoch was no longer `seen`."""
        reply = await self._run("seed", egress, epoch, {"seen": seen, **_remembered(memory)})
        return bool(reply == ["ok"])

    async def woken(self, egress: str, id: str, seconds: float) -> None:
        """Sleep for so long, or until a place is free for this waiter."""
        await self._wakes.wait(_channel(egress), id, seconds)

    def waits_no_more(self, egress: str, id: str) -> None:
        """Forget a waiter of this process."""
        self._wakes.forget(_channel(egress), id)

    async def _run(self, verb: str, egress: str, epoch: str, facts: dict[str, Any]) -> list[Any]:
        arguments = (b"1", _state_key(egress).encode(), verb.encode(), epoch.encode(), orjson.dumps(facts))
        try:
            try:
                reply = await self._lines.ask(b"EVALSHA", self._hash(egress), *arguments)
            except NoScriptError:
                # A server that lost its scripts was restarted or replaced: what it remembers may be stale.
                forget = (self._script(egress).encode(), *arguments[:2], b"forget", b"", arguments[-1])
                await self._lines.ask(b"EVAL", *forget)
                reply = await self._lines.ask(b"EVALSHA", self._hash(egress), *arguments)
        except _AWAY as exc:
            raise ValkeyLost(type(exc).__name__) from exc
        told = [each.decode() if isinstance(each, bytes) else each for each in reply]
        if told and told[0] == "epoch":
            raise EpochLost(str(told[1]))
        return told

    def _script(self, egress: str) -> str:
        # One of its own for each egress: that the server still knows it is the sign that it was not replaced.
        rules = re.sub(r"\bL\.(\w+)", lambda limit: str(self._limits[limit[1]]), _SCRIPT)
        return f"-- {_tag(egress)}\n{rules}"

    def _hash(self, egress: str) -> bytes:
        if egress not in self._hashes:
            script = self._script(egress).encode()
            self._hashes[egress] = hashlib.sha1(script).hexdigest().encode()  # noqa: S324 - as Valkey names it
        return self._hashes[egress]


class Wakes:
    """One subscription while anybody of this process waits; the script names those for whom a place is free."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: dict[str, dict[str, asyncio.Event]] = defaultdict(dict)
        self._listeners: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Stop listening."""
        listeners, self._listeners = list(self._listeners.values()), {}
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)

    async def wait(self, channel: str, id: str, seconds: float) -> None:
        """Sleep until named or until the time is over."""
        # Kept between two waits: a call that comes while the script is asked again must not be lost.
        called = self._waiting[channel].setdefault(id, asyncio.Event())
        if channel not in self._listeners:
            self._listeners[channel] = asyncio.create_task(self._listen(channel), name="gate wake-ups")
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await called.wait()
        called.clear()

    def forget(self, channel: str, id: str) -> None:
        """End the waiting of one waiter."""
        if channel in self._waiting:
            self._waiting[channel].pop(id, None)

    async def _listen(self, channel: str) -> None:
        try:
            while self._waiting[channel]:
                with suppress(*_AWAY):
                    async with self._redis.pubsub() as subscription:
                        await subscription.subscribe(channel)
                        await self._hear(channel, subscription)
                        continue
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self._listeners.pop(channel, None)

    async def _hear(self, channel: str, subscription: Any) -> None:
        quiet, is_asked = 0, False
        while quiet < 3:
            message = await subscription.get_message(timeout=_PROBE_SECONDS)
            if message is None:
                # A frozen server, or one cut off, keeps its socket open: there may be a new master meanwhile.
                if is_asked:
                    raise TimeoutError("the server of the wake-ups does not answer")
                await subscription.ping()
                is_asked = True
                # Who has nobody left to wake for a while lets the connection go.
                quiet = 0 if self._waiting[channel] else quiet + 1
                continue
            is_asked = False
            if message["type"] == "message":
                self._call(channel, message["data"])

    def _call(self, channel: str, data: bytes) -> None:
        for id in data.decode().split():
            called = self._waiting[channel].get(id)
            if called is not None:
                called.set()


async def _to_its_end(question: Coroutine[Any, Any, list[Any]]) -> list[Any]:
    """Ask, and hear the answer even when cancelled: what takes a place back must not overtake what takes it.

    (A cancellation inside the client library may also be lost, in its pool's check of an idle connection.)
    """
    asking = asyncio.create_task(question)
    try:
        await asyncio.wait([asking])
    except asyncio.CancelledError:
        await asyncio.wait([asking])
        asking.exception()
        raise
    return asking.result()


def _about(id: str, ask: Ask) -> dict[str, Any]:
    return {"id": id, "app_key": ask.app_key, "endpoint": ask.endpoint, "digest": ask.params_digest}


def _remembered(memory: Memory) -> dict[str, Any]:
    return {
        "passages": [
            [
                each.id,
                f"{each.app_key}:{each.endpoint}" if each.app_key else "",
                _ms(each.counts_for),
                _ms(each.running_for),
                _ms(each.repeats_for),
                each.digest,
            ]
            for each in memory.passages
        ],
        "lines": [
            [
                f"{line.app_key}:{line.endpoint}",
                line.errors,
                _ms(line.opens_in),
                _ms(line.patient_in),
                _ms(line.paused_for),
                line.busy_runs,
                _ms(line.lone_for),
            ]
            for line in memory.lines
        ],
        "blocks": [[app_key, _ms(seconds)] for app_key, seconds in memory.blocks if seconds > 0],
    }


def _tag(egress: str) -> str:
    return "".join(letter if letter.isprintable() and letter not in "{}" else "_" for letter in egress)


def _state_key(egress: str) -> str:
    return f"gate:{{{_tag(egress)}}}:state"


def _channel(egress: str) -> str:
    return f"gate:{{{_tag(egress)}}}:wake"


def _ms(seconds: float) -> int:
    return max(0, math.ceil(seconds * _MS))
