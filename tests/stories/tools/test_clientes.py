"""The clients' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.documents import invent_cnpj

NEW = {"razao_social": "Padaria Sol Nascente Ltda", "cnpj_cpf": invent_cnpj(Random(7)), "email": "a@sol.com.br"}
A_WRONG_DOCUMENT = "não é um CPF nem um CNPJ válido"


def a_client(house: House) -> dict[str, int]:
    return {"codigo_omie": house.first("clientes", inativo="N").id}


def a_page_of_suppliers(house: House, answer: Told) -> None:
    rows = answer.data["clientes"]
    assert 0 < len(rows) <= 3
    for row in rows:
        record = house.row("clientes", row["codigo_omie"]).record
        assert {"tag": "Fornecedor"} in record["tags"]
        assert row["razao_social"] == record["razao_social"]
    assert "| código | nome |" in answer.text


def is_the_client(house: House, answer: Told) -> None:
    shown = answer.data["cliente"]
    record = house.row("clientes", shown["codigo_cliente_omie"]).record
    assert shown["razao_social"] == record["razao_social"]
    assert shown["tags"] == [each["tag"] for each in record["tags"]]


def stands_in_omie(house: House, answer: Told) -> None:
    made = house.row("clientes", answer.data["codigo_omie"])
    assert made.code == answer.data["codigo_integracao"] != ""
    assert made.record["razao_social"] == NEW["razao_social"]
    assert made.record["tags"] == [{"tag": "Fornecedor"}]


def is_changed(house: House, answer: Told) -> None:
    record = house.row("clientes", answer.data["codigo_omie"]).record
    assert (record["email"], record["inativo"]) == ("b@sol.com.br", "S")


def is_inactive(house: House, answer: Told) -> None:
    record = house.row("clientes", answer.data["codigo_omie"]).record
    assert record["inativo"] == "S"
    # The rest was read and sent back, without the entities that Omie answers with.
    assert record["contato"] == "Ana & Bia"
    assert record["tags"]


def one_with_entities(house: House) -> dict[str, int]:
    row = house.first("clientes", inativo="N")
    row.record["contato"] = "Ana &amp; Bia"
    return {"codigo_omie": row.id}


def an_inactive_client(house: House) -> dict[str, int]:
    row = house.first("clientes", inativo="N")
    row.record["inativo"] = "S"
    return {"codigo_omie": row.id}


def nothing_was_sent(house: House, answer: Told) -> None:
    assert "já estava inativo" in answer.data["situacao"]
    assert not [each for each in house.asked if each["endpoint"].endswith("AlterarCliente")]


STORIES_OF_CLIENTS = (
    Story(
        "consultar_clientes",
        good=Case({"tags": ["Fornecedor"], "registros_por_pagina": 3}, then=a_page_of_suppliers),
        empty=Case({"nome": "Ninguém com este nome"}, has={"registros": 0, "clientes": [], "tem_mais": False}),
        wrong=Case(
            {"cnpj_cpf": "529.982.247-26", "pagina": 0, "nomee": "x"},
            says=(f"- cnpj_cpf: {A_WRONG_DOCUMENT}", "- pagina: esperado no mínimo 1", "talvez seja 'nome'"),
        ),
        failing=Case(),
    ),
    Story(
        "consultar_cliente_por_codigo",
        good=Case(a_client, then=is_the_client),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case(a_client),
    ),
    Story(
        "incluir_cliente",
        good=Case({**NEW, "tags": ["Fornecedor"]}, then=stands_in_omie),
        empty=Case(says="- razao_social: é obrigatório e não veio", is_refused=True),
        wrong=Case(
            {"cnpj_cpf": "11.222.333/0001-82", "estado": "XX", "email": "sol", "cep": "123"},
            says=(
                "- razao_social: é obrigatório",
                f"- cnpj_cpf: {A_WRONG_DOCUMENT}",
                "- estado: esperada a sigla de um estado",
                "- email: esperado um e-mail",
                "- cep: esperado um CEP",
            ),
        ),
        failing=Case(NEW, says="Não repita"),
    ),
    Story(
        "alterar_cliente",
        good=Case(lambda house: {**a_client(house), "email": "b@sol.com.br", "inativo": "S"}, then=is_changed),
        empty=Case({"codigo_omie": 42, "email": "b@sol.com.br"}, is_refused=True),
        wrong=Case({"codigo_omie": 5}, says="Nenhum campo"),
        failing=Case({"codigo_omie": 5, "email": "b@sol.com.br"}, says="Não repita"),
    ),
    Story(
        "inativar_cliente",
        good=Case(one_with_entities, then=is_inactive),
        empty=Case(an_inactive_client, then=nothing_was_sent),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case(a_client),
    ),
)
# The older names of the same tools.
ALSO = {
    "listar_clientes": "consultar_clientes",
    "cadastrar_cliente": "incluir_cliente",
    "cadastrar_cliente_fornecedor": "incluir_cliente",
}
STORIES = (
    *STORIES_OF_CLIENTS,
    *(replace(story, tool=name) for name, same in ALSO.items() for story in STORIES_OF_CLIENTS if story.tool == same),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
