"""The master keys of this installation, as whoever runs it keeps them: in a file of the home, a setting, or a command.

More than one may be given, apart by spaces, commas or lines: the old ones open what was sealed before a rotation.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from omie_control.domain.sealing import MasterKey, key_text, new_key
from omie_control.domain.system_faults import reason_of
from omie_control.errors import Conflict, InvalidInput

FILE_NAME = "master.key"
_APART = re.compile(r"[\s,;]+")
_MAX_BYTES = 10_000


class MasterRing:
    """Reads the keys, again whenever asked; adds one where that is ours to do: in the file of the home.

    `given`: the keys' text, or what returns it; None: the file of the home.
    """

    def __init__(self, given: str | Callable[[], str] | None, home: Path) -> None:
        self._given = given
        self.path = home / FILE_NAME

    @property
    def is_ours(self) -> bool:
        """Whether the keys lie in the file of the home, where a rotation may add one."""
        return self._given is None

    def read(self) -> Mapping[str, MasterKey]:
        """Return the keys by name, in their order; none where the file of the home is not there.

        Raises InvalidInput for a key that is none, and for a file that others may read.
        """
        text = self._given() if callable(self._given) else self._given
        if text is None:
            text = _read(self.path)
        if text is None:
            return {}
        # What is there and holds nothing is a spoiled key, not the lack of one.
        words = [word for word in _APART.split(text) if word] or [""]
        keys = [MasterKey.from_text(word) for word in words]
        return {key.key_id: key for key in keys}

    def make(self) -> None:
        """Make the first key in the home; whoever comes second keeps the first."""
        _write(self.path, key_text(new_key()) + "\n", is_first=True)

    def add(self) -> MasterKey:
        """Add a fresh key to the file of the home, below the others; on disk when this returns."""
        text = _read(self.path)
        if text is None:
            raise Conflict(f"A chave mestra não foi encontrada em {self.path}.", code="chave_mestra_perdida")
        fresh = key_text(new_key())
        _write(self.path, f"{text.rstrip()}\n{fresh}\n")
        return MasterKey.from_text(fresh)


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise InvalidInput(
                    f"O arquivo da chave mestra pode ser lido por outros usuários: {path}.",
                    hint=f"Rode: chmod 600 {path}",
                    code="chave_mestra_exposta",
                )
            return file.read(_MAX_BYTES).decode("ascii", "replace")
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise InvalidInput(
            f"O arquivo da chave mestra não pode ser lido: {reason_of(exc)}.",
            hint=f"Confira o dono e as permissões de {path}.",
            code="chave_mestra_ilegivel",
        ) from exc


def _write(path: Path, text: str, *, is_first: bool = False) -> None:
    """Write the file so that it is whole on disk or as it was; the first writer of the first key wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if is_first:
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
