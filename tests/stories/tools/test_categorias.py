"""The categories' tools: the chart as Omie has it, one of them whole, a new one below its superior."""

from __future__ import annotations

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "categorias"
A_NEW_ONE = {"categoria_superior": "2.02", "descricao": "Manutenção predial"}


def only_expenses(house: House, answer: Told) -> None:
    rows = answer.data["categorias"]
    expenses = [row for row in house.table(TABLE) if row.record["natureza"] == "D"]
    assert {row["codigo"] for row in rows} == {row.code for row in expenses} != set()
    assert answer.data["total_de_registros"] == len(expenses)
    rent = next(row for row in rows if row["codigo"] == "2.02.01")
    assert (rent["descricao"], rent["totalizadora"], rent["categoria_superior"]) == ("Aluguel", False, "2.02")
    assert "| 2.02.01 | Aluguel | D | N |" in answer.text


def stands_in_omie(house: House, answer: Told) -> None:
    made = house.table(TABLE).with_code(answer.data["codigo"])
    assert made is not None
    assert (made.record["descricao"], made.record["categoria_superior"]) == ("Manutenção predial", "2.02")
    assert answer.data["codigo"].startswith("2.02.")


STORIES = (
    Story(
        "consultar_categorias",
        good=Case({"tipo": "D"}, then=only_expenses),
        empty=Case({"descricao": "Nada disto"}, has={"registros": 0, "categorias": []}, says="Nada encontrado"),
        wrong=Case({"tipo": "X", "descricao": "x" * 51}, says=("- tipo: esperado um destes: 'R'", "- descricao:")),
        failing=Case(),
    ),
    Story(
        "consultar_categoria",
        good=Case(
            {"codigo": "2.02.01"},
            says="**Aluguel**",
            then=lambda house, answer: _is(house, answer, "2.02.01"),
        ),
        empty=Case({"codigo": "9.99.99"}, is_refused=True),
        wrong=Case(says='- codigo: é obrigatório e não veio. Exemplo: "2.01.01".'),
        failing=Case({"codigo": "2.02.02"}),
    ),
    Story(
        "incluir_categoria",
        good=Case(A_NEW_ONE, then=stands_in_omie),
        empty=Case({**A_NEW_ONE, "categoria_superior": "9.99"}, is_refused=True),
        wrong=Case({"categoria_superior": "2.02", "descricao": ""}, says="- descricao:"),
        failing=Case(A_NEW_ONE, says="Não repita"),
    ),
)


def _is(house: House, answer: Told, code: str) -> None:
    row = house.table(TABLE).with_code(code)
    assert row is not None
    shown = answer.data["categoria"]
    assert (shown["codigo"], shown["descricao"], shown["natureza"]) == (code, row.record["descricao"], "D")


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
