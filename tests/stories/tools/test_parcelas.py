"""The payment conditions, as Omie lists them."""

from __future__ import annotations

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.families.terms import TERMS


def every_condition(house: House, answer: Told) -> None:
    shown = {row["codigo"]: (row["descricao"], row["parcelas"]) for row in answer.data["condicoes"]}
    assert shown == {term.code: (term.description, len(term.days)) for term in TERMS.values()}
    assert shown["000"] == ("A Vista", 1)


STORIES = (
    Story(
        "listar_parcelas",
        good=Case({"registros_por_pagina": 100}, then=every_condition),
        empty=Case({"pagina": 99}, has={"registros": 0, "condicoes": [], "tem_mais": False}, says="Nada encontrado"),
        wrong=Case({"pagina": "um"}, says="- pagina:"),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
