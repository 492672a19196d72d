"""The erasure list outside the database: a restore brings back an older database, and must not bring back people.

One line an erasure, keyed hashes only, in the home; every worker adds what the database has and its file has not.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from omie_control.domain.erasures import Erasure, PersonMark

FILE_NAME = "erasures.jsonl"
_MARK_BYTES = 24


class ErasureList:
    """The file of one home."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE_NAME

    def read(self) -> dict[UUID, Erasure]:
        """Return every erasure of the file; a line that is none is passed over."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        found = [erasure for line in lines if (erasure := _read(line)) is not None]
        return {erasure.id: erasure for erasure in found}

    def add(self, erasures: Iterable[Erasure]) -> None:
        """Add what the file has not got yet, and return when it is on disk. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            known = self.read()
            lines = b"".join(_line(erasure) for erasure in erasures if erasure.id not in known)
            if not lines:
                return
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                # The line before was torn by a crash: it stays its own.
                lines = b"\n" + lines
            os.write(descriptor, lines)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _line(erasure: Erasure) -> bytes:
    fields = {
        "id": str(erasure.id),
        "person": base64.b64encode(erasure.person.joined).decode(),
        "company_id": None if erasure.company_id is None else str(erasure.company_id),
        "reason": erasure.reason,
        "requested_by": erasure.requested_by,
        "requested_at": erasure.requested_at.isoformat(),
    }
    return orjson.dumps(fields) + b"\n"


def _read(line: bytes) -> Erasure | None:
    try:
        fields: Mapping[str, Any] = orjson.loads(line)
        joined = base64.b64decode(fields["person"], validate=True)
        company = fields["company_id"]
        at = datetime.fromisoformat(fields["requested_at"])
        if len(joined) != _MARK_BYTES or at.tzinfo is None:
            return None
        return Erasure(
            UUID(fields["id"]),
            PersonMark.from_bytes(joined),
            None if company is None else UUID(company),
            str(fields["reason"])[:500] or "-",
            str(fields["requested_by"])[:100],
            at,
        )
    except (ValueError, KeyError, TypeError):
        return None
