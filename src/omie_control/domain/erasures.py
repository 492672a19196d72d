"""A person by their keyed hash, what is held of them, what keeps it from being erased, and an erasure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from omie_control.domain.executions import Status
from omie_control.domain.masking import mask
from omie_control.domain.people import is_cnpj, is_cpf
from omie_control.domain.sealing import DOCUMENT_HASH_BYTES, Hasher
from omie_control.errors import InvalidInput

REASON_MAX = 500
_PLACES_MAX = 200
# While an execution stands so, its bodies and its keys are still needed to bring it to its end.
UNFINISHED = frozenset({Status.QUEUED, Status.AWAITING_APPROVAL, Status.RUNNING, Status.UNCERTAIN})


@dataclass(frozen=True, slots=True)
class PersonMark:
    """A CPF or CNPJ as it is hashed beside bodies: `short` since decision 0017, `long` before it."""

    short: bytes
    long: bytes

    @classmethod
    def of(cls, hasher: Hasher, document: str) -> PersonMark:
        """Hash a document given in its bare form."""
        return cls(hasher.document_hashes([document]), hasher.digest(document))

    @classmethod
    def from_bytes(cls, joined: bytes) -> PersonMark:
        """Read what `joined` wrote."""
        return cls(joined[:DOCUMENT_HASH_BYTES], joined[DOCUMENT_HASH_BYTES:])

    @property
    def joined(self) -> bytes:
        """Both forms, as the tables keep them."""
        return self.short + self.long

    @property
    def name(self) -> str:
        """Name the person without naming them: what the audit and the lists show."""
        return f"pessoa-{self.long[:8].hex()}"

    def is_among(self, hashes: bytes) -> bool:
        """Say whether joined hashes of documents hold this one, in either form, each where one can begin."""
        return _is_aligned(self.short, hashes) or _is_aligned(self.long, hashes)


@dataclass(frozen=True, slots=True)
class Hold:
    """What must not be erased for now: a person, a company, a span of time, or where all that is given meet."""

    id: UUID
    person: PersonMark | None
    company_id: UUID | None
    since: datetime | None
    until: datetime | None
    reason: str
    set_by: str
    set_at: datetime
    lifted_by: str | None = None
    lifted_at: datetime | None = None

    def covers(self, person: PersonMark, company: UUID | None, at: datetime) -> bool:
        """Say whether it keeps what was recorded of a person, for a company, at an instant."""
        return self._spans(company, at) and (self.person is None or self.person == person)

    def keeps(self, hashes: Iterable[bytes], company: UUID | None, at: datetime) -> bool:
        """Say whether it keeps what holds documents of these hashes, whosever they are; `hashes` as joined for each."""
        return self._spans(company, at) and (self.person is None or any(map(self.person.is_among, hashes)))

    def _spans(self, company: UUID | None, at: datetime) -> bool:
        return (
            self.lifted_at is None
            and (self.company_id is None or self.company_id == company)
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure: of whom, of which company (None: of all), everything recorded before `requested_at`."""

    id: UUID
    person: PersonMark
    company_id: UUID | None
    reason: str
    requested_by: str
    requested_at: datetime
    applied_at: datetime | None = None
    executions: int = 0
    writes: int = 0
    events: int = 0

    def reaches(self, company: UUID | None, at: datetime) -> bool:
        """Say whether it is about what was recorded for a company at an instant."""
        return at < self.requested_at and (self.company_id is None or self.company_id == company)


def bare_document(text: str) -> str:
    """Return a CPF or CNPJ without punctuation. Raises InvalidInput, which never repeats what was given."""
    bare = "".join(letter for letter in text if letter.isalnum()).upper()
    if is_cpf(bare) or is_cnpj(bare):
        return bare
    raise InvalidInput(
        "O documento não é um CPF nem um CNPJ válido.", hint="Confira os dígitos; pontos e traços podem faltar."
    )


def documents_in(clear: Mapping[str, Any]) -> frozenset[str]:
    """Return the CPFs and CNPJs of a body, each part of it looked through as it was when it was masked."""
    return frozenset(document for value in clear.values() for document in mask(value).documents)


def places_of(clear: Mapping[str, Any], hasher: Hasher, person: PersonMark) -> list[str]:
    """Name the fields of a body in which a person's document stands, at most 200 of them."""
    found: list[str] = []

    def walk(path: str, name: str, value: Any) -> None:
        documents = mask({name: value}).documents
        if len(found) >= _PLACES_MAX or not any(PersonMark.of(hasher, each) == person for each in documents):
            return
        if isinstance(value, dict):
            for inner, each in value.items():
                walk(f"{path}.{inner}", str(inner), each)
        elif isinstance(value, list):
            for place, each in enumerate(value):
                walk(f"{path}[{place}]", name, each)
        else:
            found.append(path)

    for part, value in clear.items():
        walk(part, part, value)
    # A field's own name may be what holds the document: it is masked wherever it is shown.
    return [str(mask(path).value) for path in found]


def _is_aligned(wanted: bytes, hashes: bytes) -> bool:
    place = hashes.find(wanted)
    while place != -1 and place % len(wanted):
        place = hashes.find(wanted, place + 1)
    return place != -1
