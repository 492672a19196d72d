"""A line that was typed wrong is told in Portuguese, with where its help is; so is the help itself."""

from __future__ import annotations

import json
import sys

import pytest

from omie_control import __version__
from omie_control.cli.main import run


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["omie-control", *words])
    with pytest.raises(SystemExit) as ended:
        run()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("process lst", "O comando 'lst' não existe.\nVocê quis dizer 'list'? Veja omie-control process --help."),
        ("xyz", "O comando 'xyz' não existe.\nVeja omie-control --help."),
        ("process show", "Falta o argumento execution_id.\nVeja omie-control process show --help."),
        ("token create", "Falta a opção --name.\nVeja omie-control token create --help."),
        ("process list --limit", "A opção --limit precisa de um valor.\nVeja omie-control --help."),
        ("process list --json=1", "A opção --json não leva valor.\nVeja omie-control --help."),
        (
            "process list --limit 0",
            "'--limit' não serve: esperado no mínimo 1.\nVeja omie-control process list --help.",
        ),
        ("up --port muita", "'--port' não serve: esperado um número inteiro.\nVeja omie-control up --help."),
        ("process show a b", "Há palavras a mais: b.\nVeja omie-control process show --help."),
        (
            "process list --limi 9",
            "A opção --limi não existe.\nVocê quis dizer --limit? Veja omie-control process list --help.",
        ),
    ],
)
def test_a_mistyped_line_says_what_is_wrong_with_it(
    line: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, *line.split()) == 2
    assert capsys.readouterr().err == f"Erro: {said}\n"


def test_a_script_gets_its_mistake_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(monkeypatch, "process", "show", "--json") == 2
    assert json.loads(capsys.readouterr().err)["error"]["message"] == "Falta o argumento execution_id."


@pytest.mark.parametrize(("line", "code"), [("", 2), ("process", 2), ("process list --help", 0), ("up --help", 0)])
def test_the_help_is_in_portuguese(
    line: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, *line.split()) == code
    shown = capsys.readouterr()
    text = shown.out + shown.err
    assert "Uso: omie-control" in text and "Mostra esta ajuda e sai." in text
    assert [word for word in ("Usage", "Options", "Commands", "Arguments", "default", "required") if word in text] == []


def test_the_version_needs_no_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"omie-control {__version__}\n"
