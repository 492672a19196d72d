"""Reports of what is open, compared with sums over the simulator's own tables."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.titles_held import Held, held, make_exceptions, money, today
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.mcp.tools.values import shown_money


async def some_exceptions(house: House, **arguments: Any) -> dict[str, Any]:
    await make_exceptions(house)
    return arguments


def overdue(house: House, *sides: str, days: int = 1) -> list[Held]:
    return [each for each in held(house, *sides) if each.open > 0 and (today() - each.due).days >= days]


def every_late_one(house: House, answer: Told) -> None:
    late = overdue(house)
    assert answer.data["total_de_titulos"] == len(late) > 5
    for side, name in (("receber", "a_receber_vencido"), ("pagar", "a_pagar_vencido")):
        assert money(answer.data[name]) == sum(each.open for each in late if each.side == side) > 0
    rows = answer.data["titulos"]
    assert len(rows) == min(100, len(late))
    by_id = {each.id: each for each in late}
    for row in rows:
        mine = by_id[row["codigo_omie"]]
        assert (money(row["valor_aberto"]), row["dias_de_atraso"]) == (mine.open, (today() - mine.due).days)
        assert row["nome"] in {house.row("clientes", mine.client).record["nome_fantasia"]}
    assert [row["dias_de_atraso"] for row in rows] == sorted((row["dias_de_atraso"] for row in rows), reverse=True)
    assert any(each.paid for each in late), "a title paid in part is late as well"
    assert answer.data["dados_completos"] is True
    # Both sides are told, and never as one sum.
    owed, owing = (shown_money(answer.data[name]) for name in ("a_receber_vencido", "a_pagar_vencido"))
    assert f"{len(late)} títulos vencidos, {owed} a receber e {owing} a pagar em aberto" in answer.text


def ages_are_the_book_s(house: House, answer: Told) -> None:
    still = [each for each in held(house, "receber") if each.open > 0]
    assert money(answer.data["total_em_aberto"]) == sum(each.open for each in still)
    assert money(answer.data["total_vencido"]) == sum(each.open for each in overdue(house, "receber"))
    assert answer.data["total_de_titulos"] == len(still)
    bands = {band["faixa"]: band for band in answer.data["faixas"]}
    limits = {"vencido de 1 a 30 dias": (1, 30), "vencido de 31 a 60 dias": (31, 60), "vence hoje": (0, 0)}
    for name, (low, high) in limits.items():
        inside = [each for each in still if low <= (today() - each.due).days <= high]
        assert (bands[name]["titulos"], money(bands[name]["valor"])) == (
            len(inside),
            sum((each.open for each in inside), Decimal(0)),
        )
    assert bands["vence hoje"]["titulos"] >= 1
    assert sum(band["titulos"] for band in bands.values()) == len(still)
    owed: dict[int, Decimal] = defaultdict(Decimal)
    for each in still:
        owed[each.client] += each.open
    first = answer.data["maiores"][0]
    assert money(first["em_aberto"]) == max(owed.values()) == owed[first["codigo_cliente"]]
    assert first["nome"] == house.row("clientes", first["codigo_cliente"]).record["nome_fantasia"]


def by_status(house: House, answer: Told) -> None:
    period = timedelta(days=90)
    inside = [
        each
        for each in held(house, "receber")
        if not each.is_cancelled and today() - period <= each.due <= today() + period
    ]
    lines = {line["status"]: line for line in answer.data["por_status"]}
    settled = [each for each in inside if each.open == 0]
    assert (lines["RECEBIDO"]["titulos"], money(lines["RECEBIDO"]["valor"])) == (
        len(settled),
        sum(each.value for each in settled),
    )
    late = [each for each in inside if each.open == each.value and each.due < today()]
    assert (lines["ATRASADO"]["titulos"], money(lines["ATRASADO"]["em_aberto"])) == (
        len(late),
        sum(each.value for each in late),
    )
    assert lines["PAGTO_PARCIAL"]["titulos"] == 1
    assert money(lines["PAGTO_PARCIAL"]["recebido"]) == Decimal("10.01")
    assert "CANCELADO" not in lines
    assert answer.data["total_de_titulos"] == len(inside)
    assert money(answer.data["em_aberto"]) == sum(each.open for each in inside)


STORIES = (
    Story(
        "titulos_vencidos",
        good=Case(lambda house: some_exceptions(house, lado="ambos", limite=100), then=every_late_one),
        empty=Case(
            {"codigo_cliente": 7},
            has={"titulos": [], "total_de_titulos": 0, "a_receber_vencido": 0.0, "dados_completos": True},
            says="Nenhum título vencido",
        ),
        wrong=Case(
            {"lado": "todos", "dias_minimos": 0, "limite": 1000},
            says=("- lado: esperado um destes", "- dias_minimos: esperado no mínimo 1", "- limite: esperado no máximo"),
        ),
        failing=Case({}),
    ),
    Story(
        "relatorio_aging",
        good=Case(lambda house: some_exceptions(house, lado="receber"), then=ages_are_the_book_s),
        empty=Case({"codigo_cliente": 7}, has={"total_em_aberto": 0.0, "maiores": [], "total_de_titulos": 0}),
        wrong=Case({"lado": "ambos"}, says="- lado: esperado um destes"),
        failing=Case({"lado": "pagar"}),
    ),
    Story(
        "status_contas_receber",
        good=Case(some_exceptions, then=by_status),
        empty=Case(
            {"vencimento_de": "01/01/2001", "vencimento_ate": "31/01/2001"},
            has={"por_status": [], "total_de_titulos": 0, "em_aberto": 0.0},
        ),
        wrong=Case(
            {"vencimento_de": "01/01/2026", "vencimento_ate": "31/12/2027"},
            says="vencimento_ate: esperado um período de no máximo 366 dias",
        ),
        failing=Case({}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_one_day_of_a_period_is_completed_on_its_open_side(house: House) -> None:
    past = await house.call("status_contas_receber", vencimento_ate="31/03/2026")
    assert (past.data["vencimento_de"], past.data["vencimento_ate"]) == ("31/12/2025", "31/03/2026")
    ahead = today() + timedelta(days=200)
    coming = await house.call("status_contas_receber", vencimento_de=ahead.isoformat())
    assert coming.data["vencimento_ate"] == f"{ahead + timedelta(days=90):%d/%m/%Y}"
