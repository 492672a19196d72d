"""The payment conditions, as Omie lists them."""

from __future__ import annotations

import pytest
from tests.stories.tools.simulador import rows
from tests.tool_stories import Case, House, Story, Told, told

LIST = "geral/parcelas/ListarParcelas"


def as_omie_has_them(house: House, answer: Told) -> None:
    there = rows(house, LIST, pagina=1, registros_por_pagina=100)
    shown = [(row["codigo"], row["descricao"], row["parcelas"]) for row in answer.data["condicoes"]]
    assert shown == [(row["nCodigo"], row["cDescricao"], row["nParcelas"]) for row in there] != []


STORIES = (
    Story(
        "listar_parcelas",
        good=Case({"registros_por_pagina": 100}, then=as_omie_has_them),
        empty=Case({"pagina": 99}, has={"registros": 0, "condicoes": [], "tem_mais": False}, says="Nada encontrado"),
        wrong=Case({"pagina": "um"}, says="- pagina:"),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
