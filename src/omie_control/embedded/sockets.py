"""The folder of the sockets: short, since a socket's path may have about a hundred bytes; private; ours for sure."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from omie_control.errors import Conflict, InvalidInput

_LONGEST = 80
_POINTER = "run"


def socket_folder(home: Path, *, base: Path | None, digest: str, mode: int = 0o700) -> Path:
    """Return the home's folder of sockets, making it anew when the system has cleaned it away.

    The home remembers where it is, so that processes with another idea of the temporary folder meet there.
    """
    known = _remembered(home)
    if known is not None and _is_ours(known):
        known.chmod(mode)
        return known
    folder = _place(base) / f"omie-{digest}"
    _make(folder)
    folder.chmod(mode)
    _remember(home, folder)
    return folder


def remove_socket_folder(home: Path) -> None:
    """Leave nothing behind, once no server runs."""
    known = _remembered(home)
    if known is not None and _is_ours(known):
        shutil.rmtree(known, ignore_errors=True)
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


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_ours(folder):
            raise Conflict(
                f"O caminho {folder} já existe e não é uma pasta desta conta.",
                hint="Remova-o, ou defina TMPDIR com outra pasta.",
                code="pasta_de_outro",
            ) from None


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
