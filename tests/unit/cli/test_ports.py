"""An address that cannot be taken is told for what it is: somebody's port, no address of ours, no right to it."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from omie_control.cli.ports import bind
from omie_control.errors import Conflict, InvalidInput


def test_a_taken_port_is_a_conflict_that_names_it() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"A porta {port} de 127.0.0.1 não está livre: o processo {os.getpid()}"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize(
    "host",
    [
        "999.1.1.1",
        "a..b",
        "x" * 70,
        # For documents only, by RFC 5737: no machine has it.
        "192.0.2.1",
    ],
)
def test_an_address_of_another_machine_is_no_taken_port(host: str) -> None:
    with pytest.raises(InvalidInput, match="não existe nesta máquina"):
        bind(host, 0)


def test_a_port_for_root_alone_is_not_taken_by_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(InvalidInput, match="não pode escutar na porta 80"):
        bind("127.0.0.1", 80)
