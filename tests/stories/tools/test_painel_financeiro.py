"""The panel and the whole report, compared with sums over the simulator's own tables."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.titles_held import held, make_exceptions, money, moved, today
from tests.tool_stories import Case, House, Story, Told, told


async def some_exceptions(house: House, **arguments: Any) -> dict[str, Any]:
    await make_exceptions(house)
    return arguments


def is_today_s(house: House, answer: Told) -> None:
    every = moved(house)
    opening = sum((money(row.record["saldo_inicial"]) for row in house.table("contas_correntes")), Decimal(0))
    assert money(answer.data["saldo_em_contas"]) == opening + sum(each.value for each in every if each.at <= today())
    for side in ("receber", "pagar"):
        still = [each for each in held(house, side) if each.open > 0]
        soon = today() + timedelta(days=7)
        figures = answer.data[f"a_{side}"]
        late = [each for each in still if each.due < today()]
        assert (figures["titulos"], figures["titulos_vencidos"]) == (len(still), len(late))
        assert money(figures["em_aberto"]) == sum(each.open for each in still) > 0
        assert money(figures["vencido"]) == sum(each.open for each in late) > 0
        assert money(figures["vence_hoje"]) == sum(each.open for each in still if each.due == today())
        assert money(figures["proximos_7_dias"]) == sum(each.open for each in still if today() < each.due <= soon)
    month = [
        each.value
        for each in every
        if today().replace(day=1) <= each.at <= today() and not each.origin.startswith("TRA")
    ]
    assert money(answer.data["mes"]["entradas"]) == sum(value for value in month if value > 0) > 0
    assert money(answer.data["mes"]["saidas"]) == -sum(value for value in month if value < 0) > 0
    assert answer.data["dados_completos"] is True


def is_the_whole_month_s(house: House, answer: Told) -> None:
    is_today_s(house, answer)
    since, until = today() - timedelta(days=30), today() + timedelta(days=30)
    for side in ("receber", "pagar"):
        still = [each for each in held(house, side) if each.open > 0]
        assert money(answer.data[f"aging_a_{side}"]["total_em_aberto"]) == sum(each.open for each in still)
    inside = [each for each in moved(house) if since <= each.at <= until and not each.origin.startswith("TRA")]
    assert money(answer.data["dre"]["resultado"]) == sum(each.value for each in inside)
    assert money(answer.data["fluxo_de_caixa"]["total"]["saldo_realizado"]) == sum(each.value for each in inside)
    due = [each for each in held(house) if since <= each.due <= until and not each.is_cancelled]
    expected = sum(each.value if each.side == "receber" else -each.value for each in due)
    assert money(answer.data["fluxo_de_caixa"]["total"]["saldo_previsto"]) == expected


def empty_house(house: House) -> dict[str, Any]:
    """Take every title, settlement and entry away."""
    for noun in ("contas_receber", "contas_pagar", "lancamentos", "baixas_contas_receber", "baixas_contas_pagar"):
        table = house.table(noun)
        for row in list(table):
            table.remove(row)
    return {}


_NOTHING = {
    "titulos": 0,
    "em_aberto": 0.0,
    "titulos_vencidos": 0,
    "vencido": 0.0,
    "vence_hoje": 0.0,
    "proximos_7_dias": 0.0,
}


def a_period(_: House) -> dict[str, Any]:
    return {"de": (today() - timedelta(days=30)).isoformat(), "ate": (today() + timedelta(days=30)).isoformat()}


STORIES = (
    Story(
        "dashboard_financeiro",
        good=Case(some_exceptions, then=is_today_s),
        empty=Case(empty_house, has={"a_receber": _NOTHING, "a_pagar": _NOTHING, "dados_completos": True}),
        wrong=Case({"mes": 11}, says="mes"),
        failing=Case({}),
    ),
    Story(
        "relatorio_financeiro_completo",
        good=Case(lambda house: some_exceptions(house, **a_period(house)), then=is_the_whole_month_s),
        empty=Case(empty_house, has={"a_receber": _NOTHING, "a_pagar": _NOTHING, "dados_completos": True}),
        wrong=Case({"de": "01/01/2026", "ate": "31/12/2027"}, says="período de no máximo 366 dias"),
        failing=Case({}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
