"""Verifying: the database against its seals, the seals against each other, all of it against what lies outside.

The chain is read in its order and every record that a leaf names is read and hashed again, a thousand at a time.
Whether there is a record that no leaf names is asked of sums: for each span of seventeen minutes, the records that
leaves named and the records that are there must add up alike; only spans that differ are looked into one by one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from omie_control.domain.damages import Damage, Finding
from omie_control.domain.executions import uuid7
from omie_control.domain.sealed_records import Record
from omie_control.domain.seals import FOLLOWING, Kind, Leaf, Seal, SigningKey, State, bucket_of, instant_of
from omie_control.postgres import sealed_rows
from omie_control.postgres import seals as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.postgres.sealed_rows import Tally
from omie_control.services.seals_chain import Chain, Retired
from omie_control.services.seals_checkpoints import Checkpoints
from omie_control.services.seals_keys import SealKeys
from omie_control.services.seals_uncovered import uncovered

_SEALS_AT_ONCE = 8
_READ_AT_ONCE = 1000
_WEIGHT_BYTES = 7
SUBJECTS = {Kind.EXECUTION: "execution", Kind.EVENT: "event", Kind.CONTENT: "execution"}
_TABLES = {Kind.EXECUTION: "process_executions", Kind.EVENT: "audit_events", Kind.CONTENT: "process_executions"}


@dataclass(slots=True)
class Reckoning:
    """How far a verification is, and at its end what it went over."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    first: int | None = None
    last: int | None = None
    seals: int = 0
    records: int = 0
    waiting: int = 0
    findings: int = 0


@dataclass(slots=True)
class _Open:
    """An execution that was sealed in a state that another may follow."""

    state: State
    seal: int
    is_as_sealed: bool


class Verifier:
    """One verification; `findings()` gives what it finds as it goes, `reckoning` how far it is.

    `since` leaves out the seals before an instant; `after` those up to a number.
    """

    def __init__(
        self,
        postgres: Postgres,
        keys: SealKeys,
        checkpoints: Checkpoints,
        *,
        since: datetime | None = None,
        after: int | None = None,
    ) -> None:
        self._postgres = postgres
        self._keys = keys
        self._checkpoints = checkpoints
        self._since = since
        self._after = after
        self._seed = secrets.token_hex(16)
        self._open: dict[UUID, _Open] = {}
        self._unmatched: dict[UUID, int] = {}
        self._sums: dict[Kind, dict[str, Tally]] = {kind: {} for kind in Kind}
        self._retired = Retired()
        self._ours: dict[str, SigningKey] = {}
        self.reckoning = Reckoning()

    async def findings(self) -> AsyncIterator[Finding]:
        """Go through everything; give each finding as soon as it is certain."""
        async for finding in self._all():
            self.reckoning.findings += 1
            yield finding

    async def _all(self) -> AsyncIterator[Finding]:
        async with self._postgres.transaction() as tx:
            self._ours, strange = await self._keys.believed(tx)
            chain = Chain(self._ours, self._checkpoints, await self._first(tx))
        for id in strange:
            yield Finding(Damage.KEY_FORGED, "key", id)
        is_going_on = True
        while is_going_on:
            async with self._postgres.transaction() as tx:
                await sealed_rows.pin(tx)
                some = await store.after(tx, chain.sequence, _SEALS_AT_ONCE)
                is_going_on = bool(some)
                async for finding in self._seals(tx, chain, some):
                    yield finding
        await asyncio.to_thread(chain.look_outside)
        # What was recorded meanwhile is weighed in one state of the database, so that nothing is between two.
        async with self._postgres.transaction() as tx:
            await store.snapshot(tx)
            await sealed_rows.pin(tx)
            while some := await store.after(tx, chain.sequence, _SEALS_AT_ONCE):
                async for finding in self._seals(tx, chain, some):
                    yield finding
            for finding in chain.end():
                yield finding
            async for finding in self._end(tx):
                yield finding

    async def _first(self, tx: Connection) -> Seal | None:
        """Return the seal before the first that is verified, and so believed; None: from the beginning."""
        if self._after is not None:
            sequence = self._after
        elif self._since is not None:
            sequence = await store.last_before(tx, self._since)
        else:
            return None
        anchor = await store.by_sequence(tx, sequence)
        if anchor is not None and self._since is None:
            self._since = instant_of(anchor.at)
        return anchor

    async def _seals(self, tx: Connection, chain: Chain, some: Sequence[Seal]) -> AsyncIterator[Finding]:
        for seal in some:
            for finding in chain.link(seal):
                yield finding
            self.reckoning.first = self.reckoning.first or seal.sequence
            self.reckoning.last = seal.sequence
            self.reckoning.seals += 1
            for at in range(0, len(chain.leaves), _READ_AT_ONCE):
                leaves = chain.leaves[at : at + _READ_AT_ONCE]
                found: dict[Kind, dict[UUID, Record]] = {}
                for kind in Kind:
                    ids = [leaf.id for leaf in leaves if leaf.kind is kind]
                    found[kind] = await sealed_rows.read(tx, kind, ids)
                if any(leaf.id not in found[leaf.kind] for leaf in leaves):
                    self._retired.learn(await store.noted(tx), self._ours)
                for leaf in leaves:
                    self.reckoning.records += 1
                    for finding in self._leaf(leaf, found[leaf.kind].get(leaf.id), seal.sequence):
                        yield finding

    def _leaf(self, leaf: Leaf, record: Record | None, seal: int) -> Iterator[Finding]:
        if leaf.kind is Kind.CONTENT:
            return self._content(leaf, record, seal)
        if leaf.kind is Kind.EVENT:
            return self._event(leaf, record, seal)
        return self._execution(leaf, record, seal)

    def _event(self, leaf: Leaf, record: Record | None, seal: int) -> Iterator[Finding]:
        if record is None:
            yield from self._gone(leaf, seal)
            return
        self._count(leaf)
        if record.hash != leaf.hash:
            yield _found(Damage.CHANGED, leaf, seal, record)

    def _execution(self, leaf: Leaf, record: Record | None, seal: int) -> Iterator[Finding]:
        before = self._open.pop(leaf.id, None)
        if before is not None and leaf.state not in FOLLOWING[before.state]:
            yield _found(Damage.SEALED_TWICE, leaf, seal, record)
        if record is None:
            yield from self._gone(leaf, seal)
            return
        if before is None:
            self._count(leaf)
        is_as_sealed = record.hash == leaf.hash
        if leaf.state in FOLLOWING:
            self._open[leaf.id] = _Open(leaf.state, seal, is_as_sealed)
        elif not is_as_sealed:
            yield _found(Damage.CHANGED, leaf, seal, record)

    def _content(self, leaf: Leaf, record: Record | None, seal: int) -> Iterator[Finding]:
        """Check what was written anew: the last such leaf counts, and only while the execution says that it was."""
        if record is not None and record.content_hash is not None:
            if record.hash_of_content == leaf.hash:
                self._unmatched.pop(leaf.id, None)
                self._count(leaf)
            else:
                self._unmatched[leaf.id] = seal
        yield from ()

    def _gone(self, leaf: Leaf, seal: int) -> Iterator[Finding]:
        if not self._retired.holds(_TABLES[leaf.kind], leaf.id):
            yield _found(Damage.REMOVED, leaf, seal, None)

    def _count(self, leaf: Leaf) -> None:
        sums, bucket = self._sums[leaf.kind], bucket_of(leaf.id)
        weight = int.from_bytes(sha256(f"{self._seed}{leaf.id}".encode()).digest()[:_WEIGHT_BYTES], "big")
        before = sums.get(bucket, Tally(0, 0))
        sums[bucket] = Tally(before.count + 1, before.weight + weight)

    async def _end(self, tx: Connection) -> AsyncIterator[Finding]:
        """Judge what could only be judged with everything seen: open executions, and records without a leaf."""
        queued = await self._queued(tx)
        doubtful = [id for id, each in self._open.items() if not each.is_as_sealed and id not in queued[Kind.EXECUTION]]
        records = await sealed_rows.read(tx, Kind.EXECUTION, doubtful)
        for id in doubtful:
            each = self._open[id]
            yield _found(Damage.CHANGED, Leaf(Kind.EXECUTION, each.state, id, b""), each.seal, records.get(id))
        records = await sealed_rows.read(tx, Kind.CONTENT, list(self._unmatched))
        for id, seal in self._unmatched.items():
            yield _found(Damage.CONTENT_CHANGED, Leaf(Kind.CONTENT, State.NONE, id, b""), seal, records.get(id))
        since = None if self._since is None else uuid7(int(self._since.timestamp() * 1000), bytes(10))
        for kind in Kind:
            there = await sealed_rows.tallies(tx, kind, since, self._seed)
            for id in queued[kind] - self._open.keys():
                self._count(Leaf(kind, State.NONE, id, b""))
            named = self._sums[kind]
            spans = [bucket for bucket in there.keys() | named.keys() if there.get(bucket) != named.get(bucket)]
            if since is not None:
                # The span that the instant falls into is only half seen.
                spans = [bucket for bucket in spans if bucket > bucket_of(since)]
            async for finding in uncovered(tx, kind, spans, queued[kind]):
                yield finding

    async def _queued(self, tx: Connection) -> dict[Kind, set[UUID]]:
        """Return what waits for its seal and is there to be sealed."""
        waiting: dict[Kind, set[UUID]] = defaultdict(set)
        skipped = 0
        while some := await store.queued(tx, _READ_AT_ONCE, skipped):
            skipped += len(some)
            for kind, ids in some:
                found = await sealed_rows.read(tx, kind, ids)
                waiting[kind].update(id for id in ids if id in found and found[id].state is not None)
        self.reckoning.waiting = sum(len(ids) for ids in waiting.values())
        return waiting


def _found(damage: Damage, leaf: Leaf, seal: int, record: Record | None) -> Finding:
    return Finding(damage, SUBJECTS[leaf.kind], str(leaf.id), None if record is None else record.name, seal)
