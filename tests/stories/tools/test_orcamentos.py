"""The tools of quotes: offered, accepted, and refused where they are none any more."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stories.tools.sales import ORDERS, a_new_order, made, named
from tests.tool_stories import Case, House, Story, Told, told


def only_quotes(house: House, answer: Told) -> None:
    quotes = [row.id for row in house.table(ORDERS) if row.record["cabecalho"]["etapa"] == "00"]
    assert quotes
    assert [row["codigo_omie"] for row in answer.data["orcamentos"]] == quotes
    assert {row["etapa"] for row in answer.data["orcamentos"]} == {"00"}


def is_a_quote(house: House, answer: Told) -> None:
    record = house.row(ORDERS, answer.data["codigo_omie"]).record
    assert record["cabecalho"]["etapa"] == "00"
    assert sum(item["produto"]["valor_total"] for item in record["det"]) == 230.0
    assert record["note"] == 0


def is_an_order(house: House, answer: Told) -> None:
    record = house.row(ORDERS, answer.data["codigo_omie"]).record
    assert (record["cabecalho"]["etapa"], record["number"]) == ("10", answer.data["numero"])


def nothing_was_sent(house: House, answer: Told) -> None:
    assert "nada foi enviado" in answer.data["situacao"]
    assert not [each for each in house.asked if each["endpoint"].endswith("TrocarEtapaPedido")]


async def an_own_quote(house: House) -> dict[str, Any]:
    return {"codigo_omie": await made(house, "incluir_orcamento")}


STORIES = (
    Story(
        "listar_orcamentos",
        good=Case({"registros_por_pagina": 100}, then=only_quotes),
        empty=Case({"codigo_vendedor": 7}, has={"registros": 0, "orcamentos": []}),
        wrong=Case(
            {"emissao_de": "01/02/2026", "emissao_ate": "01/01/2026"},
            says="emissao_de: esperada uma data até emissao_ate",
        ),
        failing=Case(),
    ),
    Story(
        "incluir_orcamento",
        good=Case(a_new_order, then=is_a_quote),
        empty=Case(lambda house: a_new_order(house, categoria="9.99.99"), is_refused=True),
        wrong=Case(lambda house: a_new_order(house, itens=[]), says="- itens: esperados pelo menos 1 itens"),
        failing=Case(a_new_order, says="Não repita"),
    ),
    Story(
        "converter_orcamento_em_pedido",
        good=Case(an_own_quote, then=is_an_order),
        empty=Case(lambda house: named(house, "10"), then=nothing_was_sent),
        wrong=Case({"codigo_omie": 5, "etapa": "pedido"}, says="- etapa: o texto não está na forma"),
        failing=Case({"codigo_omie": 5}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_what_is_no_quote_any_more_stays_where_it_is(house: House) -> None:
    invoiced = named(house, "60")
    answer = await house.call("converter_orcamento_em_pedido", **invoiced)
    assert answer.is_error
    assert "não é um orçamento: está na etapa 60" in answer.text
    assert house.row(ORDERS, invoiced["codigo_omie"]).record["cabecalho"]["etapa"] == "60"


async def test_a_cancelled_quote_becomes_no_order(house: House) -> None:
    quote = await an_own_quote(house)
    await house.call("cancelar_pedido_venda", **quote)
    answer = await house.call("converter_orcamento_em_pedido", **quote)
    assert answer.is_error
    assert "foi cancelado" in answer.text


async def test_a_quote_that_moved_on_is_not_pulled_back(house: House) -> None:
    quote = await an_own_quote(house)
    first = await house.call("converter_orcamento_em_pedido", **quote, chave_idempotencia="aceite-17")
    await house.call("trocar_etapa_pedido", **quote, etapa="20")
    assert house.row(ORDERS, quote["codigo_omie"]).record["cabecalho"]["etapa"] == "20"
    again = await house.call("converter_orcamento_em_pedido", **quote, chave_idempotencia="aceite-17")
    assert not first.is_error
    # It has moved on meanwhile: it is looked at before anything is sent, and is not pulled back.
    assert again.is_error
    assert house.row(ORDERS, quote["codigo_omie"]).record["cabecalho"]["etapa"] == "20"
