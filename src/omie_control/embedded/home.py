"""The folder of one installation: private, owned by us, written so that a power cut leaves no half file."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

from omie_control.embedded.troubles import CHOOSE_HOME, readable
from omie_control.errors import Conflict, InvalidInput

_MARK = "servers.lock"


@dataclass(frozen=True, slots=True, repr=False)
class Passwords:
    """The passwords of the servers' accounts; random, made once per home."""

    owner: str
    app: str
    reader: str
    valkey: str

    def __repr__(self) -> str:
        return "Passwords(•••)"


class Home:
    """The folder and what lies where in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.postgres = self.path / "postgres"
        self.valkey = self.path / "valkey"
        self.logs = self.path / "logs"
        self.secrets = self.path / "secrets.json"
        self.turn_lock = self.path / _MARK
        self.users_lock = self.path / "users.lock"

    @property
    def digest(self) -> str:
        """A short name for this folder, the same in every process of this account."""
        return hashlib.sha256(f"{os.geteuid()}:{self.path}".encode()).hexdigest()[:12]

    def prepare(self) -> None:
        """Make the folder, or check that it is ours alone. Raises one readable line."""
        with readable(self.path):
            fresh = not self.path.exists()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._require_owner()
            if fresh or (self.path / _MARK).exists() or not any(self.path.iterdir()):
                close_folder(self.path)
            (self.path / _MARK).touch(0o600)
            private_folder(self.logs)

    def _require_owner(self) -> None:
        found = self.path.stat()
        if found.st_uid != os.geteuid():
            raise InvalidInput(
                f"A pasta {self.path} é de outra conta do sistema (uid {found.st_uid}).",
                hint=f"Rode com essa conta. {CHOOSE_HOME}",
                code="pasta_de_outro",
            )
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX and any(self.path.iterdir()):
            raise InvalidInput(
                f"Qualquer conta do sistema pode escrever na pasta {self.path}.",
                hint=f"Feche-a com `chmod 700`. {CHOOSE_HOME}",
                code="pasta_aberta",
            )

    def passwords(self) -> Passwords:
        """Read the passwords, or make them when the home has no data yet. Call it under the turn lock."""
        with readable(self.path):
            if not self.secrets.exists():
                self._refuse_data_without_passwords()
                made = {field.name: secrets.token_urlsafe(24) for field in fields(Passwords)}
                write_durably(self.secrets, json.dumps(made, indent=2) + "\n")
            text = self.secrets.read_text(encoding="utf-8")
        try:
            return Passwords(**json.loads(text))
        except (ValueError, TypeError):
            raise Conflict(
                f"O arquivo de senhas {self.secrets} está danificado.",
                hint="Restaure-o da cópia de segurança.",
                code="senhas_danificadas",
            ) from None

    def _refuse_data_without_passwords(self) -> None:
        if self.postgres.exists():
            raise Conflict(
                f"Há dados em {self.postgres}, mas falta o arquivo de senhas {self.secrets}.",
                hint=f"Restaure-o da cópia de segurança. {CHOOSE_HOME}",
                code="senhas_ausentes",
            )


def private_folder(path: Path, *, owner: tuple[int, int] | None = None) -> Path:
    """Make a folder that only its owner may read, or close the existing one; `owner` is a uid and a gid."""
    path.mkdir(mode=0o700, exist_ok=True)
    close_folder(path)
    if owner is not None and path.stat().st_uid != owner[0]:
        os.chown(path, *owner)
    return path


def close_folder(path: Path) -> None:
    """Let nobody else read or write a folder; the right to pass through it stays as it is."""
    mode = path.stat().st_mode
    if mode & 0o066:
        path.chmod(0o700)


def give(path: Path, owner: tuple[int, int]) -> None:
    """Hand a whole folder to another account, as root alone may."""
    os.chown(path, *owner)
    for parent, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(parent, name), *owner, follow_symlinks=False)


def write_durably(path: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    """Replace a file whole, readable by its owner alone; after a power cut it is the old one or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if owner is not None:
            os.fchown(fd, *owner)
        os.fsync(fd)
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names inside a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def tail(path: Path, size: int = 8192) -> str:
    """Return the end of a log file, or nothing when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def rotate(path: Path, *, above_bytes: int = 5_000_000) -> None:
    """Put a log that has grown aside, keeping one older one."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > above_bytes:
            path.replace(path.with_name(f"{path.name}.1"))
