"""The projects' tools: what comes back, what then stands in Omie."""

from __future__ import annotations

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "projetos"


async def a_project(house: House, nome: str = "Reforma da loja") -> dict[str, int]:
    made = await house.call("incluir_projeto", nome=nome)
    return {"codigo_omie": made.data["codigo_omie"]}


async def a_search(house: House) -> dict[str, str]:
    await a_project(house)
    await a_project(house, "Nova filial")
    return {"nome": "reforma"}


async def a_renaming(house: House) -> dict[str, object]:
    return {**await a_project(house), "nome": "Reforma concluída", "inativo": True}


def is_found(house: House, answer: Told) -> None:
    [row] = answer.data["projetos"]
    assert house.row(TABLE, row["codigo_omie"]).record["nome"] == row["nome"] == "Reforma da loja"
    assert row["codigo_integracao"] == house.row(TABLE, row["codigo_omie"]).code != ""
    assert (row["inativo"], answer.data["total_de_registros"]) == (False, 1)


def stands_in_omie(house: House, answer: Told) -> None:
    made = house.row(TABLE, answer.data["codigo_omie"])
    assert made.record["nome"] == "Expansão"
    assert made.code == answer.data["codigo_integracao"] != ""


def is_changed(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    assert (record["nome"], record["inativo"]) == ("Reforma concluída", "S")


def is_gone(house: House, answer: Told) -> None:
    assert house.table(TABLE).get(answer.data["codigo_omie"]) is None


STORIES = (
    *(
        Story(
            name,
            good=Case(a_search, then=is_found),
            empty=Case({"nome": "Não existe"}, has={"registros": 0, "projetos": []}, says="Nada encontrado"),
            wrong=Case({"nome": "x" * 101}, says="- nome:"),
            failing=Case(),
        )
        for name in ("listar_projetos", "consultar_projetos")
    ),
    Story(
        "incluir_projeto",
        good=Case({"nome": "Expansão"}, then=stands_in_omie),
        empty=Case(is_refused=True, says="- nome: é obrigatório e não veio"),
        wrong=Case({"nome": ""}, says="- nome:"),
        failing=Case({"nome": "Expansão"}, says="Não repita"),
    ),
    Story(
        "alterar_projeto",
        good=Case(a_renaming, then=is_changed),
        empty=Case({"codigo_omie": 42, "nome": "Outro"}, is_refused=True),
        wrong=Case({"codigo_omie": 42}, says="Nenhum campo para alterar"),
        failing=Case({"codigo_omie": 42, "nome": "Outro"}, says="Não repita"),
    ),
    Story(
        "excluir_projeto",
        good=Case(a_project, then=is_gone),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({"codigo_omie": 1, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 42}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
