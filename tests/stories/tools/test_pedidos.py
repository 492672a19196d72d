"""The tools of sales orders: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stories.tools.sales import ORDERS, a_new_order, at_stage, made, named
from tests.tool_stories import Case, House, Story, Told, told


def orders_of_a_stage(house: House, answer: Told) -> None:
    orders = [row for row in house.table(ORDERS) if row.record["cabecalho"]["etapa"] == "60"]
    assert [row["codigo_omie"] for row in answer.data["pedidos"]] == [row.id for row in orders[:6]]
    assert answer.data["total_de_registros"] == len(orders)
    for row in answer.data["pedidos"]:
        record = house.row(ORDERS, row["codigo_omie"]).record
        assert row["valor"] == round(sum(item["produto"]["valor_total"] for item in record["det"]), 2)
        assert (row["faturado"], row["cancelado"]) == (True, record["cancelled_at"] is not None)
        assert row["codigo_vendedor"] == record["informacoes_adicionais"]["codVend"]


def is_whole(house: House, answer: Told) -> None:
    shown = answer.data["pedido"]
    row = house.row(ORDERS, shown["cabecalho"]["codigo_pedido"])
    assert shown["cabecalho"]["numero_pedido"] == row.record["number"]
    assert [item["produto"]["codigo_produto"] for item in shown["det"]] == [
        item["produto"]["codigo_produto"] for item in row.record["det"]
    ]
    assert shown["total_pedido"]["valor_total_pedido"] > 0


def stands_in_omie(house: House, answer: Told) -> None:
    row = house.row(ORDERS, answer.data["codigo_omie"])
    assert row.code == answer.data["codigo_integracao"] != ""
    assert row.record["number"] == answer.data["numero"]
    assert (row.record["cabecalho"]["etapa"], row.record["cabecalho"]["codigo_parcela"]) == ("10", "002")
    assert [item["produto"]["valor_total"] for item in row.record["det"]] == [31.5, 198.5]
    assert row.record["observacoes"] == {"obs_venda": "Entregar de manhã"}


async def a_change(house: House) -> dict[str, Any]:
    code = await made(house)
    first, second = house.row(ORDERS, code).record["det"]
    again = {"codigo_item": first["ide"]["codigo_item"], "codigo_produto": first["produto"]["codigo_produto"]}
    items = [
        {**again, "quantidade": 5, "valor_unitario": "10,50"},
        {"codigo_item": second["ide"]["codigo_item"], "remover": True},
        {
            "codigo_item_integracao": "novo-1",
            "codigo_produto": second["produto"]["codigo_produto"],
            "quantidade": 1,
            "valor_unitario": 7,
        },
    ]
    return {"codigo_omie": code, "previsao": "2026-12-20", "itens": items}


def is_changed(house: House, answer: Told) -> None:
    record = house.row(ORDERS, answer.data["codigo_omie"]).record
    assert record["cabecalho"]["data_previsao"] == "20/12/2026"
    assert [item["produto"]["valor_total"] for item in record["det"]] == [52.5, 7.0]
    # What was not named stays.
    assert record["cabecalho"]["codigo_parcela"] == "000"


def is_moved(house: House, answer: Told) -> None:
    record = house.row(ORDERS, answer.data["codigo_omie"]).record
    assert record["cabecalho"]["etapa"] == "20"
    assert record["stages"][-1][0] == "20"


def is_gone(house: House, answer: Told) -> None:
    assert house.table(ORDERS).get(answer.data["codigo_omie"]) is None


STORIES = (
    Story(
        "listar_pedidos_venda",
        good=Case({"etapa": "60", "registros_por_pagina": 6}, then=orders_of_a_stage),
        empty=Case({"codigo_cliente": 7}, has={"registros": 0, "pedidos": []}, says="Nada encontrado"),
        wrong=Case(
            {"etapa": "faturar", "emissao_de": "32/01/2026", "numero_de": 0},
            says=(
                "- etapa: o texto não está na forma",
                "- emissao_de: esta data não existe",
                "- numero_de: esperado no",
            ),
        ),
        failing=Case(),
    ),
    Story(
        "consultar_pedido_venda",
        good=Case(lambda house: {"numero": at_stage(house, "60").record["number"]}, then=is_whole),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({"codigo_omie": 5, "numero": "7"}, says="Informe exatamente um destes"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "incluir_pedido_venda",
        good=Case(
            lambda house: a_new_order(house, condicao_pagamento="002", observacao="Entregar de manhã"),
            then=stands_in_omie,
        ),
        empty=Case(lambda house: a_new_order(house, codigo_cliente=42), is_refused=True),
        wrong=Case(
            {"itens": [{"codigo_produto": 5, "quantidade": 0, "preco": 3}], "previsao": "amanhã"},
            says=(
                "- codigo_cliente: é obrigatório e não veio",
                "- previsao: esperada uma data",
                "- itens[0].quantidade: esperado mais que 0",
                "- itens[0].valor_unitario: é obrigatório",
                "- itens[0].preco: este campo não existe",
            ),
        ),
        failing=Case(a_new_order, says="Não repita"),
    ),
    Story(
        "alterar_pedido_venda",
        good=Case(a_change, then=is_changed),
        empty=Case(lambda house: {**named(house, "60"), "observacao": "Tarde demais"}, is_refused=True),
        wrong=Case({"codigo_omie": 5}, says="Nenhum campo para alterar"),
        failing=Case({"codigo_omie": 5, "observacao": "x"}, says="Não repita"),
    ),
    Story(
        "trocar_etapa_pedido",
        good=Case(lambda house: {**named(house, "10"), "etapa": "20"}, then=is_moved),
        empty=Case({"numero": "999999", "etapa": "20"}, is_refused=True),
        wrong=Case({"etapa": "5"}, says="- etapa: o texto não está na forma"),
        failing=Case({"codigo_omie": 5, "etapa": "20"}, says="Não repita"),
    ),
    Story(
        "excluir_pedido_venda",
        good=Case(lambda house: named(house, "10"), then=is_gone),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_an_item_that_changes_is_named(house: House) -> None:
    before = house.asked
    answer = await house.call("alterar_pedido_venda", codigo_omie=5, itens=[{"quantidade": 2}])
    assert "itens[0]: informe codigo_item" in answer.text
    answer = await house.call("alterar_pedido_venda", codigo_omie=5, itens=[{"codigo_item": 7}])
    assert "itens[0]: informe o que muda" in answer.text
    assert house.asked == before


async def test_an_invoiced_order_is_not_deleted(house: House) -> None:
    answer = await house.call("excluir_pedido_venda", **named(house, "60"))
    assert answer.is_error
    assert "faturado" in answer.text


async def test_a_range_of_numbers_is_not_read_backwards(house: House) -> None:
    before = house.asked
    for tool in ("listar_pedidos_venda", "listar_notas_fiscais"):
        answer = await house.call(tool, numero_de=9, numero_ate=1)
        assert "numero_de: esperado um número até numero_ate" in answer.text
    assert house.asked == before
