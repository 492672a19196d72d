"""The income statement, compared with sums over the simulator's own tables."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.titles_held import held, make_exceptions, money, moved, today
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.mcp.tools.dre import recognised, statement_of
from omie_control.mcp.tools.financas_lidas import shares


def a_span() -> tuple[date, date]:
    return today() - timedelta(days=80), today()


async def eighty_days(house: House, **more: Any) -> dict[str, Any]:
    await make_exceptions(house)
    since, until = a_span()
    return {"de": since.isoformat(), "ate": until.isoformat(), **more}


def by_category(answer: Told) -> dict[str, Decimal]:
    return {each["codigo"]: money(each["valor"]) for line in answer.data["linhas"] for each in line["categorias"]}


def is_the_book_s(house: House, answer: Told, sums: dict[str, Decimal]) -> None:
    assert by_category(answer) == sums
    assert len(sums) > 3
    revenue = sum((value for code, value in sums.items() if code.startswith("1")), Decimal(0))
    assert money(answer.data["receitas"]) == revenue > 0
    assert money(answer.data["resultado"]) == sum(sums.values())
    assert money(answer.data["despesas"]) == sum(sums.values()) - revenue < 0
    for line in answer.data["linhas"]:
        of_line = {row.code for row in house.table("categorias") if row.record["codigo_dre"] == line["codigo_dre"]}
        assert {each["codigo"] for each in line["categorias"]} <= of_line
        assert money(line["valor"]) == sum(money(each["valor"]) for each in line["categorias"])
    codes = [line["codigo_dre"] for line in answer.data["linhas"]]
    assert codes == sorted(codes)
    assert answer.data["dados_completos"] is True


def what_moved(house: House, answer: Told) -> None:
    since, until = a_span()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in moved(house):
        if since <= each.at <= until and not each.origin.startswith("TRA"):
            sums[each.category] += each.value
    is_the_book_s(house, answer, dict(sums))


def what_was_issued(house: House, answer: Told) -> None:
    since, until = a_span()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for title in held(house):
        if since <= title.issued <= until and not title.is_cancelled:
            sums[title.category] += title.value if title.side == "receber" else -title.value
    for each in moved(house):
        if since <= each.at <= until and each.origin.startswith("MAN"):
            sums[each.category] += each.value
    is_the_book_s(house, answer, dict(sums))


STORIES = (
    Story(
        "relatorio_dre",
        good=Case(lambda house: eighty_days(house, regime="caixa"), then=what_moved),
        empty=Case(
            {"de": "01/01/2001", "ate": "31/01/2001"},
            has={"linhas": [], "receitas": 0.0, "despesas": 0.0, "resultado": 0.0, "dados_completos": True},
        ),
        wrong=Case(
            {"de": "31/01/2026", "ate": "01/01/2026"}, says="de: esperada uma data até `ate`. Exemplo: de=01/11/2026"
        ),
        failing=Case({}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_by_accrual_a_title_counts_when_it_is_issued_and_its_settlement_does_not(house: House) -> None:
    answer = await house.call("relatorio_dre", **await eighty_days(house, regime="competencia"))
    what_was_issued(house, answer)


def test_an_amount_is_split_as_its_categories_say_and_nothing_is_lost() -> None:
    third = Decimal("33.33")
    row = {"categoria": "1.01.01", "rateio": [("1.01.01", Decimal(0), third), ("1.01.02", Decimal(0), third)]}
    assert shares(row, Decimal("-100.00")) == [
        ("1.01.01", -third),
        ("1.01.02", -third),
        ("1.01.01", Decimal("-33.34")),
    ]


def test_what_has_no_line_stands_last_and_a_refund_lessens_its_line() -> None:
    chart = [
        {"codigo": "1.01", "descricao": "Vendas", "receita": True, "despesa": False, "codigo_dre": "1", "linha": "R"},
        {"codigo": "2.01", "descricao": "Custo", "receita": False, "despesa": True, "codigo_dre": "10", "linha": "C"},
        {"codigo": "0.01", "descricao": "Entre contas", "transferencia": True},
    ]
    moved = [
        {"categoria": "1.01", "valor": Decimal(100), "natureza": "R"},
        {"categoria": "1.01", "valor": Decimal(30), "natureza": "P"},
        {"categoria": "2.01", "valor": Decimal(20), "natureza": "P"},
        {"categoria": "0.01", "valor": Decimal(500), "natureza": "P"},
        {"valor": Decimal(5), "natureza": "P"},
    ]
    facts = statement_of(recognised(moved, None), chart)
    assert [(line["codigo_dre"], line["valor"]) for line in facts["linhas"]] == [("1", 70), ("10", -20), ("", -5)]
    assert (facts["receitas"], facts["despesas"], facts["resultado"]) == (70, -25, 45)
