"""The screen at the end of a start: what it says to type is what works in the shell beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from omie_control.cli.installation import where_the_key_lies
from omie_control.cli.screen import Welcome, text
from omie_control.settings import Settings

WELCOME = Welcome("http://127.0.0.1:8000", "admin", "s", "omc_x", Path("h"), "h/master.key", "pg", "vk", is_demo=True)


def laid(folder: Path) -> Path:
    """Lay a command beside a Python, as an environment has them."""
    folder.mkdir(parents=True)
    command = folder / "omie-control"
    command.write_text("#!/bin/sh\n", encoding="utf-8")
    command.chmod(0o755)
    return command


def test_from_a_clone_the_command_is_named_by_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid(tmp_path / ".venv" / "bin")
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert "    .venv/bin/omie-control company add minha-empresa" in text(WELCOME)
    (tmp_path / "longe").mkdir()
    monkeypatch.chdir(tmp_path / "longe")
    assert f"    {tmp_path}/.venv/bin/omie-control company add" in text(WELCOME)


def test_an_installed_command_is_named_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(laid(tmp_path / "bin").parent))
    assert "    omie-control company add minha-empresa" in text(WELCOME)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "/h/master.key"),
        ({"MASTER_KEY_COMMAND": "vault read"}, "a que o comando de OMIE_CONTROL_MASTER_KEY_COMMAND imprime"),
        ({"MASTER_KEY_COMMAND": "vault read", "MASTER_KEY_FILE": "/k"}, "/k"),
        ({"MASTER_KEY": "x", "MASTER_KEY_FILE": "/k"}, "na variável OMIE_CONTROL_MASTER_KEY"),
    ],
)
def test_the_key_to_keep_is_the_one_in_use(given: dict[str, str], said: str) -> None:
    environment = {f"OMIE_CONTROL_{name}": value for name, value in {"HOME": "/h", **given}.items()}
    assert where_the_key_lies(Settings.from_environment(environment)) == said
