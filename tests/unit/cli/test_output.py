"""What is printed reaches every terminal and every script, whatever its character set and however long it listens."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from omie_control.cli import process
from omie_control.cli.main import run
from omie_control.errors import StorageDown


class Enough(Exception):
    """Ends a command that follows for ever."""


def printed(monkeypatch: pytest.MonkeyPatch, charset: str, *words: str) -> bytes:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=charset))
    monkeypatch.setattr(sys, "argv", ["omie-control", *words])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 0
    sys.stdout.flush()
    return raw.getvalue()


@pytest.mark.parametrize("charset", ["ascii", "iso-8859-1", "utf-8"])
def test_a_letter_that_the_terminal_has_not_stops_nothing(monkeypatch: pytest.MonkeyPatch, charset: str) -> None:
    rows = printed(monkeypatch, charset, "role", "rights").decode(charset)
    assert "iniciar execuções".encode(charset, "replace").decode(charset) in rows


@pytest.mark.parametrize("charset", ["ascii", "iso-8859-1", "utf-8"])
def test_json_is_utf_8_everywhere(monkeypatch: pytest.MonkeyPatch, charset: str) -> None:
    answer = json.loads(printed(monkeypatch, charset, "role", "rights", "--json").decode("utf-8"))
    assert any("execuções" in item["meaning"] for item in answer["items"])


def test_whoever_follows_is_told_once_that_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answers() -> Iterator[Any]:
        yield StorageDown()
        yield StorageDown()
        yield SimpleNamespace(items=[])
        yield StorageDown()
        yield Enough()

    coming = answers()

    async def list(*_: object, **__: object) -> Any:
        answer = next(coming)
        if isinstance(answer, Exception):
            raise answer
        return answer

    app = SimpleNamespace(executions=SimpleNamespace(list=list))
    monkeypatch.setattr(process, "with_app", lambda verb, **_: asyncio.run(verb(app)))
    monkeypatch.setattr(process, "TAIL_SECONDS", 0)
    with pytest.raises(Enough):
        process.tail()
    assert capsys.readouterr().err.count("fora do ar") == 2
