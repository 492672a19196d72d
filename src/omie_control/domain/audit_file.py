"""The audit in a file: seals, the records they are over, a signature at the end. It verifies without the database.

One JSON value a line: a head; then each seal with its leaves, followed by its records; at last the end, which signs
the hash of everything before it. Records are as masked as they are in the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from omie_control.domain.damages import Damage, Finding
from omie_control.domain.merkle import root_of
from omie_control.domain.sealed_records import CONTENT_COLUMNS, EVENT_COLUMNS, EXECUTION_COLUMNS, Record
from omie_control.domain.seals import FOLLOWING, MARK_BYTES, Kind, Leaf, Seal, is_signed, key_id_of, unpack
from omie_control.errors import InvalidInput

FORMAT = "omie-control audit"
VERSION = 1
_FILE_TAG = b"omie-control audit file 1\n"
_BODY_BYTES = 50
_HEAD_FIELDS = ("sequence", "at", "executions", "events", "contents", "notes", "key_id")
_HEX_FIELDS = ("previous", "root", "hash", "signature")
# Why a leaf comes without its record.
SUPERSEDED, RETIRED, REMOVED, MISSING = "superseded", "retired", "removed", "missing"


@dataclass(slots=True)
class FileReckoning:
    """What a file holds, as far as it was read. `keys` are the public keys that signed it, by name."""

    head: Mapping[str, Any] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    seals: int = 0
    records: int = 0
    superseded: int = 0
    retired: int = 0
    rewritten: int = 0
    is_complete: bool = False


def head_line(facts: Mapping[str, Any], keys: Mapping[str, bytes]) -> bytes:
    """Write the first line."""
    named = {id: public.hex() for id, public in keys.items()}
    return orjson.dumps({"format": FORMAT, "version": VERSION, **facts, "keys": named}) + b"\n"


def seal_line(seal: Seal) -> bytes:
    """Write a seal with its leaves, without their marks, which are nobody's business outside."""
    head = {name: getattr(seal, name) for name in _HEAD_FIELDS}
    head |= {name: getattr(seal, name).hex() for name in _HEX_FIELDS}
    bodies = b"".join(leaf.body for leaf in unpack(seal.leaves))
    return orjson.dumps({"seal": head, "leaves": base64.b64encode(bodies).decode()}) + b"\n"


def record_line(record: Record) -> bytes:
    """Write a record."""
    if record.kind is Kind.EVENT:
        return orjson.dumps({"event": dict(zip(EVENT_COLUMNS, record.columns, strict=True))}) + b"\n"
    fields: dict[str, Any] = dict(zip(EXECUTION_COLUMNS, record.columns, strict=True))
    fields |= dict(zip(CONTENT_COLUMNS, record.content, strict=True))
    fields["content_hash"] = None if record.content_hash is None else record.content_hash.hex()
    return orjson.dumps({"execution": fields}) + b"\n"


def absent_line(leaf: Leaf, why: str) -> bytes:
    """Write that a leaf comes without its record, and why."""
    return orjson.dumps({"absent": str(leaf.id), "kind": int(leaf.kind), "why": why}) + b"\n"


def end_digest(content: bytes) -> bytes:
    """Return what the last line signs, from the SHA-256 of all lines before it."""
    return hashlib.sha256(_FILE_TAG + content).digest()


def end_line(content: bytes, key_id: str, signature: bytes) -> bytes:
    """Write the last line."""
    return orjson.dumps({"end": {"sha256": content.hex(), "key_id": key_id, "signature": signature.hex()}}) + b"\n"


class FileCheck:
    """Goes through a file; `findings()` gives what is not as it was sealed, `reckoning` what the file holds.

    `trusted` are the public keys that may have signed it; None believes those that the file itself names, and proves
    no more than that it is whole. Raises InvalidInput for what is no such file at all.
    """

    def __init__(self, lines: Iterable[bytes], trusted: Collection[bytes] | None = None) -> None:
        self._lines = iter(lines)
        self._trusted = trusted
        self._content = hashlib.sha256()
        self._seal: Seal | None = None
        self._leaves: dict[tuple[Kind, UUID], Leaf] = {}
        self._rewritten: dict[UUID, bytes] = {}
        self.reckoning = FileReckoning()

    def findings(self) -> Iterator[Finding]:
        """Give each finding as it comes."""
        self._read_head()
        for number, line in enumerate(self._lines, 2):
            value = _value(line)
            if "end" in value:
                yield from self._rest()
                yield from self._end(value["end"])
                if next(self._lines, None) is not None:
                    yield Finding(Damage.CHANGED, "file", str(number + 1), detail="Há linhas depois do fim.")
                return
            self._content.update(line)
            try:
                yield from self._line(value)
            except (KeyError, TypeError, ValueError, binascii.Error):
                yield Finding(Damage.CHANGED, "file", str(number), detail="A linha não é legível.")
        yield Finding(Damage.TRUNCATED, "file", "end", detail="Falta a assinatura do fim.")

    def _read_head(self) -> None:
        line = next(self._lines, b"")
        head = _value(line)
        if head.get("format") != FORMAT or head.get("version") != VERSION:
            raise InvalidInput(
                "Este arquivo não é uma exportação da auditoria.", hint="Use um arquivo de omie-control audit export."
            )
        self._content.update(line)
        self.reckoning.head = head
        try:
            keys = {str(id): bytes.fromhex(public) for id, public in head["keys"].items()}
        except (KeyError, AttributeError, TypeError, ValueError):
            keys = {}
        believed = keys.values() if self._trusted is None else self._trusted
        self.reckoning.keys = {key_id_of(public): public for public in believed}

    def _line(self, value: Mapping[str, Any]) -> Iterator[Finding]:
        if "seal" in value:
            yield from self._rest()
            yield from self._link(_seal(value["seal"]), base64.b64decode(value["leaves"], validate=True))
        elif "absent" in value:
            yield from self._absent(Kind(value["kind"]), UUID(value["absent"]), value["why"])
        else:
            yield from self._record(_record(value))

    def _link(self, seal: Seal, bodies: bytes) -> Iterator[Finding]:
        before, self._seal = self._seal, seal
        public = self.reckoning.keys.get(seal.key_id)
        if seal.digest() != seal.hash:
            yield Finding(Damage.SEAL_CHANGED, "seal", str(seal.sequence))
        elif public is None or not is_signed(public, seal.hash, seal.signature):
            yield Finding(Damage.SEAL_FORGED, "seal", str(seal.sequence))
        if before is not None and (seal.sequence != before.sequence + 1 or seal.previous != before.hash):
            yield Finding(Damage.SEAL_REMOVED, "seal", str(before.sequence + 1))
        leaves = list(unpack(_with_room_for_marks(bodies)))
        if root_of(leaf.body for leaf in leaves) != seal.root:
            yield Finding(Damage.SEAL_CHANGED, "seal", str(seal.sequence), detail="As provas não conferem com a raiz.")
        self._leaves = {(leaf.kind, leaf.id): leaf for leaf in leaves if leaf.kind is not Kind.CONTENT}
        for leaf in leaves:
            if leaf.kind is Kind.CONTENT and self._rewritten.get(leaf.id) == leaf.hash:
                del self._rewritten[leaf.id]
        self.reckoning.seals += 1

    def _record(self, record: Record) -> Iterator[Finding]:
        self.reckoning.records += 1
        leaf = self._leaves.pop((record.kind, record.id), None)
        subject = "event" if record.kind is Kind.EVENT else "execution"
        if leaf is None:
            yield Finding(Damage.INSERTED, subject, str(record.id), record.name)
        elif leaf.hash != record.hash:
            number = None if self._seal is None else self._seal.sequence
            yield Finding(Damage.CHANGED, subject, str(record.id), record.name, number)
        if record.content_hash is not None:
            self.reckoning.rewritten += 1
            self._rewritten[record.id] = record.hash_of_content

    def _absent(self, kind: Kind, id: UUID, why: str) -> Iterator[Finding]:
        leaf = self._leaves.pop((kind, id), None)
        if leaf is not None and why == SUPERSEDED and leaf.state in FOLLOWING:
            self.reckoning.superseded += 1
        elif leaf is not None and why == RETIRED:
            self.reckoning.retired += 1
        else:
            yield Finding(Damage.REMOVED, "event" if kind is Kind.EVENT else "execution", str(id))

    def _rest(self) -> Iterator[Finding]:
        """Name the records of the seal before that the file has left out."""
        for (kind, id), _ in self._leaves.items():
            number = None if self._seal is None else self._seal.sequence
            yield Finding(Damage.REMOVED, "event" if kind is Kind.EVENT else "execution", str(id), seal=number)
        self._leaves = {}

    def _end(self, end: Mapping[str, Any]) -> Iterator[Finding]:
        content = self._content.digest()
        try:
            public = self.reckoning.keys.get(end["key_id"])
            signature = bytes.fromhex(end["signature"])
            is_whole = public is not None and end["sha256"] == content.hex()
            self.reckoning.is_complete = is_whole and is_signed(public or b"", end_digest(content), signature)
        except (KeyError, TypeError, ValueError):
            self.reckoning.is_complete = False
        if not self.reckoning.is_complete:
            yield Finding(Damage.CHANGED, "file", "end", detail="A assinatura do fim não confere.")


def _with_room_for_marks(bodies: bytes) -> bytes:
    each = (bodies[at : at + _BODY_BYTES] for at in range(0, len(bodies), _BODY_BYTES))
    return b"".join(body + bytes(MARK_BYTES) for body in each)


def _value(line: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _seal(fields: Mapping[str, Any]) -> Seal:
    values: dict[str, Any] = {name: fields[name] for name in _HEAD_FIELDS}
    values |= {name: bytes.fromhex(fields[name]) for name in _HEX_FIELDS}
    return Seal(**values, leaves=b"")


def _record(value: Mapping[str, Any]) -> Record:
    if "event" in value:
        fields = value["event"]
        return Record(Kind.EVENT, UUID(fields["id"]), tuple(fields[name] for name in EVENT_COLUMNS))
    fields = value["execution"]
    content_hash = fields["content_hash"]
    return Record(
        Kind.EXECUTION,
        UUID(fields["id"]),
        tuple(fields[name] for name in EXECUTION_COLUMNS),
        tuple(fields[name] for name in CONTENT_COLUMNS),
        None if content_hash is None else bytes.fromhex(content_hash),
    )
