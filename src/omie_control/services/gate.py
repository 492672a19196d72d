"""The gate before Omie: nobody sends a call without a ticket, and every ticket comes back with its verdict.

Valkey decides; PostgreSQL keeps the book and decides while Valkey is away. Only PostgreSQL says which of the two it
is, so that all processes agree: an epoch of Valkey's state is good while it is the one in the book (decision 0009).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from omie_control.domain.gate import (
    Admitted,
    Answer,
    Ask,
    Limits,
    Line,
    Memory,
    Passage,
    Ticket,
    TurnedAway,
    Verdict,
    Wait,
    Why,
    busy,
    entering,
    leaving,
)
from omie_control.errors import ControlError, OmieBusy, StorageDown
from omie_control.postgres.gate import Block, PostgresGate, Standing
from omie_control.services.gate_book import Book, Pace
from omie_control.telemetry import Event, tell
from omie_control.valkey.gate import EpochLost, ValkeyGate, ValkeyLost

__all__ = ["Ask", "DoubleGate", "Gate", "Limits", "Pace", "Ticket", "Verdict"]

_LEAVE_TRIES = 5
_LEAVE_AGAIN_SECONDS = 0.2


class Gate(Protocol):
    """What the way to Omie needs of a gate."""

    async def enter(self, ask: Ask) -> Ticket:
        """Wait fairly for leave to send one call; OmieBusy at once when that would take longer than its patience."""

    async def leave(self, ticket: Ticket, verdict: Verdict, seconds: float | None = None) -> None:
        """Give the ticket back; `seconds` is what Omie's text said. Never raises, survives a cancelled caller."""


class DoubleGate:
    """Valkey's gate while it is there, PostgreSQL's otherwise; both must have been given the same limits."""

    def __init__(self, valkey: ValkeyGate, postgres: PostgresGate, *, pace: Pace | None = None) -> None:
        self._valkey = valkey
        self._postgres = postgres
        self._limits = valkey.limits
        self._pace = pace if pace is not None else Pace()
        self._book = Book(postgres, self._pace, self._moved)
        self._app_keys: dict[str, str] = {}
        self._rebuilding = asyncio.Lock()
        self._healers: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        # Until when, on the monotonic clock: blocks that PostgreSQL has not taken yet, and who tries again.
        self._owed: dict[str, tuple[float, asyncio.Task[None]]] = {}

    async def close(self) -> None:
        """Give back what is being given back, and write the book."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=_LEAVE_TRIES)
        tasks = [*self._healers.values(), *(payer for _, payer in self._owed.values())]
        self._healers.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._book.close()
        await self._valkey.close()

    async def enter(self, ask: Ask) -> Ticket:
        """Wait fairly for leave to send one call.

        Raises OmieBusy, with `until`, as soon as the wait is known to be longer than `patience_seconds`;
        StorageDown while PostgreSQL is away.
        """
        id = str(uuid4())
        began = time.monotonic()
        if ask.app_key in self._owed:
            raise busy(Why.BLOCK, max(0.0, self._owed[ask.app_key][0] - began), datetime.now(UTC))
        self._app_keys[ask.company] = ask.app_key
        try:
            answer = await self._wait(id, ask, began)
        except OmieBusy:
            self._in_background(self._abandon(id, ask))
            raise
        except BaseException:
            # It may have been let through at this very moment, and will send nothing.
            self._book.note(ask.egress, leaving(id, ask, Verdict.NOT_SENT, None, self._limits))
            self._in_background(self._abandon(id, ask))
            raise
        finally:
            self._valkey.waits_no_more(ask.egress, id)
        waited = time.monotonic() - began
        resets_at = datetime.now(UTC) + timedelta(seconds=answer.resets_in)
        return Ticket(id, ask, time.time(), waited, answer.remaining, resets_at)

    async def leave(self, ticket: Ticket, verdict: Verdict, seconds: float | None = None) -> None:
        """Give the ticket back; goes on when the caller is cancelled."""
        await asyncio.shield(self._in_background(self._leave(ticket, verdict, seconds)))

    async def blocks(self) -> list[Block]:
        """Return Omie's blocks that last."""
        return await self._postgres.blocked()

    async def _wait(self, id: str, ask: Ask, began: float) -> Admitted:
        cancelled = _cancellations()
        while True:
            waited = time.monotonic() - began
            left = ask.patience_seconds - waited
            answer = await self._ask(id, ask, max(0.0, left), waited)
            _heed_cancellation(cancelled)
            match answer:
                case Admitted():
                    return answer
                case TurnedAway(seconds, why):
                    raise busy(why, seconds, datetime.now(UTC))
                case Wait(seconds, why):
                    if left <= 0:
                        raise busy(why, seconds, datetime.now(UTC))
                    await self._sleep(id, ask, min(seconds, left, self._limits.waiter_seconds / 3))

    async def _sleep(self, id: str, ask: Ask, seconds: float) -> None:
        standing = self._book.latest(ask.egress)
        if standing is not None and standing.is_fallback:
            await self._postgres.woken(ask.egress, id, seconds)
        else:
            await self._valkey.woken(ask.egress, id, seconds)

    async def _ask(self, id: str, ask: Ask, patience: float, waited: float) -> Answer:
        """Ask whoever decides, until it was the one who decides."""
        while True:
            standing = await self._book.standing(ask.egress)
            if standing.is_fallback:
                self._heal(ask.egress)
                settle = self._pace.switch_settles
                answer = await self._postgres.enter(id, ask, patience=patience, waited=waited, settle=settle)
                if answer is not None:
                    return answer
                self._book.forget(ask.egress)
                continue
            began = time.monotonic()
            try:
                answer = await self._valkey.enter(str(standing.epoch), id, ask, patience=patience, waited=waited)
            except EpochLost as lost:
                await self._rebuild(ask.egress, standing, lost.current)
                continue
            except ValkeyLost as lost:
                await self._fall_back(ask.egress, standing, str(lost))
                continue
            if not isinstance(answer, Admitted) or await self._is_booked(id, ask, standing, began):
                return answer

    async def _is_booked(self, id: str, ask: Ask, standing: Standing, began: float) -> bool:
        """Write a call down that Valkey let through; False when its epoch was over before we knew."""
        passage = entering(id, ask, self._limits)
        if not self._book.is_late(ask.egress, began):
            self._book.note(ask.egress, passage)
            return True
        now = await self._book.write_now(ask.egress, passage)
        if now == standing:
            return True
        self._book.note(ask.egress, leaving(id, ask, Verdict.NOT_SENT, None, self._limits))
        return False

    async def _rebuild(self, egress: str, standing: Standing, seen: str) -> None:
        """Seed Valkey from the book; the first of all processes does it, the others wait for it and go on."""
        async with self._rebuilding:
            latest = self._book.latest(egress)
            if latest is not None and latest != standing:
                return
            began = time.monotonic()

            async def seed(epoch: int, memory: Memory) -> bool:
                is_done = await self._valkey.seed(egress, str(epoch), seen, memory)
                if is_done:
                    tell(
                        Event.GATE_REBUILT,
                        egress=egress,
                        epoch=epoch,
                        calls=len(memory.passages),
                        blocks=len(memory.blocks),
                        seconds=round(time.monotonic() - began, 3),
                    )
                return is_done

            try:
                after = await self._postgres.rebuild(
                    egress,
                    standing.epoch,
                    seed,
                    settle=self._pace.flush_settles,
                    oldest=self._pace.fallback,
                    known=dict(self._app_keys),
                )
            except ValkeyLost as lost:
                await self._fall_back(egress, standing, str(lost))
                return
            except EpochLost:
                self._book.forget(egress)
                return
            self._book.forget(egress)
            await self._book.learn(egress, after, time.monotonic())

    async def _fall_back(self, egress: str, standing: Standing, reason: str) -> None:
        if standing.is_fallback:
            return
        after = await self._postgres.fall_back(egress, standing.epoch)
        if after == Standing(standing.epoch + 1, True):
            tell(Event.GATE_FALLBACK, egress=egress, reason=reason)
        await self._book.learn(egress, after, time.monotonic())

    def _heal(self, egress: str) -> None:
        """See to it that Valkey gets its turn back when it answers again."""
        healer = self._healers.get(egress)
        if healer is None or healer.done():
            self._healers[egress] = asyncio.create_task(self._try_valkey(egress), name="gate healer")

    async def _try_valkey(self, egress: str) -> None:
        while True:
            await asyncio.sleep(self._pace.probe)
            with suppress(ValkeyLost, StorageDown):
                standing = await self._book.standing(egress)
                if not standing.is_fallback:
                    return
                await self._rebuild(egress, standing, await self._valkey.seen_epoch(egress))

    async def _moved(self, egress: str, standing: Standing, left: list[tuple[Ask, Passage]]) -> None:
        """Tell a new epoch of calls that left lately: when it was seeded, the book may have had them running."""
        if standing.is_fallback:
            return
        with suppress(ValkeyLost, EpochLost):
            for ask, passage in left:
                await self._valkey.leave(str(standing.epoch), ask, passage, None, 0.0)

    async def _leave(self, ticket: Ticket, verdict: Verdict, seconds: float | None) -> None:
        ask, said = ticket.ask, seconds if seconds is not None else 0.0
        if verdict is Verdict.BLOCKED:
            await self._block(ask, said)
        for attempt in range(1, _LEAVE_TRIES + 1):
            passage = leaving(ticket.id, ask, verdict, seconds, self._limits)
            try:
                is_out, line = await self._take_out(ask, passage, verdict, said)
            except (ControlError, ValkeyLost):
                is_out, line = False, None
            if is_out or attempt == _LEAVE_TRIES:
                # Not even PostgreSQL took it: the book will, and until it has, nobody of this process enters.
                self._book.note_left(ask, passage, line)
                return
            await asyncio.sleep(_LEAVE_AGAIN_SECONDS * (attempt - 1))

    async def _take_out(self, ask: Ask, passage: Passage, verdict: Verdict, seconds: float) -> tuple[bool, Line | None]:
        """Take a call out where it is decided now; False when that changed meanwhile."""
        standing = self._book.latest(ask.egress) or await self._book.standing(ask.egress)
        if standing.is_fallback:
            if await self._postgres.leave(ask, passage, verdict, seconds):
                return True, None
            self._book.forget(ask.egress)
            await self._book.standing(ask.egress)
            return False, None
        try:
            return True, await self._valkey.leave(str(standing.epoch), ask, passage, verdict, seconds)
        except EpochLost as lost:
            await self._rebuild(ask.egress, standing, lost.current)
        except ValkeyLost as lost:
            await self._fall_back(ask.egress, standing, str(lost))
        return False, None

    async def _block(self, ask: Ask, seconds: float) -> None:
        """Shut an app_key everywhere: first in PostgreSQL, where it outlives everything, then in Valkey."""
        lasts, egresses = seconds if seconds > 0 else self._limits.block_seconds, [ask.egress]
        try:
            lasts, egresses = await self._postgres.block(ask.app_key, ask.company, ask.endpoint, lasts)
        except ControlError:
            self._owe(ask, time.monotonic() + lasts)
        tell(Event.GATE_BLOCKED, company=ask.company, endpoint=ask.endpoint, seconds=round(lasts))
        await self._shut(egresses, ask.app_key, lasts)

    def _owe(self, ask: Ask, until: float) -> None:
        """Remember a block here until PostgreSQL has taken it; of two, the longer one."""
        before = self._owed.get(ask.app_key)
        if before is not None:
            before[1].cancel()
            until = max(until, before[0])
        self._owed[ask.app_key] = until, asyncio.create_task(self._pay(ask, until), name="gate block")

    async def _pay(self, ask: Ask, until: float) -> None:
        """Write a block down as soon as PostgreSQL takes it; until then this process lets nobody of its app_key in."""
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(_LEAVE_AGAIN_SECONDS)
            with suppress(ControlError):
                lasts, egresses = await self._postgres.block(ask.app_key, ask.company, ask.endpoint, left)
                await self._shut(egresses, ask.app_key, lasts)
                break
        self._owed.pop(ask.app_key, None)

    async def _shut(self, egresses: list[str], app_key: str, seconds: float) -> None:
        for egress in egresses:
            with suppress(ValkeyLost, EpochLost):
                await self._valkey.block(egress, app_key, seconds)

    async def _abandon(self, id: str, ask: Ask) -> None:
        standing = self._book.latest(ask.egress)
        with suppress(ControlError, ValkeyLost, EpochLost):
            if standing is None or standing.is_fallback:
                await self._postgres.abandon(id)
            else:
                await self._valkey.abandon(str(standing.epoch), id, ask)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _heed_cancellation(before: int) -> None:
    """Raise a cancellation that came since then and was lost on its way through a driver."""
    if _cancellations() > before:
        raise asyncio.CancelledError
