"""The gate's book in PostgreSQL: which epoch of Valkey is good, what it is rebuilt from, Omie's blocks; and the gate
itself, behind the lock of one row, while Valkey is away.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from omie_control.domain.gate import Admitted, Answer, Ask, Limits, Line, Memory, Passage, Verdict, Wait, Why, entering
from omie_control.domain.gate_rules import Board, Waiter, learnt
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection, queries

_sql = queries("gate")
_OPEN_SPAN_SECONDS = 86_400.0
_WOKEN_AT_ONCE = 2
# One who cannot go before an instant keeps no place from the others until then.
_NOT_BEFORE = frozenset({Why.REDUNDANT, Why.PAUSE, Why.BREAKER})

Seed = Callable[[int, Memory], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who decides for an egress: Valkey under this epoch, or PostgreSQL."""

    epoch: int
    is_fallback: bool


@dataclass(frozen=True, slots=True)
class Block:
    """One block of Omie's that lasts."""

    app_key: str
    company: str
    endpoint: str
    noted_at: datetime
    blocked_until: datetime
    blocked_for: float


@dataclass(frozen=True, slots=True)
class Spent:
    """How many calls of a method of a company count now; `company` is its id as text."""

    company: str
    endpoint: str
    calls: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A method of a company that rests after so many errors in a row."""

    company: str
    endpoint: str
    errors: int
    seconds_left: float


class PostgresGate:
    """Every method raises StorageDown while PostgreSQL is away: then nothing may leave."""

    def __init__(self, postgres: Postgres, limits: Limits | None = None) -> None:
        self._postgres = postgres
        self.limits = limits if limits is not None else Limits()
        # One of this process at the row's lock at a time, so that a queue never takes the whole pool.
        self._turn = asyncio.Lock()
        self._sleeping: dict[str, dict[str, asyncio.Event]] = defaultdict(dict)

    async def standing(self, egress: str) -> Standing:
        """Say who decides for an egress now."""
        async with self._postgres.transaction() as tx:
            row = await _sql.standing.one(tx, egress=egress)
            if row is None:
                await _sql.announce.run(tx, egress=egress)
                row = await _sql.standing.one(tx, egress=egress)
        return Standing(0, False) if row is None else Standing(row["epoch"], row["is_fallback"])

    async def book(
        self, passages: Sequence[tuple[str, Passage]], lines: Sequence[tuple[str, Line]], whose: Sequence[str]
    ) -> dict[str, Standing]:
        """Write calls and lines down, and say who decides for the egresses in `whose`."""
        async with self._postgres.transaction() as tx:
            for egress, line in lines:
                await _learn(tx, egress, line)
            rows = await _sql.book.fetch(tx, **_columns(passages), whose=list(whose))
        return {row["egress"]: Standing(row["epoch"], row["is_fallback"]) for row in rows}

    async def fall_back(self, egress: str, epoch: int) -> Standing:
        """Take over from Valkey, unless somebody has changed the epoch already."""
        async with self._postgres.transaction() as tx:
            row = await self._lock(tx, egress)
            if row["epoch"] != epoch or row["is_fallback"]:
                return Standing(row["epoch"], row["is_fallback"])
            await _sql.change.run(tx, egress=egress, epoch=epoch + 1, is_fallback=True)
        return Standing(epoch + 1, True)

    async def rebuild(
        self, egress: str, epoch: int, seed: Seed, *, settle: float, oldest: float, known: Mapping[str, str]
    ) -> Standing:
        """Begin a new epoch of Valkey's with what this book remembers, unless somebody was faster.

        Before it is read, everybody gets `settle` seconds to write down what he let through. A fallback younger
        than `oldest` seconds stays. `known`: the app_key of companies, for calls that only the metrics know.
        """
        async with self._postgres.transaction() as tx:
            row = await self._lock(tx, egress)
            if row["epoch"] != epoch or (row["is_fallback"] and row["age"] < oldest):
                return Standing(row["epoch"], row["is_fallback"])
            if not row["is_fallback"]:
                await asyncio.sleep(settle)
            if not await seed(epoch + 1, await self.recall(tx, egress, known)):
                return Standing(row["epoch"], row["is_fallback"])
            await _sql.change.run(tx, egress=egress, epoch=epoch + 1, is_fallback=False)
        return Standing(epoch + 1, False)

    async def recall(self, connection: Connection, egress: str, known: Mapping[str, str]) -> Memory:
        """Read everything that still counts; where two books disagree, the one that holds more calls is believed."""
        rows = await _sql.counting.fetch(connection, egress=egress)
        lines = await _sql.lines.fetch(connection, egress=egress)
        booked = [_passage(row) for row in rows]
        app_keys = {**known, **{row["company"]: row["app_key"] for row in (*rows, *lines)}}
        span = self.limits.held_seconds + self.limits.lease_seconds
        measured = await _sql.measured.fetch(connection, span=span)
        open_now = await _sql.open_executions.fetch(connection, span=_OPEN_SPAN_SECONDS)
        return Memory(
            passages=(*booked, *_unbooked(booked, measured, open_now, app_keys, self.limits)),
            lines=tuple(_line(row) for row in lines),
            blocks=tuple((block.app_key, block.blocked_for) for block in await self.blocks(connection)),
        )

    async def enter(self, id: str, ask: Ask, *, patience: float, waited: float, settle: float) -> Answer | None:
        """Decide here whether a call may leave now, and write it down if so. None: it is Valkey's turn again.

        During the first `settle` seconds nobody enters: somebody may still believe in the epoch before.
        """
        async with self._turn, self._postgres.transaction() as tx:
            row = await self._lock(tx, ask.egress)
            if not row["is_fallback"]:
                return None
            board = await self._board(tx, ask)
            me = Waiter(id, ask.line, ask.writes, ask.company, ask.caller, ask.is_background, row["now"] - waited)
            answer = board.decide(id, ask, me, patience)
            if isinstance(answer, Admitted) and row["age"] < settle:
                answer = Wait(settle - row["age"], Why.CROWD)
            await self._note(tx, id, ask, answer, waited)
        return answer

    async def leave(self, ask: Ask, passage: Passage, verdict: Verdict, seconds: float) -> bool:
        """Take a call out that Valkey does not decide about; False when Valkey decides again."""
        async with self._turn, self._postgres.transaction() as tx:
            row = await self._lock(tx, ask.egress)
            if not row["is_fallback"]:
                return False
            lines = await self._lines(tx, ask.egress)
            before = lines.get(ask.line, Line(ask.app_key, ask.endpoint, ask.company))
            after = learnt(before, verdict, seconds, self.limits)
            if after is not None:
                await _learn(tx, ask.egress, after)
            await _sql.book.fetch(tx, **_columns([(ask.egress, passage)]), whose=[])
        self._wake(ask.egress)
        return True

    async def abandon(self, id: str) -> None:
        """Give up waiting here; what was let through meanwhile has sent nothing."""
        async with self._postgres.transaction() as tx:
            await _sql.abandon.run(tx, id=UUID(id))

    async def woken(self, egress: str, id: str, seconds: float) -> None:
        """Sleep for so long, or until a call of this process left."""
        called = self._sleeping[egress].setdefault(id, asyncio.Event())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await called.wait()
        finally:
            self._sleeping[egress].pop(id, None)

    async def block(self, app_key: str, company: str, endpoint: str, seconds: float) -> tuple[float, list[str]]:
        """Write a block of Omie's down; returns how long it lasts and every egress that has to know."""
        async with self._postgres.transaction() as tx:
            row = await _sql.block.one(tx, app_key=app_key, company=company, endpoint=endpoint, seconds=seconds)
            egresses = [each["egress"] for each in await _sql.egresses.fetch(tx)]
        assert row is not None
        return float(row["blocked_for"]), egresses

    async def blocked(self) -> list[Block]:
        """Return the blocks that last, for people to see."""
        async with self._postgres.transaction() as tx:
            return await self.blocks(tx)

    async def blocks(self, connection: Connection) -> list[Block]:
        """Return the blocks that last, on a given connection."""
        return [Block(**row) for row in await _sql.blocks.fetch(connection)]

    async def spending(self, companies: Sequence[str]) -> tuple[list[Spent], list[Paused]]:
        """Return what of these companies counts and rests now, for people to see; the book may lag by a moment."""
        async with self._postgres.reading() as connection:
            spent = [Spent(**row) for row in await _sql.spent.fetch(connection, companies=list(companies))]
            paused = [Paused(**row) for row in await _sql.paused.fetch(connection, companies=list(companies))]
        return spent, paused

    async def prune(self) -> None:
        """Forget what no longer matters."""
        async with self._postgres.transaction() as tx:
            await _sql.prune.one(tx)

    async def _lock(self, tx: Connection, egress: str) -> asyncpg.Record:
        row = await _sql.lock.one(tx, egress=egress)
        if row is None:
            await _sql.announce.run(tx, egress=egress)
            row = await _sql.lock.one(tx, egress=egress)
        assert row is not None
        return row

    async def _lines(self, tx: Connection, egress: str) -> dict[str, Line]:
        lines = [_line(row) for row in await _sql.lines.fetch(tx, egress=egress)]
        return {f"{line.app_key}:{line.endpoint}": line for line in lines}

    async def _board(self, tx: Connection, ask: Ask) -> Board:
        counting = await _sql.counting.fetch(tx, egress=ask.egress)
        blocks = {block.app_key: block.blocked_for for block in await self.blocks(tx)}
        return Board(
            limits=self.limits,
            passages=[_passage(row) for row in counting],
            lines=await self._lines(tx, ask.egress),
            blocked_for=blocks.get(ask.app_key, 0.0),
            waiters=[_waiter(row) for row in await _sql.waiting.fetch(tx, egress=ask.egress)],
            served=_served(counting),
        )

    async def _note(self, tx: Connection, id: str, ask: Ask, answer: Answer, waited: float) -> None:
        if isinstance(answer, Wait):
            from_in = answer.seconds if answer.why in _NOT_BEFORE else 0.0
            await _sql.stand.run(
                tx,
                id=UUID(id),
                egress=ask.egress,
                app_key=ask.app_key,
                endpoint=ask.endpoint,
                writes=ask.writes,
                company=ask.company,
                caller=ask.caller,
                is_background=ask.is_background,
                waited=waited,
                from_in=from_in,
                lease=self.limits.waiter_seconds,
            )
            return
        await _sql.give_up.run(tx, id=UUID(id))
        if isinstance(answer, Admitted):
            await _sql.book.fetch(tx, **_columns([(ask.egress, entering(id, ask, self.limits))]), whose=[])

    def _wake(self, egress: str) -> None:
        for called in list(self._sleeping[egress].values())[:_WOKEN_AT_ONCE]:
            called.set()


def _served(counting: Sequence[asyncpg.Record]) -> dict[tuple[str, ...], float]:
    """Say when each company, and each caller of it, entered last; whoever is not in the book comes before them."""
    last: dict[tuple[str, ...], float] = {}
    for row in counting:
        at = _OPEN_SPAN_SECONDS - row["age"]
        for name in ((row["company"],), (row["company"], row["caller"])):
            last[name] = max(last.get(name, at), at)
    return last


def _unbooked(
    booked: Sequence[Passage],
    measured: Sequence[asyncpg.Record],
    open_now: Sequence[asyncpg.Record],
    app_keys: Mapping[str, str],
    limits: Limits,
) -> list[Passage]:
    """Return the calls that only the metrics or the open executions know of, as late as they may have been."""
    held = limits.held_seconds
    counts: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in measured:
        left = row["ended"] + held
        if left > 0:
            counts[row["company"] or "", row["endpoint"]].append(min(left, held))
    have = Counter((each.company, each.endpoint) for each in booked)
    for row in open_now:
        line = (row["company"] or "", row["endpoint"])
        missing = row["open"] - max(have[line], len(counts[line]))
        counts[line] += [held] * missing
    return [
        Passage(str(uuid4()), app_keys.get(company, ""), endpoint, company, "", "", 0.0, left, 0.0)
        for (company, endpoint), spans in counts.items()
        for left in sorted(spans, reverse=True)[: max(0, len(spans) - have[company, endpoint])]
    ]


def _columns(passages: Sequence[tuple[str, Passage]]) -> dict[str, list[object]]:
    return {
        "ids": [UUID(each.id) for _, each in passages],
        "egresses": [egress for egress, _ in passages],
        "app_keys": [each.app_key for _, each in passages],
        "endpoints": [each.endpoint for _, each in passages],
        "companies": [each.company for _, each in passages],
        "callers": [each.caller[:200] for _, each in passages],
        "digests": [each.digest for _, each in passages],
        "running": [each.running_for for _, each in passages],
        "counts": [each.counts_for for _, each in passages],
        "repeats": [each.repeats_for for _, each in passages],
    }


async def _learn(tx: Connection, egress: str, line: Line) -> None:
    await _sql.learn.run(
        tx,
        egress=egress,
        app_key=line.app_key,
        endpoint=line.endpoint,
        company=line.company,
        errors=line.errors,
        opens=line.opens_in,
        patient=line.patient_in,
        paused=line.paused_for,
        busy_runs=line.busy_runs,
        lone=line.lone_for,
    )


def _passage(row: asyncpg.Record) -> Passage:
    return Passage(
        str(row["id"]),
        row["app_key"],
        row["endpoint"],
        row["company"],
        row["caller"],
        row["digest"],
        max(0.0, row["running_for"]),
        row["counts_for"],
        max(0.0, row["repeats_for"]),
    )


def _line(row: asyncpg.Record) -> Line:
    spans = {name: max(0.0, row[name]) for name in ("opens_in", "patient_in", "paused_for", "lone_for")}
    return Line(
        row["app_key"], row["endpoint"], row["company"], errors=row["errors"], busy_runs=row["busy_runs"], **spans
    )


def _waiter(row: asyncpg.Record) -> Waiter:
    return Waiter(
        str(row["id"]),
        f"{row['app_key']}:{row['endpoint']}",
        row["writes"],
        row["company"],
        row["caller"],
        row["is_background"],
        row["asked_at"],
        row["from_in"],
    )
