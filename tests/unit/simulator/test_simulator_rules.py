"""The published limits, judged one by one on a clock that the test moves."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from omie_control.simulator.book import Book
from omie_control.simulator.clock import Clock
from omie_control.simulator.envelope import Refusal, Request
from omie_control.simulator.rules import Limits, Rules


class HandClock(Clock):
    """A clock that stands until told to move."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def seconds(self) -> float:
        return self.at


class Door:
    """Rules, their clock and their book, and a way to knock."""

    def __init__(self, **limits: object) -> None:
        self.clock = HandClock()
        self.book = Book()
        self.rules = Rules(Limits(**limits), self.clock, self.book)  # type: ignore[arg-type]

    def knock(self, call: str = "Listar", digest: str = "", *, writes: bool = False, key: str = "1") -> str:
        request = Request("geral/clientes/", call, key, "s", {}, "10.0.0.1")
        try:
            with self.rules.admit(request, digest or str(self.clock.at), writes=writes):
                self.rules.executed(request, digest or str(self.clock.at))
                self.rules.succeeded(request)
        except Refusal as refusal:
            self.rules.failed(request)
            return f"{refusal.status} {refusal.code} {refusal.text}"
        return "ok"

    def broken(self) -> list[str]:
        return [violation.rule for violation in self.book.violations]


def test_the_241st_call_of_a_method_in_a_minute_is_too_many_and_another_method_is_free() -> None:
    door = Door()
    for number in range(240):
        assert door.knock(digest=f"p{number}") == "ok"
    assert door.knock(digest="more").startswith("429")
    assert door.knock("Consultar", "x") == "ok"
    door.clock.at = 60.0
    assert door.knock(digest="again") == "ok"
    assert door.broken() == ["rate_method"]


def test_an_address_has_960_calls_a_minute_whatever_they_are() -> None:
    door = Door()
    for number in range(960):
        assert door.knock(f"Metodo{number % 8}", f"p{number}", key=str(number % 4)) == "ok"
    assert door.knock("Outro").startswith("429")
    assert door.broken() == ["rate_ip"]


@pytest.mark.parametrize(("writes", "most"), [(False, 4), (True, 1)])
def test_so_many_may_run_at_once(writes: bool, most: int) -> None:
    door = Door()
    request = Request("geral/clientes/", "X", "1", "s", {}, "10.0.0.1")
    with ExitStack() as running:
        for number in range(most):
            assert running.enter_context(door.rules.admit(request, f"p{number}", writes=writes)) == number + 1
        assert "Client-1880" in door.knock("X", "more", writes=writes)
        assert door.knock("Y", "other", writes=writes) == "ok"
    assert door.knock("X", "free", writes=writes) == "ok"


def test_the_same_read_inside_a_minute_is_redundant_and_asking_early_renews_the_wait() -> None:
    door = Door()
    assert door.knock(digest="same") == "ok"
    door.clock.at = 40.0
    assert "Aguarde 20 segundos" in door.knock(digest="same")
    door.clock.at = 70.0
    assert "Aguarde 30 segundos" in door.knock(digest="same")
    door.clock.at = 131.0
    assert door.knock(digest="same") == "ok"


def test_the_same_write_inside_a_minute_is_told_when_to_come_back() -> None:
    door = Door()
    assert door.knock("Incluir", "same", writes=True) == "ok"
    assert "Client-8020" in door.knock("Incluir", "same", writes=True)
    assert door.broken() == ["repeated"]


def test_ten_errors_in_a_row_shut_the_door_for_half_an_hour_and_each_knock_starts_it_again() -> None:
    door = Door(redundancy_seconds=0.0)
    request = Request("geral/clientes/", "Listar", "1", "s", {}, "10.0.0.1")
    for _ in range(9):
        door.rules.failed(request)
    assert door.knock() == "ok"
    for _ in range(10):
        door.rules.failed(request)
    assert door.knock().startswith("425 MISUSE_API_PROCESS")
    assert door.knock("Consultar") == "ok"
    door.clock.at = 1790.0
    assert "1800 segundos" in door.knock()
    door.clock.at = 1810.0
    assert door.knock().startswith("425")
    door.clock.at = 1810.0 + 1800.0
    assert door.knock() == "ok"


def test_the_block_may_reach_the_whole_key() -> None:
    door = Door(block_reach="key")
    request = Request("geral/clientes/", "Listar", "1", "s", {}, "10.0.0.1")
    for _ in range(10):
        door.rules.failed(request)
    assert door.knock("Consultar").startswith("425")
    assert door.knock("Consultar", key="2") == "ok"


def test_limits_that_are_not_enforced_are_still_written_down() -> None:
    door = Door(is_enforced=False)
    assert [door.knock(digest="same") for _ in range(3)] == ["ok"] * 3
    assert door.broken() == ["redundancy", "redundancy"]
