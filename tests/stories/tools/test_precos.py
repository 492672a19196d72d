"""The price lists' tools: the lists, the prices in one, and a price that is fixed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stories.tools.simulador import last_written, rows
from tests.tool_stories import Case, House, Story, Told, told

LISTS, PRICES = "produtos/tabelaprecos/ListarTabelasPreco", "produtos/tabelaprecos/ListarTabelaItens"


def a_list(house: House) -> int:
    found: int = rows(house, LISTS, nPagina=1, nRegPorPagina=50)[0]["nCodTabPreco"]
    return found


def a_price(house: House) -> dict[str, Any]:
    table = a_list(house)
    first = rows(house, PRICES, nPagina=1, nRegPorPagina=1, nCodTabPreco=table)[0]
    return {"codigo_tabela": table, "codigo_produto": first["nCodProd"], "preco": "12,3456"}


def the_lists(house: House, answer: Told) -> None:
    there = rows(house, LISTS, nPagina=1, nRegPorPagina=50)
    assert [row["codigo_omie"] for row in answer.data["tabelas"]] == [row["nCodTabPreco"] for row in there] != []
    first, row = answer.data["tabelas"][0], there[0]
    assert (first["nome"], first["origem"], first["ativa"]) == (row["cNome"], row["cOrigem"], row["cAtiva"] == "S")


def the_prices(house: House, answer: Told) -> None:
    there = rows(house, PRICES, nPagina=1, nRegPorPagina=3, nCodTabPreco=a_list(house))
    shown = [(row["codigo_produto"], row["descricao"], row["preco"]) for row in answer.data["precos"]]
    assert shown == [(row["nCodProd"], row["cDescricaoProduto"], row["nValorTabela"]) for row in there]
    assert len(shown) == 3


def is_fixed(house: House, answer: Told) -> None:
    assert answer.data["preco"] == 12.3456
    assert house.asked[-1]["endpoint"] == "produtos/tabelaprecos/AlterarPrecoItem"
    plain, lists = last_written(house)
    assert 12.3456 in [plain.get("nValorTabela"), *(row.get("nValorTabela") for row in lists)]


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
        good=Case(lambda house: {"codigo_tabela": a_list(house), "registros_por_pagina": 3}, then=the_prices),
        empty=Case(
            lambda house: {"codigo_tabela": a_list(house), "pagina": 99},
            has={"registros": 0, "precos": []},
            says="Nada encontrado",
        ),
        wrong=Case({"apenas_fixados": True}, says="codigo_tabela ou codigo_tabela_integracao"),
        failing=Case({"codigo_tabela": 5}),
    ),
    Story(
        "alterar_preco_item",
        good=Case(a_price, then=is_fixed),
        empty=Case(is_refused=True, says="- codigo_tabela: é obrigatório e não veio"),
        wrong=Case({"codigo_tabela": 1, "codigo_produto": 2, "preco": "0"}, says="- preco:"),
        failing=Case({"codigo_tabela": 1, "codigo_produto": 2, "preco": 3}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
