"""The demonstration's traffic: lively, and never in a newcomer's way."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import islice

from omie_control.domain.gate import Limits
from omie_control.jobs.demo import Step, steps
from omie_control.simulator.families.clientes import NOUN
from omie_control.simulator.seed import DEMO_COMPANIES, found

MADE = list(islice(steps(random.Random(7)), 500))
SINGLE = [step for step in MADE if step.call == "ConsultarCliente"]


def is_miss(step: Step) -> bool:
    return "codigo_cliente_integracao" in step.param


def test_now_and_then_a_call_fails_and_never_often_enough_to_shut_its_method() -> None:
    in_a_row = worst = 0
    for step in SINGLE:
        in_a_row = in_a_row + 1 if is_miss(step) else 0
        worst = max(worst, in_a_row)
    assert 0 < worst < Limits().errors_open


def test_who_is_asked_for_by_number_exists() -> None:
    company = next(found(DEMO_COMPANIES, 1, datetime(2026, 11, 23, tzinfo=UTC)))
    ids = {row.id for row in company.table(NOUN.table)}
    assert {step.param["codigo_cliente_omie"] for step in SINGLE if not is_miss(step)} <= ids
