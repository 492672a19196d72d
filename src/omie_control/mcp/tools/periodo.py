"""The period of a report: without dates, the month that it is where people read it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from omie_control.errors import InvalidInput
from omie_control.mcp.tools.parameters import Data

DAYS_MAX = 366

De = Annotated[Data | None, Field(description="Primeiro dia; sem ele, o 1º do mês.")]
Ate = Annotated[Data | None, Field(description="Último dia; sem ele, o fim do mês de `de`.")]


def period_of(today: date, de: date | None, ate: date | None) -> tuple[date, date]:
    """Return the first and the last day of a report. Raises InvalidInput as `require_period` does."""
    since = de or today.replace(day=1)
    until = ate or month_end(since)
    require_period(since, until)
    return since, until


def require_period(
    since: date, until: date, *, days_max: int | None = DAYS_MAX, names: tuple[str, str] = ("de", "ate")
) -> None:
    """Raise InvalidInput for a period that ends before it begins, or is too long for one report (None: never).

    `names`: the two arguments, as the tool calls them.
    """
    de, ate = names
    if since > until:
        raise InvalidInput(
            f"{de}: esperada uma data até `{ate}`. Exemplo: {de}=01/11/2026, {ate}=30/11/2026.",
            hint="Troque as datas e chame de novo; nada foi enviado.",
        )
    if days_max is not None and (until - since).days >= days_max:
        raise InvalidInput(
            f"{ate}: esperado um período de no máximo {days_max} dias. Exemplo: {de}=01/01/2026, {ate}=31/12/2026.",
            hint="Divida o período em partes; nada foi enviado.",
        )


def month_end(day: date) -> date:
    """Return the last day of a month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
