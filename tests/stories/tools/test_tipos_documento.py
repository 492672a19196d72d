"""Omie's table of kinds of documents: all of it by an empty code, or one of it."""

from __future__ import annotations

import pytest
from tests.tool_stories import Case, House, Story, Told, told


def the_table(house: House, answer: Told) -> None:
    rows = answer.data["tipos_documento"]
    assert len(rows) == answer.data["registros"] == 5 < answer.data["total_de_registros"]
    assert all(row["codigo"] and row["descricao"] for row in rows)
    assert answer.data["tem_mais"] is True
    [asked] = house.asked
    assert asked["endpoint"] == "geral/tiposdoc/PesquisarTipoDocumento"


STORIES = (
    Story(
        "consultar_tipos_documento",
        good=Case({"registros_por_pagina": 5}, then=the_table),
        empty=Case({"codigo": "NAO-HA"}, has={"registros": 0, "tipos_documento": []}, says="Nada encontrado"),
        wrong=Case({"codigo": "x" * 11}, says="- codigo:"),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_one_kind_is_found_by_its_code(house: House) -> None:
    found = await house.call("consultar_tipos_documento", codigo="BOL")
    assert found.data["tipos_documento"] == [{"codigo": "BOL", "descricao": "Boleto"}]
