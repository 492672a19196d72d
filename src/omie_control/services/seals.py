"""Sealing: what ended or happened gets a place in the chain within seconds, and the chain a witness outside.

Any number of processes may try; one at a time does it, in one transaction that sees one state: what it takes out of
the queue is there as it was committed, and is in exactly one seal. What the seals say is in `domain/seals.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from omie_control.domain.actors import SYSTEM, Actor
from omie_control.domain.seals import FIRST_PREVIOUS, HASH_BYTES, Kind, Leaf, Seal, State, make_seal
from omie_control.errors import Conflict
from omie_control.postgres import sealed_rows, slimming
from omie_control.postgres import seals as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.seals_chain import is_believed
from omie_control.services.seals_checkpoints import Checkpoint, Checkpoints
from omie_control.services.seals_keys import SealKeys
from omie_control.telemetry import Event, tell

# Rows of the queue a seal; each is at most one batch of the recorder.
_TAKEN_AT_ONCE = 100
_READ_AT_ONCE = 1000
_CONTENTS_AT_ONCE = 10_000


class Seals:
    """The sealer of one process."""

    def __init__(self, postgres: Postgres, keys: SealKeys, checkpoints: Checkpoints) -> None:
        self._postgres = postgres
        self._keys = keys
        self._checkpoints = checkpoints
        self._witnessed = 0

    async def turn(self) -> int:
        """Seal everything that waits; returns how many records. 0 also while another process is at it."""
        # Made before the state is fixed that the turn sees, should it be the first.
        await self._keys.signing()
        sealed = 0
        while True:
            try:
                async with self._postgres.transaction() as tx:
                    await store.snapshot(tx)
                    if not await store.try_lock(tx):
                        return sealed
                    taken = await store.take(tx, _TAKEN_AT_ONCE)
                    leaves = await self._leaves(tx, taken)
                    seal = None if not leaves else await self._link(tx, leaves)
            except Conflict:
                # Somebody else had the lock when our snapshot was taken: the next turn sees what they left.
                return sealed
            await self._witness(seal)
            if seal is not None:
                sealed += len(leaves)
                tell(Event.RECORDS_SEALED, sequence=seal.sequence, records=len(leaves))
            if len(taken) < _TAKEN_AT_ONCE:
                return sealed

    async def say(self, actor: Actor, statement: Mapping[str, Any]) -> Seal:
        """Put a signed statement into the chain, such as what retention is about to take away.

        `{"retired": "process_executions" | "audit_events", "from": id, "to": id}`: records from one id up to, not
        with, another are gone from now on by right. Say it before they go.
        """
        async with self._postgres.transaction() as tx:
            await store.lock(tx)
            text = orjson.dumps([{**statement, "by": actor.label}], option=orjson.OPT_SORT_KEYS).decode()
            seal = await self._link(tx, [], text)
            await audit.append(
                tx, actor, "audit.stated", object_type="seal", object_id=str(seal.sequence), after=statement
            )
        await self._witness(seal)
        return seal

    async def slim(self, month: date, actor: Actor = SYSTEM) -> int:
        """Make an old month small so that the chain still holds: what is left of its bodies is sealed before it counts.

        Returns how many rows the month has, 0 when it was slim already. Raises what `slim_month` raises.
        """
        connection = await self._postgres.connect_owner()
        try:

            async def seal_fresh(table: str) -> None:
                after: UUID | None = None
                while some := await slimming.fresh_contents(connection, table, after, _CONTENTS_AT_ONCE):
                    await self._seal_contents(some, actor, month)
                    after = some[-1][0]

            return await slimming.slim_month(connection, month, before_swap=seal_fresh)
        finally:
            await connection.close(timeout=5)

    async def _seal_contents(self, contents: Sequence[tuple[UUID, bytes]], actor: Actor, month: date) -> None:
        leaves = [Leaf(Kind.CONTENT, State.NONE, id, hash) for id, hash in contents]
        note = orjson.dumps([{"slimmed": f"{month:%Y-%m}", "by": actor.label}]).decode()
        async with self._postgres.transaction() as tx:
            await store.lock(tx)
            seal = await self._link(tx, leaves, note)
        await self._witness(seal)

    async def _leaves(self, tx: Connection, taken: Sequence[tuple[Kind, Sequence[UUID]]]) -> list[Leaf]:
        """Return the leaves of what was taken, each record once, in the order that every seal has."""
        leaves: list[Leaf] = []
        await sealed_rows.pin(tx)
        for kind in (Kind.EXECUTION, Kind.EVENT):
            ids = sorted({id for each, some in taken if each is kind for id in some})
            for at in range(0, len(ids), _READ_AT_ONCE):
                some = ids[at : at + _READ_AT_ONCE]
                found = await sealed_rows.read(tx, kind, some)
                for id in some:
                    record = found.get(id)
                    leaf = Leaf(kind, State.MISSING, id, bytes(HASH_BYTES)) if record is None else record.leaf()
                    if leaf is not None:
                        leaves.append(leaf)
                # A large batch must not keep the loop from everything else.
                await asyncio.sleep(0)
        return leaves

    async def _link(self, tx: Connection, leaves: Sequence[Leaf], notes: str | None = None) -> Seal:
        """Add the next seal, behind the newest that the database or the files outside know."""
        head, witness = await store.head(tx), await asyncio.to_thread(self._checkpoints.last)
        last: Seal | Checkpoint | None = head
        if witness is not None and (head is None or head.sequence < witness.sequence or _differ(head, witness)):
            # The chain goes on from what is known outside, and the gap before it stays for every verification to see.
            await self._alert_of_the_end(tx, head, witness)
            last = witness
        sequence, previous = (1, FIRST_PREVIOUS) if last is None else (last.sequence + 1, last.hash)
        seal = make_seal(await self._keys.signing(), sequence, time.time_ns() // 1000, previous, leaves, notes)
        await store.add(tx, seal)
        return seal

    async def _witness(self, seal: Seal | None) -> None:
        """Write the head of the chain to the files outside; a seal of another process, or of before a crash, too."""
        if seal is None:
            async with self._postgres.transaction() as tx:
                seal = await store.head(tx)
                if (
                    seal is None
                    or seal.sequence <= self._witnessed
                    or not is_believed(seal, (await self._keys.believed(tx))[0])
                ):
                    return
        try:
            await asyncio.to_thread(self._checkpoints.append, seal, await self._keys.signing())
            self._witnessed = seal.sequence
        except OSError as exc:
            tell(Event.CHECKPOINT_FAILED, reason=exc.strerror or type(exc).__name__)

    async def _alert_of_the_end(self, tx: Connection, head: Seal | None, witness: Checkpoint) -> None:
        await store.raise_alert(
            tx,
            "audit_truncated",
            "O fim da auditoria foi cortado ou trocado",
            f"O banco vai até o selo {0 if head is None else head.sequence}; fora dele se conhece o selo "
            f"{witness.sequence}. Rode: omie-control audit verify.",
            {"database": 0 if head is None else head.sequence, "outside": witness.sequence},
        )


def _differ(head: Seal, witness: Checkpoint) -> bool:
    return head.sequence == witness.sequence and head.hash != witness.hash
