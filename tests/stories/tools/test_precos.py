"""The price lists' tools: the lists, the prices in one, and a price that is fixed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE, PRODUCTS = "tabelas_preco", "produtos"


def wholesale(house: House) -> int:
    """Return the list that takes 10 % off every price."""
    return house.first(TABLE, cNome="Atacado").id


def a_price(house: House) -> dict[str, Any]:
    return {
        "codigo_tabela": wholesale(house),
        "codigo_produto": next(iter(house.table(PRODUCTS))).id,
        "preco": "12,3456",
    }


def the_lists(house: House, answer: Told) -> None:
    there = {row.id: (row.record["cNome"], row.record["outrasInfo"]["nPercDesconto"]) for row in house.table(TABLE)}
    shown = {row["codigo_omie"]: (row["nome"], row["desconto_percentual"]) for row in answer.data["tabelas"]}
    assert shown == there != {}
    assert {(row["origem"], row["ativa"]) for row in answer.data["tabelas"]} == {("PRD", True)}


def a_tenth_less(house: House, answer: Told) -> None:
    assert (answer.data["registros"], answer.data["total_de_registros"]) == (3, len(house.table(PRODUCTS)))
    for shown in answer.data["precos"]:
        full = house.row(PRODUCTS, shown["codigo_produto"]).record["valor_unitario"]
        assert (shown["preco_de_cadastro"], shown["preco"]) == (full, round(full * 0.9, 2))
        assert shown["fixado"] is False


def is_fixed(house: House, answer: Told) -> None:
    table = house.row(TABLE, answer.data["codigo_tabela"])
    assert table.record["prices"] == {answer.data["codigo_produto"]: 12.3456}
    assert answer.data["preco"] == 12.3456


STORIES = (
    Story(
        "listar_tabelas_preco",
        good=Case(then=the_lists),
        empty=Case({"pagina": 99}, has={"registros": 0, "tabelas": []}, says="Nada encontrado"),
        wrong=Case({"registros_por_pagina": 0}, says="- registros_por_pagina: esperado no mínimo 1"),
        failing=Case(),
    ),
    Story(
        "consultar_precos",
        good=Case(lambda house: {"codigo_tabela": wholesale(house), "registros_por_pagina": 3}, then=a_tenth_less),
        empty=Case(
            lambda house: {"codigo_tabela": wholesale(house), "apenas_fixados": True},
            has={"registros": 0, "precos": []},
            says="Nada encontrado",
        ),
        wrong=Case({"apenas_fixados": True}, says="codigo_tabela ou codigo_tabela_integracao"),
        failing=Case({"codigo_tabela": 5}),
    ),
    Story(
        "alterar_preco_item",
        good=Case(a_price, then=is_fixed),
        empty=Case({"codigo_tabela": 42, "codigo_produto": 42, "preco": 1}, is_refused=True),
        wrong=Case({"codigo_tabela": 1, "codigo_produto": 2, "preco": "0"}, says="- preco:"),
        failing=Case({"codigo_tabela": 1, "codigo_produto": 2, "preco": 3}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_a_fixed_price_is_seen_at_once_although_prices_were_kept(house: House) -> None:
    arguments = a_price(house)
    await house.call("consultar_precos", codigo_tabela=arguments["codigo_tabela"], registros_por_pagina=1)
    await house.call("alterar_preco_item", **arguments)
    fixed = await house.call("consultar_precos", codigo_tabela=arguments["codigo_tabela"], apenas_fixados=True)
    [row] = fixed.data["precos"]
    assert (row["codigo_produto"], row["preco"], row["fixado"]) == (arguments["codigo_produto"], 12.3456, True)
