"""What goes over the wire in one flush."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from omie_control.domain.executions import Change, Status
from omie_control.errors import InvalidInput
from omie_control.valkey import connect, wire
from omie_control.valkey.live import decode_hints, encode

AT = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)


def changes(*statuses: Status) -> list[Change]:
    return [Change("fechar_mês_1", "fechar_mês", status, AT) for status in statuses]


def test_an_empty_flush_is_a_ping() -> None:
    assert encode([]) == ([], [wire.PING])


def test_only_the_last_state_of_an_execution_is_sent() -> None:
    [state], _ = encode(changes(Status.RUNNING, Status.COMPLETED))
    assert b"SETEX" in state and b'"success":true' in state


def test_lengths_are_in_bytes() -> None:
    [state], _ = encode(changes(Status.RUNNING))
    assert b"$21\r\nprocess:" + "fechar_mês_1".encode() in state


def test_hints_come_back_as_they_went_and_are_bounded() -> None:
    _, spoken = encode(changes(Status.RUNNING) * 500)
    message = spoken[-1][spoken[-1].index(b"[{") :].removesuffix(b"\r\n")
    hints = decode_hints(message)
    assert len(hints) == 64
    assert hints[0] == changes(Status.RUNNING)[0]


@pytest.mark.parametrize("url", ["http://secret@host", "redis+cluster://secret@", "redis://secret@host:port", "secret"])
def test_an_address_of_another_form_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        connect(url)
    assert "secret@" not in refused.value.for_people()


def test_the_clients_repr_hides_the_password() -> None:
    assert "hunter2" not in repr(connect("valkey://app:hunter2@127.0.0.1:6379/0"))
