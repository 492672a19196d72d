"""The reports of sales, held against sums of the simulator's own orders."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.stories.tools.sales import ORDERS, at_stage
from tests.titles_held import today
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.mcp.tools.omie import Scan
from omie_control.mcp.tools.relatorio_vendas import Sales
from omie_control.simulator.world import Row


def a_year() -> tuple[date, date]:
    """Give the year until today."""
    return today() - timedelta(days=364), today()


def the_year(_: House | None = None) -> dict[str, str]:
    since, until = a_year()
    return {"periodo_de": f"{since:%d/%m/%Y}", "periodo_ate": until.isoformat()}


LONG_AGO = {"periodo_de": "01/01/2001", "periodo_ate": "31/01/2001"}


def value(row: Row) -> Decimal:
    """Return what an order comes to: its items, for the demo sells without freight."""
    return sum((Decimal(str(item["produto"]["valor_total"])) for item in row.record["det"]), Decimal(0))


def worth(rows: list[Row]) -> Decimal:
    return sum(map(value, rows), Decimal(0))


def within(at: datetime | None, *days: date) -> bool:
    since, until = days or a_year()
    return at is not None and since <= at.date() <= until


def invoiced(house: House) -> list[Row]:
    return [
        row
        for row in house.table(ORDERS)
        if within(row.record["invoiced_at"]) and not row.record["cancelled_at"] and not row.record["returned_at"]
    ]


def sums(rows: list[Row], key: Any) -> dict[Any, tuple[int, float]]:
    values: dict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        values[key(row)] += value(row)
    counts = Counter(key(row) for row in rows)
    return {each: (counts[each], float(total)) for each, total in values.items()}


def seller(row: Row) -> Any:
    return row.record["informacoes_adicionais"].get("codVend")


def customer(row: Row) -> Any:
    return row.record["cabecalho"]["codigo_cliente"]


async def one_cancelled_one_returned_one_without_seller(house: House) -> dict[str, str]:
    first, second, third, *_ = invoiced(house)
    first.record["cancelled_at"] = first.record["invoiced_at"]
    second.record["returned_at"] = second.record["invoiced_at"]
    third.record["informacoes_adicionais"].pop("codVend")
    return the_year()


def is_the_book(house: House, answer: Told) -> None:
    rows = invoiced(house)
    data = answer.data
    total = worth(rows)
    assert len(rows) > 20
    assert (data["pedidos"], data["valor_total"]) == (len(rows), float(total))
    assert data["ticket_medio"] == float(round(total / len(rows), 2))
    assert (data["cancelados"]["pedidos"], data["devolvidos"]["pedidos"]) == (1, 1)
    assert data["cancelados"]["valor"] > 0
    assert data["dados_completos"] is True
    since, until = a_year()
    assert data["periodo"] == {"de": f"{since:%d/%m/%Y}", "ate": f"{until:%d/%m/%Y}"}
    months = sums(rows, lambda row: f"{row.record['invoiced_at']:%m/%Y}")
    assert {each["mes"]: (each["pedidos"], each["valor"]) for each in data["por_mes"]} == months
    clients = sums(rows, customer)
    for each in data["por_cliente"]:
        assert (each["pedidos"], each["valor"]) == clients[each["codigo_cliente"]]
        assert each["nome"] == house.row("clientes", each["codigo_cliente"]).record["razao_social"]
    assert data["por_cliente"][0]["valor"] == max(total for _, total in clients.values())
    products: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows:
        for item in row.record["det"]:
            products[item["produto"]["codigo_produto"]] += Decimal(str(item["produto"]["quantidade"]))
    for each in data["por_produto"]:
        assert each["quantidade"] == float(products[each["codigo_produto"]])
    assert "Fora da soma: 1 cancelados" in answer.text


def is_the_book_by_seller(house: House, answer: Told) -> None:
    rows = invoiced(house)
    told_of = {each.get("codigo_vendedor"): (each["pedidos"], each["valor"]) for each in answer.data["por_vendedor"]}
    assert told_of == sums(rows, seller)
    assert None in told_of
    names = {each.get("codigo_vendedor"): each["nome"] for each in answer.data["por_vendedor"]}
    assert names.pop(None) == "(sem vendedor)"
    assert names == {row.id: row.record["nome"] for row in house.table("vendedores") if row.id in names}
    assert sum(each["participacao_percentual"] for each in answer.data["por_vendedor"]) == pytest.approx(100, abs=0.05)
    assert answer.data["valor_total"] == float(worth(rows))


STORIES = (
    Story(
        "relatorio_vendas_periodo",
        good=Case(one_cancelled_one_returned_one_without_seller, then=is_the_book),
        empty=Case(LONG_AGO, has={"pedidos": 0, "valor_total": 0.0, "por_dia": [], "dados_completos": True}),
        wrong=Case(
            {"periodo_de": "31/12/2026", "periodo_ate": "01/01/2026"},
            says="periodo_de: esperada uma data até periodo_ate",
        ),
        failing=Case(the_year),
    ),
    Story(
        "relatorio_vendas_por_vendedor",
        good=Case(one_cancelled_one_returned_one_without_seller, then=is_the_book_by_seller),
        empty=Case(LONG_AGO, has={"pedidos": 0, "valor_total": 0.0, "por_vendedor": []}),
        wrong=Case(
            {"periodo_de": "ontem", "base": "vencimento"},
            says=("- periodo_de: esperada uma data", "- periodo_ate: é obrigatório", "- base: esperado um destes"),
        ),
        failing=Case(the_year),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_by_emission_quotes_do_not_count_and_open_orders_do(house: House) -> None:
    answer = await house.call("relatorio_vendas_periodo", **the_year(), base="emissao")
    rows = [
        row
        for row in house.table(ORDERS)
        if within(row.created_at) and row.record["cabecalho"]["etapa"] != "00" and not row.record["cancelled_at"]
    ]
    assert (answer.data["pedidos"], answer.data["valor_total"]) == (len(rows), float(worth(rows)))
    assert len(rows) > len(invoiced(house))


async def test_a_short_period_is_told_day_by_day_and_for_one_client(house: House) -> None:
    order = at_stage(house, "60")
    day = f"{order.record['invoiced_at']:%d/%m/%Y}"
    answer = await house.call(
        "relatorio_vendas_periodo", periodo_de=day, periodo_ate=day, codigo_cliente=customer(order), maiores=1
    )
    on = order.record["invoiced_at"].date()
    rows = [
        row for row in invoiced(house) if within(row.record["invoiced_at"], on, on) and customer(row) == customer(order)
    ]
    assert answer.data["por_dia"] == [{"dia": day, "pedidos": len(rows), "valor": float(worth(rows))}]
    assert len(answer.data["por_cliente"]) == len(answer.data["por_produto"]) == 1


async def test_a_report_over_a_part_says_so(house: House) -> None:
    table, model = house.table(ORDERS), at_stage(house, "10")
    for _ in range(2_001 - len(table)):
        table.add(model.record, "", model.created_at)
    answer = await house.call("relatorio_vendas_por_vendedor", **the_year(), base="emissao")
    assert (answer.data["dados_completos"], answer.data["registros_lidos"]) == (False, 2_000)
    assert "dados incompletos" in answer.text


def test_an_order_of_another_day_is_not_counted_whatever_the_list_says() -> None:
    sales = Sales(date(2020, 1, 1), date(2020, 1, 31), "faturamento", Scan())
    row = {"faturamento": date(2020, 2, 1), "cancelado": False, "devolvido": False}
    assert sales.heap_of(row) is sales.strays
    assert sales.heap_of({**row, "faturamento": date(2020, 1, 31)}) is sales.sold
    assert sales.heap_of({"cancelado": True, "devolvido": False}) is sales.cancelled


async def test_a_seller_without_a_name_is_told_by_code(house: House) -> None:
    code = next(seller(row) for row in invoiced(house) if seller(row))
    house.row("vendedores", code).record["nome"] = ""
    answer = await house.call("relatorio_vendas_por_vendedor", **the_year())
    assert not answer.is_error, answer.text
    assert f"código {code}" in [row["nome"] for row in answer.data["por_vendedor"]]
