"""The products' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "produtos"
NEW = {
    "codigo": "SOL-01",
    "descricao": "Painel solar de teste",
    "unidade": "UN",
    "ncm": "8541.43.00",
    "preco": "1.250,90",
    "tipo_item": "00",
}


def a_product(house: House, **more: Any) -> dict[str, Any]:
    return {"codigo_omie": next(iter(house.table(TABLE))).id, **more}


async def a_new_product(house: House) -> dict[str, Any]:
    return {"codigo_omie": (await house.call("incluir_produto", **NEW)).data["codigo_omie"]}


def a_page_of_drills(house: House, answer: Told) -> None:
    drills = [row for row in house.table(TABLE) if "broca" in row.record["descricao"].lower()]
    assert answer.data["total_de_registros"] == len(drills) > len(answer.data["produtos"]) == 4
    assert answer.data["tem_mais"] is True
    for shown in answer.data["produtos"]:
        record = house.row(TABLE, shown["codigo_omie"]).record
        assert (shown["descricao"], shown["preco"]) == (record["descricao"], record["valor_unitario"])
        assert shown["inativo"] is False
    assert "| código no Omie | código | descrição | un. | preço |" in answer.text


def is_shown(house: House, answer: Told) -> None:
    shown = answer.data["produto"]
    record = house.row(TABLE, shown["codigo_produto"]).record
    assert shown["codigo"] == record["codigo"] == "PRD-0002"
    assert shown["valor_unitario"] == record["valor_unitario"]


def stands_in_omie(house: House, answer: Told) -> None:
    made = house.row(TABLE, answer.data["codigo_omie"])
    assert made.code == answer.data["codigo_integracao"] != ""
    record = made.record
    assert (record["codigo"], record["descricao"], record["valor_unitario"]) == ("SOL-01", NEW["descricao"], 1250.9)
    assert (record["ncm"], record["tipoItem"]) == ("8541.43.00", "00")


def is_changed(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    assert (record["valor_unitario"], record["inativo"]) == (9.876543, "S")
    assert record["descricao"]


def is_gone(house: House, answer: Told) -> None:
    assert house.table(TABLE).get(answer.data["codigo_omie"]) is None


STORIES = (
    Story(
        "listar_produtos",
        good=Case({"descricao": "broca", "inativo": False, "registros_por_pagina": 4}, then=a_page_of_drills),
        empty=Case({"descricao": "não existe"}, has={"registros": 0, "produtos": []}, says="Nada encontrado"),
        wrong=Case(
            {"descricao": "ab", "tipo_item": "50", "alterado_de": "31/02/2026"},
            says=("- descricao:", "- tipo_item: esperado um destes: '00'", "- alterado_de: esta data não existe"),
        ),
        failing=Case(),
    ),
    Story(
        "consultar_produto",
        good=Case({"codigo": "PRD-0002"}, then=is_shown),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({"codigo": "A", "codigo_omie": 5}, says="Informe exatamente um destes: codigo_omie"),
        failing=Case({"codigo": "PRD-0003"}),
    ),
    Story(
        "incluir_produto",
        good=Case(NEW, then=stands_in_omie),
        empty=Case(
            lambda house: {**NEW, "descricao": next(iter(house.table(TABLE))).record["descricao"]}, is_refused=True
        ),
        wrong=Case(
            {"codigo": "A", "unidade": "UN", "ncm": "123", "preco": "1.234"},
            says=("- descricao: é obrigatório", "- ncm:", "- preco: este número se lê de dois modos"),
        ),
        failing=Case(NEW, says="Não repita"),
    ),
    Story(
        "alterar_produto",
        good=Case(lambda house: a_product(house, preco="9,876543", inativo="S"), then=is_changed),
        empty=Case({"codigo_omie": 42, "preco": 1}, is_refused=True),
        wrong=Case({"codigo_omie": 42}, says="Nenhum campo para alterar"),
        failing=Case({"codigo_omie": 42, "preco": 1}, says="Não repita"),
    ),
    Story(
        "excluir_produto",
        good=Case(a_new_product, then=is_gone),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 42}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
