"""The suppliers' tools: clients with a tag, and where they are paid."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.documents import invent_cnpj
from omie_control.simulator.world import Row

NEW = {
    "razao_social": "Atacado Três Rios Ltda",
    "cnpj_cpf": invent_cnpj(Random(11)),
    "banco": "341",
    "agencia": "0123",
    "conta": "12345-6",
    "chave_pix": "financeiro@tresrios.com.br",
}
TAG = {"tag": "Fornecedor"}


def the_first(house: House) -> Row:
    return next(row for row in house.table("clientes") if TAG in row.record["tags"] and row.record["inativo"] == "N")


def a_supplier(house: House) -> dict[str, int]:
    return {"codigo_omie": the_first(house).id}


def an_inactive_one(house: House) -> dict[str, int]:
    row = the_first(house)
    row.record["inativo"] = "S"
    return {"codigo_omie": row.id}


def with_bank(house: House) -> dict[str, int]:
    row = the_first(house)
    row.record["dadosBancarios"] = {"codigo_banco": "001", "agencia": "55", "conta_corrente": "9-9"}
    row.record["nome_fantasia"] = "Sol &amp; Mar"
    return {"codigo_omie": row.id}


def only_suppliers(house: House, answer: Told) -> None:
    suppliers = [row.id for row in house.table("clientes") if TAG in row.record["tags"]]
    assert [row["codigo_omie"] for row in answer.data["fornecedores"]] == suppliers[:4]
    assert answer.data["total_de_registros"] == len(suppliers) < len(house.table("clientes"))


def is_the_supplier(house: House, answer: Told) -> None:
    shown = answer.data["fornecedor"]
    assert shown["razao_social"] == house.row("clientes", shown["codigo_cliente_omie"]).record["razao_social"]
    assert "Fornecedor" in shown["tags"]
    assert shown["dadosBancarios"] == {"codigo_banco": "001", "agencia": "55", "conta_corrente": "9-9"}


def stands_in_omie(house: House, answer: Told) -> None:
    record = house.row("clientes", answer.data["codigo_omie"]).record
    assert (record["razao_social"], record["tags"]) == (NEW["razao_social"], [TAG])
    assert record["dadosBancarios"] == {
        "codigo_banco": "341",
        "agencia": "0123",
        "conta_corrente": "12345-6",
        "cChavePix": "financeiro@tresrios.com.br",
    }


def is_changed(house: House, answer: Told) -> None:
    record = house.row("clientes", answer.data["codigo_omie"]).record
    assert (record["email"], record["dadosBancarios"]["conta_corrente"]) == ("novo@tresrios.com.br", "7-7")
    assert TAG in record["tags"]


def is_inactive(house: House, answer: Told) -> None:
    record = house.row("clientes", answer.data["codigo_omie"]).record
    assert (record["inativo"], record["dadosBancarios"]["codigo_banco"]) == ("S", "001")
    # What Omie answered with HTML entities goes back as people wrote it.
    assert record["nome_fantasia"] == "Sol & Mar"
    assert TAG in record["tags"]


def nothing_was_sent(house: House, answer: Told) -> None:
    assert "já estava inativo" in answer.data["situacao"]
    assert not [each for each in house.asked if each["endpoint"].endswith("AlterarCliente")]


OWN = (
    Story(
        "consultar_fornecedores",
        good=Case({"registros_por_pagina": 4}, then=only_suppliers),
        empty=Case({"nome": "Ninguém com este nome"}, has={"registros": 0, "fornecedores": []}, says="Nada encontrado"),
        wrong=Case(
            {"cnpj_cpf": "123", "inativo": "talvez"}, says=("- cnpj_cpf: não é um CPF", "- inativo: esperado sim")
        ),
        failing=Case(),
    ),
    Story(
        "consultar_fornecedor_por_codigo",
        good=Case(with_bank, then=is_the_supplier),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({}, says=("codigo_omie ou codigo_integracao", "consultar_fornecedores")),
        failing=Case(a_supplier),
    ),
    Story(
        "incluir_fornecedor",
        good=Case(NEW, then=stands_in_omie),
        empty=Case(
            lambda house: {**NEW, "cnpj_cpf": the_first(house).record["cnpj_cpf"]},
            says="Já existe um cadastro",
            is_refused=True,
        ),
        wrong=Case(
            {"cnpj_cpf": "11.222.333/0001-82", "banco": "Itaú"},
            says=("- razao_social: é obrigatório", "- cnpj_cpf: não é um CPF", "- banco: o texto não está na forma"),
        ),
        failing=Case(NEW, says="Não repita"),
    ),
    Story(
        "alterar_fornecedor",
        good=Case(
            lambda house: {**a_supplier(house), "email": "novo@tresrios.com.br", "banco": "001", "conta": "7-7"},
            then=is_changed,
        ),
        empty=Case({"codigo_omie": 42, "email": "b@sol.com.br"}, is_refused=True),
        wrong=Case({"codigo_omie": 5}, says="Nenhum campo"),
        failing=Case({"codigo_omie": 5, "email": "b@sol.com.br"}, says="Não repita"),
    ),
    Story(
        "inativar_fornecedor",
        good=Case(with_bank, then=is_inactive),
        empty=Case(an_inactive_one, then=nothing_was_sent),
        wrong=Case({"codigo_omie": 5, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
        failing=Case(a_supplier),
    ),
)
ALSO = {"listar_fornecedores": "consultar_fornecedores", "cadastrar_fornecedor": "incluir_fornecedor"}
STORIES = (
    *OWN,
    *(replace(story, tool=name) for name, same in ALSO.items() for story in OWN if story.tool == same),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_who_was_just_shown_can_be_inactivated_at_once(house: House) -> None:
    supplier = a_supplier(house)
    shown = await house.call("consultar_fornecedor_por_codigo", **supplier)
    assert shown.data["fornecedor"]["inativo"] == "N"
    done = await house.call("inativar_fornecedor", **supplier)
    assert not done.is_error, done.text
    assert house.row("clientes", supplier["codigo_omie"]).record["inativo"] == "S"
