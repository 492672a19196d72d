"""What a superuser can do to the seals, with the records or without, and to what lies outside the database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from tests.campaign.tampering_records import Name, Tampering, forge_an_event

from omie_control.domain.merkle import root_of
from omie_control.domain.seals import Kind, Leaf, Seal, SigningKey, new_signing_key, signed, unpack
from omie_control.postgres import sealed_rows
from omie_control.postgres import seals as store


async def cut_the_end_of_the_seals(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    first = await _seal(su, dice)
    await su.execute("delete from seals where sequence >= $1", first.sequence)
    return Tampering(f"from {first.sequence} on", [[("seal", str(first.sequence))]])


async def cut_the_end_with_its_records(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    first = await _seal(su, dice)
    for seal in await store.after(su, first.sequence - 1, 10_000):
        ids = [leaf.id for leaf in unpack(seal.leaves)]
        await su.execute("delete from process_executions where id = any($1::uuid[])", ids)
        await su.execute("delete from audit_events where id = any($1::uuid[])", ids)
    await su.execute("delete from seals where sequence >= $1; ".replace("$1", str(first.sequence)))
    return Tampering(f"from {first.sequence} on", [[("seal", str(first.sequence))]])


async def remove_a_seal(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal = await _seal(su, dice)
    await su.execute("delete from seals where sequence = $1", seal.sequence)
    return Tampering(str(seal.sequence), [[("seal", str(seal.sequence))]])


async def flip_a_bit_of_a_seal(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal = await _seal(su, dice)
    column = dice.choice(["previous", "root", "hash", "signature", "leaves"])
    value = bytes(getattr(seal, column))
    place = dice.randrange(len(value) * 8)
    flipped = bytearray(value)
    flipped[place // 8] ^= 1 << place % 8
    # A mark proves nothing but which leaf was touched; it is the one thing that is not covered.
    if column == "leaves" and (place // 8) % 58 >= 50:
        flipped[place // 8] ^= 1 << place % 8
        flipped[place // 8 - 8] ^= 1
    await su.execute(f"update seals set {column} = $2 where sequence = $1", seal.sequence, bytes(flipped))
    return Tampering(f"{column} of {seal.sequence}", [[("seal", str(seal.sequence)), ("seal", str(seal.sequence + 1))]])


async def change_the_head_of_a_seal(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal = await _seal(su, dice)
    change = dice.choice(
        [
            "at = at - interval '1 microsecond'",
            "at = 'infinity'",
            "executions = executions + 1",
            "events = events + 1",
            "contents = contents + 1",
            """notes = '[{"retired": "audit_events"}]'""",
        ]
    )
    await su.execute(f"update seals set {change} where sequence = $1", seal.sequence)
    return Tampering(f"{change} of {seal.sequence}", [[("seal", str(seal.sequence))]])


async def swap_two_seals(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    a, b = await _seal(su, dice), await _seal(su, dice)
    while a.sequence == b.sequence:
        b = await _seal(su, dice)
    await su.execute("delete from seals where sequence = any($1::bigint[])", [a.sequence, b.sequence])
    for seal, sequence in ((a, b.sequence), (b, a.sequence)):
        await store.add(su, replace(seal, sequence=sequence))
    return Tampering(f"{a.sequence} and {b.sequence}", [[("seal", str(each.sequence))] for each in (a, b)])


async def reorder_the_leaves(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal = await _seal(su, dice, leaves=2)
    leaves = list(unpack(seal.leaves))
    at = dice.randrange(len(leaves) - 1)
    leaves[at], leaves[at + 1] = leaves[at + 1], leaves[at]
    await _store_leaves(su, seal, leaves)
    moved = [_name(leaf) for leaf in leaves[at : at + 2]]
    return Tampering(f"{at} of {seal.sequence}", [[("seal", str(seal.sequence))], moved])


async def drop_a_leaf(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal = await _seal(su, dice)
    leaves = list(unpack(seal.leaves))
    gone = leaves.pop(dice.randrange(len(leaves)))
    await _store_leaves(su, seal, leaves)
    return Tampering(f"{gone.id} of {seal.sequence}", [[("seal", str(seal.sequence))]])


async def rewrite_a_record_and_its_leaf(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal, leaf = await _rewritten(su, dice)
    return Tampering(f"{leaf.id} of {seal.sequence}", [[("seal", str(seal.sequence))], [_name(leaf)]])


async def chain_again_without_the_key(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal, leaf = await _rewritten(su, dice)
    await _chain_again(su, seal.sequence, None)
    return Tampering(f"{leaf.id} of {seal.sequence}", [[("seal", str(seal.sequence))], [_name(leaf)]])


async def chain_again_with_another_key(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal, leaf = await _rewritten(su, dice)
    key = SigningKey(new_signing_key())
    await su.execute(
        "insert into seal_keys (id, public_key, wrapped, master_key_id)"
        " select $1, $2, wrapped, master_key_id from seal_keys limit 1",
        key.id,
        key.public,
    )
    await _chain_again(su, seal.sequence, key)
    return Tampering(
        f"{leaf.id} of {seal.sequence}", [[("seal", str(seal.sequence))], [_name(leaf)], [("key", key.id)]]
    )


async def chain_again_without_a_record(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    seal = await _seal(su, dice)
    leaves = list(unpack(seal.leaves))
    gone = leaves.pop(dice.randrange(len(leaves)))
    table = "audit_events" if gone.kind is Kind.EVENT else "process_executions"
    await su.execute(f"delete from {table} where id = $1", gone.id)
    await _store_leaves(su, seal, leaves)
    await _chain_again(su, seal.sequence, SigningKey(new_signing_key()))
    return Tampering(f"{gone.id} of {seal.sequence}", [[("seal", str(seal.sequence))]])


async def append_a_forged_seal(su: asyncpg.Connection, dice: random.Random, home: Path) -> Tampering:
    forged = await forge_an_event(su, dice, home)
    id = UUID(forged.names[0][0][1])
    record = (await _read(su, Kind.EVENT, [id]))[id]
    head = await store.head(su)
    assert head is not None
    leaf = record.leaf()
    assert leaf is not None
    seal = replace(head, sequence=head.sequence + 1, previous=head.hash, executions=0, events=1, leaves=leaf.packed)
    seal = signed(SigningKey(new_signing_key()), replace(seal, root=root_of([leaf.body])))
    await store.add(su, seal)
    return Tampering(f"{id} in {seal.sequence}", [[("seal", str(seal.sequence))], [_name(leaf)]])


async def change_a_key(su: asyncpg.Connection, dice: random.Random, _: Path) -> Tampering:
    column = dice.choice(["public_key", "wrapped"])
    id = await su.fetchval(
        f"update seal_keys set {column} = set_bit({column}, 9, 1 - get_bit({column}, 9)) returning id"
    )
    return Tampering(column, [[("key", id)]])


async def change_a_checkpoint(su: asyncpg.Connection, dice: random.Random, home: Path) -> Tampering:
    path = home / "audit" / "checkpoints.jsonl"
    content = bytearray(path.read_bytes())
    places = [at for at, letter in enumerate(content) if chr(letter) in "0123456789abcdef"]
    place = dice.choice(places)
    content[place] = ord(dice.choice([d for d in "0123456789abcdef" if ord(d) != content[place]]))
    path.write_bytes(content)
    return Tampering(f"letter {place}", [])


async def _seal(su: asyncpg.Connection, dice: random.Random, leaves: int = 1) -> Seal:
    seals = [seal for seal in await store.after(su, 0, 10_000) if len(seal.leaves) >= leaves * 58]
    return dice.choice(seals)


async def _rewritten(su: asyncpg.Connection, dice: random.Random) -> tuple[Seal, Leaf]:
    """Change a record and its leaf alike, with the root over them; returns the seal and the new leaf."""
    seal = await _seal(su, dice)
    leaves = list(unpack(seal.leaves))
    place = dice.randrange(len(leaves))
    old = leaves[place]
    table = "audit_events" if old.kind is Kind.EVENT else "process_executions"
    await su.execute(f"update {table} set actor = 'user:outra' where id = $1", old.id)
    new = (await _read(su, old.kind, [old.id]))[old.id].leaf()
    assert new is not None
    leaves[place] = new
    await _store_leaves(su, seal, leaves)
    return seal, new


async def _chain_again(su: asyncpg.Connection, first: int, key: SigningKey | None) -> None:
    """Give every seal from one on a root, a hash and a previous that fit; sign them with a key, or not at all."""
    before = await store.by_sequence(su, first - 1)
    previous = bytes(32) if before is None else before.hash
    for seal in await store.after(su, first - 1, 10_000):
        leaves = list(unpack(seal.leaves))
        kinds = [leaf.kind for leaf in leaves]
        fresh = replace(
            seal,
            previous=previous,
            root=root_of(leaf.body for leaf in leaves),
            executions=kinds.count(Kind.EXECUTION),
            events=kinds.count(Kind.EVENT),
        )
        if key is None:
            fresh = replace(fresh, hash=fresh.digest())
        else:
            is_known = await su.fetchval("select exists (select from seal_keys where id = $1)", key.id)
            fresh = signed(key, replace(fresh, key_id=key.id if is_known else fresh.key_id))
        await su.execute("delete from seals where sequence = $1", seal.sequence)
        await store.add(su, fresh)
        previous = fresh.hash


async def _store_leaves(su: asyncpg.Connection, seal: Seal, leaves: Sequence[Leaf]) -> None:
    packed = b"".join(leaf.packed for leaf in leaves)
    await su.execute("update seals set leaves = $2 where sequence = $1", seal.sequence, packed)


async def _read(su: asyncpg.Connection, kind: Kind, ids: Sequence[UUID]) -> dict[UUID, Any]:
    async with su.transaction():
        await sealed_rows.pin(su)
        return dict(await sealed_rows.read(su, kind, ids))


def _name(leaf: Leaf) -> Name:
    return ("event" if leaf.kind is Kind.EVENT else "execution", str(leaf.id))
