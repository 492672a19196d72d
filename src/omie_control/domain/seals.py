"""Seals: what a record is hashed as, what a seal says of its records, and how it is signed.

A record is known by the hash of its columns, each as PostgreSQL writes it as text, behind its length in bytes. The
three jsonb columns of an execution go in by a hash of their own, so that they can be written anew (slimmed) or taken
away while the rest is still proved; clear bodies go in by their salted commitment alone. `docs/audit.md` is the
format for whoever writes a verifier of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from omie_control.domain.merkle import root_of

VERSION = 1
HASH_BYTES = 32
MARK_BYTES = 8
LEAF_BYTES = 2 + 16 + HASH_BYTES + MARK_BYTES
FIRST_PREVIOUS = bytes(HASH_BYTES)

# Said before each hash, so that one kind of record can never pass for another.
EXECUTION_TAG = "omie-control execution 1\n"
EVENT_TAG = "omie-control event 1\n"
CONTENT_TAG = "omie-control content 1\n"
_SEAL_TAG = b"omie-control seal 1\n"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(IntEnum):
    """What a leaf is about."""

    EXECUTION = 1
    EVENT = 2
    # The jsonb columns of an execution as they were written anew.
    CONTENT = 3


class State(IntEnum):
    """How an execution stood when it was sealed; the other kinds have none."""

    NONE = 0
    COMPLETED = 1
    FAILED = 2
    TIMEOUT = 3
    CANCELLED = 4
    UNCERTAIN = 5
    # Ended as `timeout` because its process was taken for dead: that process may still have the last word.
    LOST = 6
    # Gone between its end and its seal: what follows never has a row.
    MISSING = 7


STATES = {
    "completed": State.COMPLETED,
    "failed": State.FAILED,
    "timeout": State.TIMEOUT,
    "cancelled": State.CANCELLED,
    "uncertain": State.UNCERTAIN,
}
# A record is sealed again only after these; every other state is the last.
_ENDED = frozenset({State.COMPLETED, State.FAILED, State.TIMEOUT, State.CANCELLED})
FOLLOWING = {State.UNCERTAIN: _ENDED, State.LOST: _ENDED | {State.UNCERTAIN}}


class Leaf(NamedTuple):
    """One record in a seal. `mark` is keyed: it tells which leaf was touched when a root does not fit."""

    kind: Kind
    state: State
    id: UUID
    hash: bytes
    mark: bytes = bytes(MARK_BYTES)

    @property
    def body(self) -> bytes:
        """What the tree is built of."""
        return bytes((self.kind, self.state)) + self.id.bytes + self.hash

    @property
    def packed(self) -> bytes:
        """How it is stored."""
        return self.body + self.mark


@dataclass(frozen=True, slots=True)
class Seal:
    """One link of the chain. `at` in microseconds since 1970; `leaves` packed; `notes` statements as JSON, or None."""

    sequence: int
    at: int
    previous: bytes
    root: bytes
    executions: int
    events: int
    contents: int
    notes: str | None
    leaves: bytes
    key_id: str
    hash: bytes = b""
    signature: bytes = b""

    def digest(self) -> bytes:
        """Return the hash that the head of this seal has to have."""
        head = {
            "version": VERSION,
            "sequence": self.sequence,
            "at": self.at,
            "previous": self.previous.hex(),
            "root": self.root.hex(),
            "executions": self.executions,
            "events": self.events,
            "contents": self.contents,
            "notes": self.notes,
            "key_id": self.key_id,
        }
        return hashlib.sha256(_SEAL_TAG + orjson.dumps(head, option=orjson.OPT_SORT_KEYS)).digest()


class SigningKey:
    """An Ed25519 key that signs seals; never prints or pickles itself."""

    __slots__ = ("_marking", "_private", "id", "public")

    def __init__(self, private: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(private)
        self.public = self._private.public_key().public_bytes_raw()
        self.id = key_id_of(self.public)
        self._marking = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"omie-control seal marks").derive(private)

    def sign(self, digest: bytes) -> bytes:
        """Sign the hash of a seal or of a file."""
        return self._private.sign(_SEAL_TAG + digest)

    def mark(self, sequence: int, leaf: Leaf) -> bytes:
        """Return the mark of a leaf in a seal."""
        where = sequence.to_bytes(8, "big")
        return hashlib.blake2s(where + leaf.body, key=self._marking, digest_size=MARK_BYTES).digest()

    def __repr__(self) -> str:
        return f"SigningKey({self.id}, •••)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a signing key cannot be pickled")


def new_signing_key() -> bytes:
    """Make the private part of a fresh key: 32 bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def key_id_of(public: bytes) -> str:
    """Name a public key by its hash."""
    return "sk-" + hashlib.sha256(b"omie-control seal key" + public).hexdigest()[:32]


def is_signed(public: bytes, digest: bytes, signature: bytes) -> bool:
    """Say whether a signature over a hash is this key's."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _SEAL_TAG + digest)
    except (InvalidSignature, ValueError):
        return False
    return True


def make_seal(
    key: SigningKey, sequence: int, at: int, previous: bytes, leaves: Sequence[Leaf], notes: str | None = None
) -> Seal:
    """Build and sign the next link of the chain. `leaves` come ordered by kind and id."""
    marked = [leaf._replace(mark=key.mark(sequence, leaf)) for leaf in leaves]
    kinds = [leaf.kind for leaf in leaves]
    seal = Seal(
        sequence=sequence,
        at=at,
        previous=previous,
        root=root_of(leaf.body for leaf in leaves),
        executions=kinds.count(Kind.EXECUTION),
        events=kinds.count(Kind.EVENT),
        contents=kinds.count(Kind.CONTENT),
        notes=notes,
        leaves=b"".join(leaf.packed for leaf in marked),
        key_id=key.id,
    )
    return signed(key, seal)


def signed(key: SigningKey, seal: Seal) -> Seal:
    """Return the seal with its hash and this key's signature."""
    fields = {name: getattr(seal, name) for name in Seal.__slots__ if name not in {"hash", "signature"}}
    digest = seal.digest()
    return Seal(**fields, hash=digest, signature=key.sign(digest))


def unpack(packed: bytes) -> Iterator[Leaf]:
    """Read stored leaves; one of no known kind or state, or a torn end, raises ValueError."""
    if len(packed) % LEAF_BYTES:
        raise ValueError("the leaves are cut")
    for at in range(0, len(packed), LEAF_BYTES):
        yield Leaf(
            Kind(packed[at]),
            State(packed[at + 1]),
            UUID(bytes=packed[at + 2 : at + 18]),
            packed[at + 18 : at + 50],
            packed[at + 50 : at + LEAF_BYTES],
        )


def record_hash(tag: str, columns: Iterable[str | None]) -> bytes:
    """Hash a record's columns, given as PostgreSQL writes them as text."""
    encoded = (None if column is None else column.encode() for column in columns)
    parts = (b"-" if column is None else b"%d:%b" % (len(column), column) for column in encoded)
    return hashlib.sha256(tag.encode() + b"".join(parts)).digest()


def state_of(status: str, error_code: str | None) -> State | None:
    """Return the state that an execution is sealed in, or None while it is not sealed at all."""
    if status == "timeout" and error_code == "instance_lost":
        return State.LOST
    return STATES.get(status)


def bucket_of(id: UUID) -> str:
    """Return the span of about 17 minutes that a UUIDv7 falls into: its first seven hexadecimal digits."""
    return id.hex[:7]


def instant_of(microseconds: int) -> datetime | None:
    """Read an instant written as microseconds since 1970; None for one that no calendar has."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return None


def microseconds_of(at: datetime) -> int:
    """Write an instant as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)
