"""Imports go downwards only, and no room stands outside the list."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "omie_control"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def _listed_rooms() -> set[str]:
    layers = next(contract for contract in CONTRACTS["contracts"] if contract["type"] == "layers")
    return {room.strip() for layer in layers["layers"] for room in layer.split("|")}


def _rooms_on_disk() -> set[str]:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    modules = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}
    return folders | modules


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=200)


def test_imports_go_downwards_only() -> None:
    found = _lint(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(CONTRACTS['contracts'])} kept, 0 broken" in found.stdout


def test_an_import_that_goes_up_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "omie_control"
    for room in sorted(_listed_rooms()):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
    # The ignored imports of the package itself have to exist.
    (package / "__init__.py").write_text((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for module in ("domain/executions", "mcp/control", "omie/protocol", "omie/catalog", "omie/client", "omie/faults"):
        (package / f"{module}.py").touch()
    (package / "domain" / "rules.py").write_text("import omie_control.services\nimport asyncio\n")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = _lint(tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "omie_control.domain is not allowed to import omie_control.services" in found.stdout
    assert "omie_control.domain is not allowed to import asyncio" in found.stdout


def test_every_room_is_in_the_list_of_layers() -> None:
    assert _rooms_on_disk() == _listed_rooms()
