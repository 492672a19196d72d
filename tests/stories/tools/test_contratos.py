"""The tools of contracts and of the register of services."""

from __future__ import annotations

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.world import Row

TABLE = "contratos"
ACTIVE, SUSPENDED = "10", "90"


def in_situation(house: House, situation: str) -> Row:
    return next(row for row in house.table(TABLE) if row.record["cabecalho"]["cCodSit"] == situation)


def named(house: House, situation: str) -> dict[str, int]:
    return {"codigo_omie": in_situation(house, situation).id}


def all_of_them(house: House, answer: Told) -> None:
    shown = [(row["codigo_omie"], row["valor_mensal"], row["situacao"]) for row in answer.data["contratos"]]
    kept = [(row.id, row.record["cabecalho"]) for row in house.table(TABLE)]
    assert shown == [(id, head["nValTotMes"], head["cCodSit"]) for id, head in kept]


def is_whole(house: House, answer: Told) -> None:
    shown = answer.data["contrato"]
    record = house.row(TABLE, shown["cabecalho"]["nCodCtr"]).record
    assert shown["cabecalho"]["cNumCtr"] == record["cabecalho"]["cNumCtr"]
    assert len(shown["itensContrato"]) == len(record["itensContrato"]) == 1


def is_suspended(house: House, answer: Told) -> None:
    assert house.row(TABLE, answer.data["codigo_omie"]).record["cabecalho"]["cCodSit"] == SUSPENDED


def is_active(house: House, answer: Told) -> None:
    assert house.row(TABLE, answer.data["codigo_omie"]).record["cabecalho"]["cCodSit"] == ACTIVE


def is_the_service(house: House, answer: Told) -> None:
    [row] = answer.data["servicos"]
    kept = house.row("servicos", row["codigo_omie"]).record["cabecalho"]
    assert (row["descricao"], row["preco"], row["codigo"]) == (kept["cDescricao"], kept["nPrecoUnit"], kept["cCodigo"])
    assert "Consultoria" in row["descricao"]


STORIES = (
    Story(
        "listar_contratos",
        good=Case(then=all_of_them),
        empty=Case({"codigo_cliente": 7}, has={"registros": 0, "contratos": []}, says="Nada encontrado"),
        wrong=Case(
            {"cnpj_cpf": "123", "codigo_cliente": 0}, says=("- cnpj_cpf: não é", "- codigo_cliente: esperado no")
        ),
        failing=Case(),
    ),
    Story(
        "consultar_contrato",
        good=Case(lambda house: named(house, ACTIVE), then=is_whole),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "suspender_contrato",
        good=Case(lambda house: named(house, ACTIVE), then=is_suspended),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="- codigo_omie: é obrigatório"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
    Story(
        "ativar_contrato",
        good=Case(lambda house: named(house, SUSPENDED), then=is_active),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({"codigo_omie": "dez"}, says="- codigo_omie: esperado um número inteiro"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
    Story(
        "listar_servicos",
        good=Case({"descricao": "Consultoria"}, then=is_the_service),
        empty=Case({"codigo": "NAO-HA"}, has={"registros": 0, "servicos": []}),
        wrong=Case({"inativo": "talvez"}, says="- inativo: esperado sim ou não"),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
