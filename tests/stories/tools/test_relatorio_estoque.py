"""The stock report against the simulator's own ledger: value by place and family, minimum levels, negatives."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.families import stock
from omie_control.simulator.families.produtos import NOUN as PRODUCTS

REPORT = "relatorio_posicao_estoque"


def balances(house: House, place: int) -> dict[int, tuple[float, float]]:
    """Return what the ledger says of every product that ever moved anywhere: (quantity, average cost) in a place."""
    company = house.omie.simulator.companies[house.app_key]
    moved = {each.product for _, each in stock.movements(company)}
    return {product: stock.balance(company, product, place) for product in moved}


def worth(held: dict[int, tuple[float, float]]) -> float:
    cents = (
        (Decimal(str(quantity)) * Decimal(str(cost))).quantize(Decimal("0.01")) for quantity, cost in held.values()
    )
    return float(sum(cents, Decimal(0)))


def places(house: House) -> dict[int, str]:
    return {row.id: row.record["descricao"] for row in house.table(stock.PLACES)}


async def two_places_and_minimums(house: House) -> dict[str, Any]:
    """Put something into the shop, and ask for more of one product than there is."""
    usual = stock.default_place(house.omie.simulator.companies[house.app_key])
    held = balances(house, usual)
    plenty, few = sorted(held, key=lambda product: held[product][0], reverse=True)[:2]
    shop = next(place for place in places(house) if place != usual)
    now = house.omie.simulator.clock.now()
    transfer = {
        "codigo_produto": plenty,
        "tipo": "TRF",
        "motivo": "TRF",
        "quantidade": 2,
        "custo_unitario": held[plenty][1],
        "data": f"{now:%d/%m/%Y}",
        "observacao": "Para a loja",
        "codigo_local_destino": shop,
    }
    assert not (await house.call("incluir_ajuste_estoque", **transfer)).is_error
    minimum = held[few][0] + 7
    assert not (await house.call("alterar_estoque_minimo", codigo_produto=few, minimo=minimum)).is_error
    house.row(PRODUCTS.table, few).record.update(descricao_familia="Ferragens")
    return {"por_familia": True}


def is_the_sum_of_the_ledger(house: House, answer: Told) -> None:
    data = answer.data
    ledger = {place: balances(house, place) for place in places(house)}
    assert data["valor_total"] == pytest.approx(sum(worth(held) for held in ledger.values()), abs=0.001) != 0
    assert {row["local"]: row["valor"] for row in data["por_local"]} == {
        places(house)[place]: worth(held) for place, held in ledger.items()
    }
    below_zero = [held for each in ledger.values() for held in each.values() if held[0] < 0]
    assert (data["total_de_negativos"], len(data["negativos"])) == (len(below_zero), len(below_zero)) != (0, 0)
    assert all(row["fisico"] < 0 for row in data["negativos"])
    assert data["valor_negativo"] == worth(dict(enumerate(below_zero)))
    assert data["dados_completos"] is True
    assert data["registros_lidos"] == sum(map(len, ledger.values()))


def names_what_is_missing(house: House, answer: Told) -> None:
    is_the_sum_of_the_ledger(house, answer)
    usual = next(row for row in answer.data["abaixo_do_minimo"] if row["disponivel"] > 0)
    product = house.row(PRODUCTS.table, usual["codigo_produto"])
    assert (usual["falta"], usual["minimo"]) == (7.0, product.record["estoque_minimo"])
    assert usual["descricao"] == product.record["descricao"]
    families = {row["familia"]: row for row in answer.data["por_familia"]}
    assert set(families) == {"Ferragens", "sem família"}
    own = {place: balances(house, place).get(product.id, (0.0, 0.0)) for place in places(house)}
    assert (families["Ferragens"]["produtos"], families["Ferragens"]["valor"]) == (1, worth(own))
    assert sum(row["valor"] for row in families.values()) == pytest.approx(answer.data["valor_total"], abs=0.001)
    assert "| a repor | local | disponível | mínimo | falta |" in answer.text


def nothing_ever_moved(house: House) -> dict[str, Any]:
    for row in house.table(stock.TABLE):
        house.table(stock.TABLE).remove(row)
    return {}


STORIES = (
    Story(
        REPORT,
        good=Case(two_places_and_minimums, then=names_what_is_missing),
        empty=Case(
            nothing_ever_moved,
            has={"valor_total": 0.0, "por_local": [], "negativos": [], "abaixo_do_minimo": []},
            says="Nenhuma posição de estoque",
        ),
        wrong=Case({"data": "2026-02-31", "limite": 0}, says=("- data: esta data não existe", "- limite:")),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_one_place_alone_and_a_day_in_the_past(house: House) -> None:
    company = house.omie.simulator.companies[house.app_key]
    usual = stock.default_place(company)
    day = house.omie.simulator.clock.now() - timedelta(days=100)
    then = {product: stock.balance(company, product, usual, until=day) for product in balances(house, usual)}
    data = (await house.call(REPORT, codigo_local_estoque=usual, data=f"{day:%d/%m/%Y}")).data
    assert data["valor_total"] == worth(then) != worth(balances(house, usual))
    assert [row["codigo_local_estoque"] for row in data["por_local"]] == [usual]


async def test_a_place_that_is_not_there_is_said(house: House) -> None:
    refused = await house.call(REPORT, codigo_local_estoque=42)
    assert refused.is_error
    assert "O local de estoque não existe." in refused.text
