"""Payment terms: what each code of geral/parcelas means in instalments and days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from omie_control.simulator.envelope import Refusal

_DAYS_BETWEEN = 30
_TO_BE_TOLD = "999"
# The codes of a company's own conditions say their days themselves: D30/60/90.
OWN = "D"
_OWN_CODE = re.compile(rf"{OWN}\d{{1,3}}(/\d{{1,3}}){{0,35}}")


@dataclass(frozen=True, slots=True)
class Term:
    """A payment condition: after how many days each instalment is due."""

    code: str
    description: str
    days: tuple[int, ...]


def _seeded() -> Iterator[Term]:
    yield Term("000", "A Vista", (0,))
    for number in (*range(1, 13), 18, 24, 36):
        days = tuple(_DAYS_BETWEEN * each for each in range(1, number + 1))
        yield Term(f"{number:03d}", f"{number} Parcela{'s' if number > 1 else ''}", days)
    for days_away in (3, 5, 7, 10, 14, 15, 20, 21, 25, 28, 35, 45, 60, 90):
        yield Term(f"A{days_away:02d}", f"Para {days_away} dias", (days_away,))
    for code, days in (
        ("S01", (30, 60)),
        ("S02", (30, 60, 90)),
        ("S03", (28, 56)),
        ("S04", (15, 30)),
        ("S05", (0, 30)),
    ):
        yield Term(code, "/".join(str(day) for day in days), days)
    yield Term(_TO_BE_TOLD, "Informar o número de parcelas", (_DAYS_BETWEEN,))


TERMS: dict[str, Term] = {term.code: term for term in _seeded()}


def term_of(code: str, instalments: int = 0) -> Term:
    """Return the condition of a code, or refuse it; `999` takes the number of instalments it is told."""
    term = TERMS.get(code)
    if term is None and _OWN_CODE.fullmatch(code):
        days = code.removeprefix(OWN)
        return Term(code, days, tuple(int(day) for day in days.split("/")))
    if term is None:
        raise Refusal("Client-105", f"ERROR: Parcela não cadastrada para o Código [{code}] !")
    if code == _TO_BE_TOLD and instalments > 1:
        return Term(code, term.description, tuple(_DAYS_BETWEEN * each for each in range(1, instalments + 1)))
    return term


def instalments(term: Term, total: float, since: datetime) -> list[tuple[int, str, float]]:
    """Return (days, due date, value) of each instalment; cents that do not divide go to the last one."""
    count = len(term.days)
    share = round(total * 100) // count / 100
    values = [share] * (count - 1) + [round(total - share * (count - 1), 2)]
    return [
        (days, f"{since + timedelta(days=days):%d/%m/%Y}", value) for days, value in zip(term.days, values, strict=True)
    ]
