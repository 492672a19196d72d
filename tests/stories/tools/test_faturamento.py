"""The tools of invoicing: asked first, then done, with note, titles and stock; and undone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stories.tools.sales import NOTES, ORDERS, made, named
from tests.tool_stories import Case, House, Story, Told, told

TITLES = "contas_receber"


async def ready(house: House) -> dict[str, Any]:
    return {"codigo_omie": await made(house, etapa="50", condicao_pagamento="002")}


async def invoiced(house: House) -> dict[str, Any]:
    order = await ready(house)
    await house.call("faturar_pedido_venda", **order)
    return order


def has_note_and_titles(house: House, answer: Told) -> None:
    record = house.row(ORDERS, answer.data["codigo_omie"]).record
    note = house.row(NOTES, record["note"]).record
    assert record["cabecalho"]["etapa"] == "60"
    titles = [house.row(TITLES, id).record for id in note["titles"]]
    assert len(titles) == 2
    assert sum(title["valor_documento"] for title in titles) == 230.0


def is_cancelled_with_its_note(house: House, answer: Told) -> None:
    record = house.row(ORDERS, answer.data["codigo_omie"]).record
    note = house.row(NOTES, record["note"]).record
    assert record["cancelled_at"] is not None
    assert note["cancelled_at"] is not None
    assert note["titles"] == []


def has_its_note(house: House, answer: Told) -> None:
    shown = answer.data["pedido"]
    record = house.row(ORDERS, shown["codigo_pedido"]).record
    note = house.row(NOTES, record["note"]).record
    assert (shown["faturada"], shown["cancelada"], shown["etapa"]) == ("S", "N", "60")
    assert shown["ListaNfe"][0]["chave_nfe"] == note["key"]
    assert shown["valor_total_pedido"] == 230.0


def names_the_stages(house: House, answer: Told) -> None:
    sales = next(row for row in answer.data["operacoes"] if row["codigo"] == "11")
    assert {"etapa": "50", "nome": "Faturar"} in sales["etapas"]
    assert "50 Faturar" in answer.text


STORIES = (
    Story(
        "listar_etapas_faturamento",
        good=Case(then=names_the_stages),
        empty=Case({"pagina": 99}, has={"registros": 0, "operacoes": []}),
        wrong=Case({"pagina": 0}, says="- pagina: esperado no mínimo 1"),
        failing=Case(),
    ),
    Story(
        "validar_pedido_venda",
        good=Case(ready, has={"pode_faturar": True}),
        empty=Case(lambda house: named(house, "10"), has={"pode_faturar": False}, says="não está na etapa"),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "faturar_pedido_venda",
        good=Case(ready, then=has_note_and_titles),
        empty=Case(lambda house: named(house, "10"), is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case(ready, says="Não repita"),
    ),
    Story(
        "cancelar_pedido_venda",
        good=Case(invoiced, then=is_cancelled_with_its_note),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({"codigo_omie": 1, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
    Story(
        "status_pedido_venda",
        good=Case(invoiced, then=has_its_note),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_an_order_that_is_not_there_cannot_be_checked(house: House) -> None:
    answer = await house.call("validar_pedido_venda", codigo_omie=42)
    assert answer.is_error
    assert "pode_faturar" not in answer.text
