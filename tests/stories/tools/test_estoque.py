"""The stock's tools against the simulator's ledger: every figure is a sum of its movements."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.families import stock
from omie_control.simulator.families.stock import Movement
from omie_control.simulator.faults import read_plan
from omie_control.simulator.world import Row

LEDGER, ADJUSTMENTS, PRODUCTS = stock.TABLE, "ajustes_estoque", "produtos"
LONG = 120


def company(house: House) -> Any:
    return house.omie.simulator.companies[house.app_key]


def today(house: House) -> datetime:
    found: datetime = house.omie.simulator.clock.now()
    return found


def days_ago(house: House, days: int) -> str:
    return f"{today(house) - timedelta(days=days):%d/%m/%Y}"


def movements(house: House) -> Iterable[tuple[Row, Movement]]:
    return stock.movements(company(house))


def balance(house: House, product: int, place: int = 0) -> tuple[float, float]:
    """Return what the ledger says of a product: quantity and average cost."""
    return stock.balance(company(house), product, place)


def a_stocked_product(house: House) -> int:
    return next(moved.product for _, moved in movements(house) if balance(house, moved.product)[0] > 5)


def the_shop(house: House) -> int:
    return house.first(stock.PLACES, codigo="LOJA").id


def an_adjustment(house: House, **more: Any) -> dict[str, Any]:
    return {
        "codigo_produto": a_stocked_product(house),
        "tipo": "ENT",
        "quantidade": "12,5",
        "custo_unitario": 4,
        "data": days_ago(house, 0),
        "motivo": "INV",
        "observacao": "Contagem",
        **more,
    }


def a_position(house: House) -> dict[str, Any]:
    return {"codigo_produto": a_stocked_product(house), "data": days_ago(house, 0)}


async def an_adjustment_made(house: House) -> dict[str, Any]:
    return {"codigo_ajuste": (await house.call("incluir_ajuste_estoque", **an_adjustment(house))).data["codigo_ajuste"]}


def the_first_page(house: House, answer: Told) -> None:
    rows = answer.data["posicoes"]
    assert len(rows) == 6
    moved = {each.product for _, each in movements(house)}
    assert answer.data["total_de_registros"] == len(moved)
    for row in rows:
        quantity, cost = balance(house, row["codigo_produto"])
        assert (row["fisico"], row["custo_medio"]) == (quantity, cost)
        assert row["preco"] == house.row(PRODUCTS, row["codigo_produto"]).record["valor_unitario"]


def is_the_position(house: House, answer: Told) -> None:
    quantity, cost = balance(house, a_stocked_product(house))
    shown = answer.data["posicao"]
    assert (shown["fisico"], shown["custo_medio"], shown["disponivel"]) == (quantity, cost, quantity)
    assert shown["codigo_local_estoque"] == stock.default_place(company(house))


def every_place(house: House, answer: Told) -> None:
    shown = {row["codigo_local_estoque"]: (row["codigo"], row["padrao"]) for row in answer.data["locais"]}
    assert shown == {row.id: (row.record["codigo"], row.record["padrao"] == "S") for row in house.table(stock.PLACES)}


def without_places(house: House) -> dict[str, Any]:
    for row in house.table(stock.PLACES):
        house.table(stock.PLACES).remove(row)
    return {}


def stands_in_the_ledger(house: House, answer: Told) -> None:
    made = house.row(ADJUSTMENTS, answer.data["codigo_ajuste"])
    assert made.code, "without a code of ours a repeated adjustment would count twice"
    moved = house.row(LEDGER, answer.data["codigo_movimento"]).record["movement"]
    assert (moved.product, moved.quantity, moved.cost) == (a_stocked_product(house), 12.5, 4.0)
    assert (made.record["origem"], made.record["motivo"], made.record["obs"]) == ("AJU", "INV", "Contagem")


def is_undone(house: House, answer: Told) -> None:
    assert house.table(ADJUSTMENTS).get(answer.data["codigo_ajuste"]) is None
    assert house.table(LEDGER).get(answer.data["codigo_movimento"]) is None


def has_its_minimum(house: House, answer: Told) -> None:
    assert house.row(PRODUCTS, answer.data["codigo_produto"]).record["estoque_minimo"] == 20.5


def within(house: House, days: int) -> list[Movement]:
    first = today(house).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    return [
        moved
        for _, moved in movements(house)
        if datetime.strptime(moved.day, "%d/%m/%Y").replace(tzinfo=first.tzinfo) >= first
    ]


def sum_of(moves: Iterable[Movement]) -> float:
    cents = (Decimal(str(round(abs(each.quantity) * each.cost, 2))) for each in moves)
    return float(sum(cents, Decimal(0)))


def everything_of_four_months(house: House, answer: Told) -> None:
    """A window that Omie would cut at 60 days, read whole."""
    there = within(house, LONG)
    old = len(there) - len(within(house, 60))
    assert old > 0, "nothing lies beyond what one question would show"
    assert (answer.data["registros_lidos"], answer.data["dados_completos"]) == (len(there), True)
    assert len(answer.data["movimentos"]) == 20
    assert answer.data["movimentos_omitidos"] == len(there) - 20
    assert answer.data["valor_de_entradas"] == sum_of(each for each in there if each.quantity > 0)
    assert answer.data["valor_de_saidas"] == sum_of(each for each in there if each.quantity < 0)
    assert "quantidade_de_entradas" not in answer.data
    assert len([entry for entry in house.asked if entry["endpoint"].endswith("ListarMovimentoEstoque")]) == 5


STORIES = (
    Story(
        "consultar_estoque",
        good=Case({"registros_por_pagina": 6}, then=the_first_page),
        empty=Case({"codigos_produto": [42]}, has={"registros": 0, "posicoes": []}, says="Nada encontrado"),
        wrong=Case({"data": "31/02/2026", "codigos_produto": []}, says=("- data: esta data", "- codigos_produto:")),
        failing=Case(),
    ),
    Story(
        "posicao_estoque",
        good=Case(a_position, then=is_the_position),
        empty=Case({"codigo_produto": 42, "data": "01/01/2026"}, is_refused=True),
        wrong=Case({"data": "01/01/2026"}, says="codigo_produto ou codigo_produto_integracao"),
        failing=Case(a_position),
    ),
    Story(
        "listar_locais_estoque",
        good=Case(then=every_place),
        empty=Case(without_places, has={"registros": 0, "locais": []}, says="Nada encontrado"),
        wrong=Case({"registros_por_pagina": 101}, says="- registros_por_pagina: esperado no máximo 100"),
        failing=Case(),
    ),
    Story(
        "listar_movimentos_estoque",
        good=Case(lambda house: {"de": days_ago(house, LONG), "limite": 20}, then=everything_of_four_months),
        empty=Case(
            {"de": "01/01/2020", "ate": "10/01/2020"},
            has={"movimentos": [], "registros_lidos": 0, "valor_de_entradas": 0.0},
            says="Nenhum movimento de estoque de 01/01/2020 a 10/01/2020",
        ),
        wrong=Case({"de": "01/01/2025", "ate": "03/01/2026"}, says="período de no máximo 366 dias"),
        failing=Case(),
    ),
    Story(
        "incluir_ajuste_estoque",
        good=Case(an_adjustment, then=stands_in_the_ledger),
        empty=Case(lambda house: an_adjustment(house, codigo_produto=42), is_refused=True),
        wrong=Case(
            lambda house: an_adjustment(house, tipo="TRF", motivo="TRF"),
            says="codigo_local_destino: é obrigatório em TRF e só nele",
        ),
        failing=Case(an_adjustment, says="Não repita"),
    ),
    Story(
        "excluir_ajuste_estoque",
        good=Case(an_adjustment_made, then=is_undone),
        empty=Case({"codigo_ajuste": 42}, is_refused=True),
        wrong=Case({"codigo_ajuste": 0}, says="- codigo_ajuste: esperado no mínimo 1"),
        failing=Case({"codigo_ajuste": 42}, says="Não repita"),
    ),
    Story(
        "alterar_estoque_minimo",
        good=Case(
            lambda house: {"codigo_produto": a_stocked_product(house), "minimo": "20,5"},
            has={"minimo": 20.5},
            then=has_its_minimum,
        ),
        empty=Case({"codigo_produto": 42, "minimo": 1}, is_refused=True),
        wrong=Case({"codigo_produto": 5, "minimo": -1}, says="- minimo: esperado no mínimo 0"),
        failing=Case({"codigo_produto": 42, "minimo": 1}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_an_adjustment_to_a_balance_leaves_just_that(house: House) -> None:
    arguments = an_adjustment(house, tipo="SLD", quantidade=0)
    assert not (await house.call("incluir_ajuste_estoque", **arguments)).is_error
    assert balance(house, arguments["codigo_produto"])[0] == 0


async def test_a_transfer_moves_from_place_to_place(house: House) -> None:
    arguments = an_adjustment(house, tipo="TRF", motivo="TRF", quantidade=3, codigo_local_destino=the_shop(house))
    product, shop = arguments["codigo_produto"], the_shop(house)
    whole, before = balance(house, product)[0], balance(house, product, shop)[0]
    await house.call("incluir_ajuste_estoque", **arguments)
    assert (balance(house, product)[0], balance(house, product, shop)[0]) == (whole, before + 3)
    shown = await house.call("posicao_estoque", **a_position(house), codigo_local_estoque=shop)
    assert shown.data["posicao"]["fisico"] == before + 3


async def test_one_products_movements_are_added_up_to_its_balance(house: House) -> None:
    product = a_stocked_product(house)
    told_of = await house.call("listar_movimentos_estoque", codigo_produto=product, de=days_ago(house, 365), limite=500)
    data = told_of.data
    assert data["dados_completos"] is True
    assert {row["codigo_produto"] for row in data["movimentos"]} == {product}
    assert round(data["quantidade_de_entradas"] - data["quantidade_de_saidas"], 4) == balance(house, product)[0]
    dates = [row["data"] for row in data["movimentos"]]
    assert sorted(dates, key=lambda day: day.split("/")[::-1]) == dates


async def test_one_broken_slice_is_a_fault_and_no_partial_sum(house: House) -> None:
    plan = {"match": {"app_key": house.app_key, "nth": 3}, "move": "500", "times": None}
    house.omie.simulator.faults.add([read_plan(plan)])
    told_of = await house.call("listar_movimentos_estoque", de=days_ago(house, LONG))
    assert told_of.is_error
    assert told_of.data == {}
