"""The chain itself: each seal behind the one before, signed by a key of ours, as the files outside know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import orjson

from omie_control.domain.damages import Damage, Finding
from omie_control.domain.merkle import root_of
from omie_control.domain.seals import (
    FIRST_PREVIOUS,
    LEAF_BYTES,
    Kind,
    Leaf,
    Seal,
    SigningKey,
    is_signed,
    unpack,
)
from omie_control.services.seals_checkpoints import Checkpoint, Checkpoints, Illegible

_SUBJECTS = {Kind.EXECUTION: "execution", Kind.EVENT: "event", Kind.CONTENT: "execution"}


class Chain:
    """Takes one seal after the other; `leaves` are those of the last one taken."""

    def __init__(self, ours: Mapping[str, SigningKey], checkpoints: Checkpoints, anchor: Seal | None) -> None:
        self._ours = ours
        self._checkpoints = checkpoints
        self._known_outside = 0
        self._anchor = anchor
        self.sequence = 0 if anchor is None else anchor.sequence
        self._hash = FIRST_PREVIOUS if anchor is None else anchor.hash
        self.leaves: Sequence[Leaf] = ()
        self._witnesses = [_Witness(folder, checkpoints, ours, self.sequence) for folder in checkpoints.folders]

    def link(self, seal: Seal) -> Iterator[Finding]:
        """Take the next seal."""
        if self._anchor is not None:
            anchor, self._anchor = self._anchor, None
            yield from self._head(anchor)
        if seal.sequence != self.sequence + 1:
            yield _missing(Damage.SEAL_REMOVED, self.sequence + 1, seal.sequence - 1)
        elif seal.previous != self._hash:
            yield Finding(Damage.SEAL_CHANGED, "seal", str(seal.sequence), detail="Não continua o selo anterior.")
        self.sequence, self._hash = seal.sequence, seal.hash
        of_the_head = list(self._head(seal))
        yield from of_the_head
        self.leaves = _legible(seal.leaves)
        is_whole = len(seal.leaves) == len(self.leaves) * LEAF_BYTES
        if not is_whole or root_of(leaf.body for leaf in self.leaves) != seal.root:
            yield self._unlike_root(seal)
            yield from self._touched(seal)
        elif of_the_head:
            yield from self._touched(seal)
        for witness in self._witnesses:
            yield from witness.compare(seal)

    def look_outside(self) -> None:
        """Take what the files know now as what the database has to hold; say it before its last state is read."""
        last = self._checkpoints.last()
        self._known_outside = 0 if last is None else last.sequence

    def end(self) -> Iterator[Finding]:
        """Say what is known outside and was not in the database."""
        for witness in self._witnesses:
            yield from witness.end(self.sequence, self._known_outside)

    def _head(self, seal: Seal) -> Iterator[Finding]:
        key = self._ours.get(seal.key_id)
        if seal.digest() != seal.hash:
            yield Finding(Damage.SEAL_CHANGED, "seal", str(seal.sequence), detail="O cabeçalho não confere.")
        elif key is None or not is_signed(key.public, seal.hash, seal.signature):
            yield Finding(Damage.SEAL_FORGED, "seal", str(seal.sequence))

    def _unlike_root(self, seal: Seal) -> Finding:
        expected = seal.executions + seal.events + seal.contents
        detail = "As provas dos registros não conferem com a raiz."
        if len(self.leaves) != expected:
            detail = f"Tem {len(self.leaves)} provas de registros; foram seladas {expected}."
        return Finding(Damage.SEAL_CHANGED, "seal", str(seal.sequence), detail=detail)

    def _touched(self, seal: Seal) -> Iterator[Finding]:
        """Name the leaves of a seal, no longer believed, that are not as a sealer of ours made them."""
        before: tuple[int, bytes] | None = None
        for leaf in self.leaves:
            subject = _SUBJECTS[leaf.kind]
            if not any(key.mark(seal.sequence, leaf) == leaf.mark for key in self._ours.values()):
                yield Finding(Damage.LEAF_FORGED, subject, str(leaf.id), seal=seal.sequence)
            elif before is not None and (leaf.kind, leaf.id.bytes) <= before:
                yield Finding(Damage.LEAF_MOVED, subject, str(leaf.id), seal=seal.sequence)
            before = (leaf.kind, leaf.id.bytes)


class Retired:
    """What went by right: spans of ids that a signed statement in the chain names."""

    def __init__(self) -> None:
        self._learnt = 0
        self._spans: list[tuple[str, UUID, UUID]] = []

    def learn(self, noted: Sequence[Seal], ours: Mapping[str, SigningKey]) -> None:
        """Read the statements of these seals, as far as they are signed by a key of ours."""
        for seal in noted:
            if seal.sequence > self._learnt and is_believed(seal, ours):
                self._spans += [
                    (note["retired"], UUID(note["from"]), UUID(note["to"]))
                    for note in orjson.loads(seal.notes or "[]")
                    if "retired" in note
                ]
                self._learnt = seal.sequence

    def holds(self, table: str, id: UUID) -> bool:
        """Say whether a record of a table went by right."""
        return any(name == table and low <= id < high for name, low, high in self._spans)


class _Witness:
    """The checkpoints of one folder, read along with the seals."""

    def __init__(self, folder: Path, checkpoints: Checkpoints, ours: Mapping[str, SigningKey], after: int) -> None:
        self._folder = folder
        self._ours = ours
        self._lines = checkpoints.read(folder)
        self._waiting: Checkpoint | None = None
        self._sequence = 0
        self._after = after

    def compare(self, seal: Seal) -> Iterator[Finding]:
        """Compare what this folder knows up to a seal with it."""
        yield from self._advance(seal.sequence)
        point = self._waiting
        if point is not None and point.sequence == seal.sequence:
            self._waiting = None
            if point.hash != seal.hash:
                yield Finding(Damage.REPLACED, "seal", str(seal.sequence))

    def end(self, last: int, until: int) -> Iterator[Finding]:
        """Say which checkpoints, up to one, are of seals behind the last of the database."""
        known = last
        while True:
            yield from self._advance(known + 1)
            point, self._waiting = self._waiting, None
            if point is None or point.sequence > until:
                break
            known = point.sequence
        if known > last:
            yield _missing(Damage.TRUNCATED, last + 1, known)

    def _advance(self, sequence: int) -> Iterator[Finding]:
        """Read on to the first line about this seal or a later one; a line that we did not sign convicts itself."""
        while self._waiting is None or self._waiting.sequence < sequence:
            point = next(self._lines, None)
            if point is None:
                self._waiting = None
                return
            if isinstance(point, Illegible):
                yield Finding(Damage.CHECKPOINT_CHANGED, "checkpoint", f"{point.file}:{point.number}")
            elif point.sequence <= self._sequence or (point.sequence > self._after and not self._is_ours(point)):
                name = f"{point.sequence} em {self._folder}"
                yield Finding(Damage.CHECKPOINT_CHANGED, "checkpoint", str(point.sequence), name)
            else:
                self._sequence = point.sequence
                self._waiting = point

    def _is_ours(self, point: Checkpoint) -> bool:
        key = self._ours.get(point.key_id)
        return key is not None and is_signed(key.public, point.digest(), point.signature)


def is_believed(seal: Seal, ours: Mapping[str, SigningKey]) -> bool:
    """Say whether a seal's head is whole and signed by a key of ours."""
    key = ours.get(seal.key_id)
    return key is not None and seal.hash == seal.digest() and is_signed(key.public, seal.hash, seal.signature)


def _missing(damage: Damage, first: int, last: int) -> Finding:
    name = str(first) if first == last else f"{first} a {last}"
    return Finding(damage, "seal", str(first), name=name)


def _legible(packed: bytes) -> list[Leaf]:
    """Read the leaves that can be read; what is torn or of no known kind is left out, and missed by the root."""
    leaves: list[Leaf] = []
    for at in range(0, len(packed) - LEAF_BYTES + 1, LEAF_BYTES):
        try:
            leaves += unpack(packed[at : at + LEAF_BYTES])
        except ValueError:
            continue
    return leaves
