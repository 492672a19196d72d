"""The log tells where something failed, never what was in hand there: passwords, keys, bodies."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from omie_control.telemetry import configure_logging

SECRET = "um-segredo-que-ninguem-pode-ver"


@pytest.fixture
def root_log() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_logged_exception_shows_no_value(
    log_format: str, root_log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(log_format)

    def connect(password: str) -> None:
        raise ConnectionRefusedError("recusada")

    try:
        connect(SECRET[:10] + SECRET[10:])
    except ConnectionRefusedError:
        root_log.exception("the pool lost its connection")
    said = capsys.readouterr().err
    assert "connect" in said and "ConnectionRefusedError: recusada" in said
    assert SECRET not in said
