"""Records without a leaf, and records with more leaves than they may have: looked for one by one, where sums differ."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from omie_control.domain.damages import Damage, Finding
from omie_control.domain.executions import uuid7_ms
from omie_control.domain.seals import FOLLOWING, LEAF_BYTES, Kind, Leaf, State, bucket_of, instant_of, unpack
from omie_control.postgres import sealed_rows
from omie_control.postgres import seals as store
from omie_control.postgres.queries import Connection

_SPANS_AT_ONCE = 50
_SEALS_AT_ONCE = 50
_READ_AT_ONCE = 1000
# A record's id may come from a clock that is ahead of the sealer's.
_CLOCKS_DIFFER = timedelta(days=1)
_REST = 32 - 7
_NO_CALENDAR = datetime(9999, 1, 1, tzinfo=UTC)


async def uncovered(
    tx: Connection, kind: Kind, spans: Collection[str], queued: Collection[UUID]
) -> AsyncIterator[Finding]:
    """Give a finding for each record of these spans that no seal covers, or that was sealed again out of turn."""
    ordered = sorted(spans)
    for at in range(0, len(ordered), _SPANS_AT_ONCE):
        async for finding in _look(tx, kind, ordered[at : at + _SPANS_AT_ONCE], queued):
            yield finding


async def _look(tx: Connection, kind: Kind, spans: Sequence[str], queued: Collection[UUID]) -> AsyncIterator[Finding]:
    states, twice = await _leaves(tx, kind, spans)
    subject = "event" if kind is Kind.EVENT else "execution"
    for id in twice:
        found = await sealed_rows.read(tx, kind, [id])
        yield Finding(Damage.SEALED_TWICE, subject, str(id), found[id].name if id in found else None)
    for span in spans:
        ids = await sealed_rows.ids_between(tx, kind, UUID(span + "0" * _REST), UUID(span + "f" * _REST))
        missing = [id for id in ids if id not in states and id not in queued]
        for at in range(0, len(missing), _READ_AT_ONCE):
            some = missing[at : at + _READ_AT_ONCE]
            found = await sealed_rows.read(tx, kind, some)
            for id in some:
                damage = Damage.CONTENT_CHANGED if kind is Kind.CONTENT else Damage.INSERTED
                yield Finding(damage, subject, str(id), found[id].name if id in found else None)


async def _leaves(tx: Connection, kind: Kind, spans: Sequence[str]) -> tuple[dict[UUID, State], list[UUID]]:
    """Return every record of these spans that a leaf names, with its last state, and those sealed out of turn."""
    wanted = frozenset(spans)
    states: dict[UUID, State] = {}
    twice: list[UUID] = []
    sequence = await store.last_before(tx, _before(spans[0]))
    while some := await store.after(tx, sequence, _SEALS_AT_ONCE):
        sequence = some[-1].sequence
        for seal in some:
            for leaf in _of(seal.leaves, kind):
                if bucket_of(leaf.id) not in wanted:
                    continue
                before = states.get(leaf.id)
                if before is not None and kind is not Kind.CONTENT and leaf.state not in FOLLOWING.get(before, ()):
                    twice.append(leaf.id)
                states[leaf.id] = leaf.state
    return states, twice


def _of(packed: bytes, kind: Kind) -> list[Leaf]:
    whole = [packed[at : at + LEAF_BYTES] for at in range(0, len(packed) - LEAF_BYTES + 1, LEAF_BYTES)]
    leaves: list[Leaf] = []
    for each in whole:
        if each[0] == kind:
            try:
                leaves += unpack(each)
            except ValueError:
                # Said already when its seal was read.
                continue
    return leaves


def _before(span: str) -> datetime:
    at = instant_of(uuid7_ms(UUID(span + "0" * _REST)) * 1000)
    return (at or _NO_CALENDAR) - _CLOCKS_DIFFER
