"""The rules of the gate and the words of its refusals, without any server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from omie_control.domain.gate import Ask, Limits, Line, Verdict, Why, busy, leaving, span_words
from omie_control.domain.gate_rules import Waiter, in_order, learnt

LINE = Line("key", "geral/clientes/ListarClientes", "acme")
LIMITS = Limits()
ASK = Ask("default", "key", LINE.endpoint, False, "digest", "agent", "acme")


def waiter(id: str, company: str, caller: str, asked_at: float, **given: bool) -> Waiter:
    return Waiter(id, "line", False, company, caller, given.get("is_background", False), asked_at)


def names(waiters: list[Waiter]) -> str:
    return " ".join(each.id for each in waiters)


def test_companies_take_turns_and_within_one_its_callers() -> None:
    waiters = [waiter(f"flood{n}", "a", "x", n) for n in range(3)]
    waiters += [waiter("small", "a", "y", 10), waiter("other", "b", "z", 20)]
    assert names(in_order(waiters, {})) == "flood0 other small flood1 flood2"


def test_whoever_was_served_least_lately_comes_first() -> None:
    waiters = [waiter("first", "a", "x", 0), waiter("second", "b", "y", 1)]
    assert names(in_order(waiters, {("a",): 5.0, ("b",): 4.0})) == "second first"


def test_background_comes_last_however_long_it_waits() -> None:
    waiters = [waiter("old", "a", "x", 0, is_background=True), waiter("new", "a", "x", 9)]
    assert names(in_order(waiters, {})) == "new old"


def test_one_who_cannot_go_yet_keeps_no_place() -> None:
    assert in_order([replace(waiter("later", "a", "x", 0), from_in=3.0)], {}) == []


def test_a_success_ends_the_run_of_errors_and_one_without_errors_teaches_nothing() -> None:
    assert learnt(replace(LINE, errors=5, busy_runs=1), Verdict.DONE, 0, LIMITS) == LINE
    assert learnt(LINE, Verdict.DONE, 0, LIMITS) is None
    assert learnt(LINE, Verdict.NOT_SENT, 0, LIMITS) is None


@pytest.mark.parametrize("verdict", [Verdict.FAULT, Verdict.UNKNOWN, Verdict.REFUSED_REDUNDANT, Verdict.REFUSED_BUSY])
def test_every_refusal_counts_as_an_error_because_omie_counts_it(verdict: Verdict) -> None:
    line = learnt(replace(LINE, errors=5), verdict, 0, LIMITS)
    assert line is not None and line.errors == 6
    assert (line.opens_in, line.patient_in) == (60, 120)


def test_the_breaker_waits_ever_longer_and_before_omies_tenth_error_a_whole_block() -> None:
    assert [LIMITS.breaker_pause(errors) for errors in (6, 7, 8, 9, 20)] == [60, 120, 240, 1800, 1800]
    assert LIMITS.errors_most < 10


def test_a_redundant_answer_renews_the_window_of_its_parameters() -> None:
    passage = leaving("id", ASK, Verdict.REFUSED_REDUNDANT, 75, LIMITS)
    assert passage.repeats_for == 75.25 and passage.counts_for == LIMITS.held_seconds


def test_a_scaled_clock_scales_every_span_and_no_number() -> None:
    scaled = LIMITS.scaled(60)
    assert (scaled.window_seconds, scaled.block_seconds, scaled.per_method) == (1, 30, 240)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 segundo"), (44.01, "45 segundos"), (120, "120 segundos"), (150, "2 min 30 s"), (1800, "30 minutos")],
)
def test_spans_read_as_people_say_them(seconds: float, words: str) -> None:
    assert span_words(seconds) == words


@pytest.mark.parametrize("why", Why)
def test_every_refusal_says_why_how_long_and_until_when(why: Why) -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    error = busy(why, 90, now)
    assert "Tente de novo em 90 segundos." in error.message
    assert error.until == now + timedelta(seconds=90)
    assert error.code == f"gate_{why.value}"
