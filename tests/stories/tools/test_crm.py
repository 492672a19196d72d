"""The tools of the CRM: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.world import Row

CHANCES, ACCOUNTS, TASKS = "crm_oportunidades", "crm_contas", "crm_tarefas"


def first(house: House, table: str) -> Row:
    return next(iter(house.table(table)))


def a_chance(house: House, **more: Any) -> dict[str, Any]:
    return {
        "descricao": "Reforma da loja",
        "codigo_conta": first(house, ACCOUNTS).id,
        "valor_produtos": "1.500,50",
        "mes_previsto": 12,
        "ano_previsto": 2026,
        **more,
    }


def a_task(house: House, **more: Any) -> dict[str, Any]:
    return {
        "codigo_oportunidade": first(house, CHANCES).id,
        "codigo_usuario": 9_000_000_001,
        "descricao": "Ligar para a Ana",
        "data": "2026-12-01",
        "hora": "14:30",
        "atividade": 1,
        "urgente": True,
        **more,
    }


def of_the_account(house: House, answer: Told) -> None:
    account = first(house, ACCOUNTS).id
    rows = [row for row in house.table(CHANCES) if row.record["identificacao"]["nCodConta"] == account]
    shown = [(row["codigo_omie"], row["descricao"], row["valor"]) for row in answer.data["oportunidades"]]
    assert shown == [(row.id, row.record["identificacao"]["cDesOp"], row.record["ticket"]["nTicket"]) for row in rows]
    assert rows


def is_whole(house: House, answer: Told) -> None:
    shown = answer.data["oportunidade"]
    record = house.row(CHANCES, shown["identificacao"]["nCodOp"]).record
    assert shown["ticket"]["nTicket"] == record["ticket"]["nTicket"]
    assert shown["observacoes"]["cObs"] == record["observacoes"]["cObs"]


def stands_in_omie(house: House, answer: Told) -> None:
    row = house.row(CHANCES, answer.data["codigo_omie"])
    assert row.code == answer.data["codigo_integracao"] != ""
    assert row.record["identificacao"]["cDesOp"] == "Reforma da loja"
    assert row.record["ticket"] == {"nProdutos": 1500.5}
    assert row.record["previsaoTemp"] == {"nMesPrev": 12, "nAnoPrev": 2026}


def all_accounts(house: House, answer: Told) -> None:
    shown = [(row["codigo_omie"], row["nome"]) for row in answer.data["contas"]]
    assert shown == [(row.id, row.record["identificacao"]["cNome"]) for row in house.table(ACCOUNTS)]


def are_to_do(house: House, answer: Told) -> None:
    open_ones = [row.id for row in house.table(TASKS) if row.record["cRealizada"] == "N"]
    assert [row["codigo_omie"] for row in answer.data["tarefas"]] == open_ones != []
    assert {row["realizada"] for row in answer.data["tarefas"]} == {False}


def is_marked(house: House, answer: Told) -> None:
    record = house.row(TASKS, answer.data["codigo_omie"]).record
    assert (record["dData"], record["cHora"], record["cUrgente"]) == ("01/12/2026", "14:30:00", "S")
    assert record["nCodOp"] == answer.data["codigo_oportunidade"]


STORIES = (
    Story(
        "listar_oportunidades",
        good=Case(lambda house: {"codigo_conta": first(house, ACCOUNTS).id}, then=of_the_account),
        empty=Case({"descricao": "Nada com este nome"}, has={"registros": 0, "oportunidades": []}),
        wrong=Case(
            {"inclusao_de": "ontem", "codigo_conta": 0}, says=("- inclusao_de: esperada", "- codigo_conta: esp")
        ),
        failing=Case(),
    ),
    Story(
        "consultar_oportunidade",
        good=Case(lambda house: {"codigo_omie": first(house, CHANCES).id}, then=is_whole),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "incluir_oportunidade",
        good=Case(a_chance, then=stands_in_omie),
        empty=Case(lambda house: a_chance(house, codigo_conta=42), is_refused=True),
        wrong=Case(
            {"descricao": "", "mes_previsto": 13, "valor_produtos": "1.500"},
            says=(
                "- descricao: esperado um texto de pelo menos 1",
                "- codigo_conta: é obrigatório",
                "- mes_previsto: esperado no máximo 12",
                "- valor_produtos: este número se lê de dois modos",
            ),
        ),
        failing=Case(a_chance, says="Não repita"),
    ),
    Story(
        "listar_contas_crm",
        good=Case(then=all_accounts),
        empty=Case({"pagina": 99}, has={"registros": 0, "contas": []}),
        wrong=Case({"cnpj_cpf": "529.982.247-26"}, says="- cnpj_cpf: não é um CPF nem um CNPJ válido"),
        failing=Case(),
    ),
    Story(
        "listar_tarefas_crm",
        good=Case({"realizada": False}, then=are_to_do),
        empty=Case({"codigo_oportunidade": 7}, has={"registros": 0, "tarefas": []}),
        wrong=Case({"periodo_de": "01/02/2026", "periodo_ate": "01/01/2026"}, says="periodo_de: esperada uma data até"),
        failing=Case(),
    ),
    Story(
        "incluir_tarefa_crm",
        good=Case(a_task, then=is_marked),
        empty=Case(lambda house: a_task(house, codigo_oportunidade=42), is_refused=True),
        wrong=Case(
            lambda house: a_task(house, hora="25:00", atividade=9, data="amanhã"),
            says=("- hora: o texto não", "- atividade: esperado no máximo 7", "- data: esperada uma data"),
        ),
        failing=Case(a_task, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
