"""Checkpoints: the head of each seal with its signature, kept in files outside the database.

A database whose end was cut off or written anew does not fit them. One line a seal, only ever appended, on disk
before the next seal is made; a full file is put aside under the number of its last seal.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from omie_control.domain.seals import Seal, SigningKey
from omie_control.domain.system_faults import reason_of
from omie_control.errors import StorageDown

FOLDER, FILE_NAME = "audit", "checkpoints.jsonl"
_FULL_BYTES = 64 * 1024 * 1024
_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file keeps of a seal, signed by itself."""

    sequence: int
    at: int
    hash: bytes
    key_id: str
    signature: bytes = b""

    def digest(self) -> bytes:
        """Return what the signature is over."""
        fields = [self.sequence, self.at, self.hash.hex(), self.key_id]
        return hashlib.sha256(b"omie-control checkpoint 1\n" + orjson.dumps(fields)).digest()

    @property
    def line(self) -> bytes:
        """How it is written."""
        fields = {
            "sequence": self.sequence,
            "at": self.at,
            "hash": self.hash.hex(),
            "key_id": self.key_id,
            "signature": base64.b64encode(self.signature).decode(),
        }
        return orjson.dumps(fields) + b"\n"


@dataclass(frozen=True, slots=True)
class Illegible:
    """A line that is no checkpoint."""

    file: str
    number: int


class Checkpoints:
    """The files of one process: in its home, and in a second folder where one is set."""

    def __init__(self, home: Path, second: Path | None = None, *, full_bytes: int = _FULL_BYTES) -> None:
        self.folders: Sequence[Path] = [home / FOLDER, *([] if second is None else [second])]
        self._full = full_bytes

    def append(self, seal: Seal, key: SigningKey) -> None:
        """Add a seal's head to every file that has not got it yet. Raises OSError when one cannot be written."""
        point = Checkpoint(seal.sequence, seal.at, seal.hash, key.id)
        point = replace(point, signature=key.sign(point.digest()))
        troubles: list[OSError] = []
        for folder in self.folders:
            try:
                self._append_in(folder, point)
            except OSError as exc:
                # The second folder may be a share that is away: the first must have its line all the same.
                troubles.append(exc)
        if troubles:
            raise troubles[0]

    def last(self) -> Checkpoint | None:
        """Return the newest checkpoint of all files that can be read, or None."""
        found: list[Checkpoint] = []
        for folder in self.folders:
            # A share that is away must not keep the others from speaking; `append` tells of it.
            with suppress(OSError):
                found += filter(None, [_last_of(_files(folder))])
        return max(found, key=lambda point: point.sequence, default=None)

    def read(self, folder: Path) -> Iterator[Checkpoint | Illegible]:
        """Read the checkpoints of a folder in the order of its lines; what cannot be read in its place.

        Raises StorageDown for a folder that is away: without it nothing is proved.
        """
        try:
            for path in _files(folder):
                yield from _read(path)
        except OSError as exc:
            raise StorageDown(
                f"Os selos guardados em {folder} não podem ser lidos: {reason_of(exc)}.",
                hint="Devolva o acesso a essa pasta e verifique de novo.",
                code="checkpoints_ilegiveis",
            ) from exc

    def _append_in(self, folder: Path, point: Checkpoint) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / FILE_NAME
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not _is_still(path, descriptor):
                # Another process put the full file aside while we waited.
                return self._append_in(folder, point)
            size = os.fstat(descriptor).st_size
            last = _last_of(_files(folder))
            if last is not None and last.sequence >= point.sequence:
                return None
            if size > self._full and last is not None:
                path.rename(path.with_name(f"checkpoints-{last.sequence:012}.jsonl"))
                return self._append_in(folder, point)
            _drop_torn_line(descriptor, size)
            os.write(descriptor, point.line)
            os.fsync(descriptor)
            if size == 0:
                _sync_folder(folder)
        finally:
            os.close(descriptor)
        return None


def _files(folder: Path) -> list[Path]:
    full = sorted(folder.glob("checkpoints-*.jsonl"))
    return [*full, folder / FILE_NAME]


def _read(path: Path) -> Iterator[Checkpoint | Illegible]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for number, line in enumerate(file, 1):
            point = _parsed(line)
            if point is not None:
                yield point
            elif line.endswith(b"\n"):
                yield Illegible(str(path), number)
            # An end without a line's end is what a power cut left; whoever writes next drops it.


def _drop_torn_line(descriptor: int, size: int) -> None:
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        os.ftruncate(descriptor, size - torn)


def _parsed(line: bytes) -> Checkpoint | None:
    with suppress(orjson.JSONDecodeError, KeyError, TypeError, ValueError, binascii.Error):
        fields = orjson.loads(line)
        point = Checkpoint(
            int(fields["sequence"]),
            int(fields["at"]),
            bytes.fromhex(fields["hash"]),
            str(fields["key_id"]),
            base64.b64decode(fields["signature"], validate=True),
        )
        return point if point.line == line else None
    return None


def _last_of(paths: Sequence[Path]) -> Checkpoint | None:
    for path in reversed(paths):
        with suppress(FileNotFoundError), path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            points = [point for line in file.readlines() if (point := _parsed(line)) is not None]
            if points:
                return points[-1]
    return None


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
