"""The folder of the sockets: short, since a socket's path may have about a hundred bytes; private; ours for sure."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from omie_control.embedded.home import Home
from omie_control.errors import Conflict, InvalidInput

_LONGEST = 80
_POINTER = "run"


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where the two servers listen; `mode` lets the account of PostgreSQL pass where it is not ours."""

    folder: Path
    mode: int = 0o700

    @property
    def postgres(self) -> Path:
        """The folder of PostgreSQL's socket."""
        return self.folder / "pg"

    @property
    def valkey(self) -> Path:
        """Valkey's socket."""
        return self.folder / "valkey.sock"

    def make(self) -> None:
        """Make the folder, anew when the system has cleaned it away. Raises Conflict when it is somebody else's."""
        try:
            self.folder.mkdir(mode=0o700)
        except FileExistsError:
            if not _is_ours(self.folder):
                raise Conflict(
                    f"O caminho {self.folder} já existe e não é uma pasta desta conta.",
                    hint="Remova-o, ou defina TMPDIR com outra pasta.",
                    code="pasta_de_outro",
                ) from None
        self.folder.chmod(self.mode)

    def clear(self) -> None:
        """Remove the folder, if it is ours."""
        if _is_ours(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)


def find_sockets(home: Home, *, base: Path | None, mode: int) -> Sockets:
    """Return the home's place of sockets.

    The home remembers it, so that processes with another idea of the temporary folder meet there.
    """
    known = _remembered(home.path)
    if known is not None and _is_ours(known):
        return Sockets(known, mode)
    sockets = Sockets(_place(base) / f"omie-{home.digest}", mode)
    sockets.make()
    _remember(home.path, sockets.folder)
    return sockets


def remove_sockets(home: Path) -> None:
    """Leave nothing behind, once no server runs."""
    known = _remembered(home)
    if known is not None:
        Sockets(known).clear()
    (home / _POINTER).unlink(missing_ok=True)


def _place(base: Path | None) -> Path:
    for place in (base, Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 (the folder made there is verified)
        if place is not None and len(os.fsencode(place)) + 18 <= _LONGEST and os.access(place, os.W_OK | os.X_OK):
            return place
    raise InvalidInput(
        "Não há uma pasta temporária curta em que se possa criar os sockets dos servidores.",
        hint="Libere a escrita em /tmp ou defina TMPDIR com um caminho curto.",
        code="pasta_inutilizavel",
    )


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _remembered(home: Path) -> Path | None:
    try:
        return Path(os.readlink(home / _POINTER))  # noqa: PTH115 (the target may be gone, only its name is wanted)
    except OSError:
        return None


def _remember(home: Path, folder: Path) -> None:
    fresh = home / f".{_POINTER}.new"
    with suppress(FileNotFoundError):
        fresh.unlink()
    fresh.symlink_to(folder)
    fresh.replace(home / _POINTER)
