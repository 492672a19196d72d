"""The departments' tool, under both of its names."""

from __future__ import annotations

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "departamentos"


def every_department(house: House, answer: Told) -> None:
    rows = answer.data["departamentos"]
    there = {row.record["descricao"]: str(row.id) for row in house.table(TABLE)}
    assert {row["descricao"]: row["codigo"] for row in rows} == there != {}
    assert {row["inativo"] for row in rows} == {False}
    assert answer.data["total_de_registros"] == len(there)


def without_any(house: House) -> dict[str, object]:
    for row in house.table(TABLE):
        house.table(TABLE).remove(row)
    return {}


STORIES = tuple(
    Story(
        name,
        good=Case(then=every_department),
        empty=Case(without_any, has={"registros": 0, "departamentos": []}, says="Nada encontrado"),
        wrong=Case({"pagina": 0}, says="- pagina: esperado no mínimo 1"),
        failing=Case(),
    )
    for name in ("consultar_departamentos", "listar_departamentos")
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
