"""The bank slips' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "contas_receber"
RECEIPTS = "baixas_contas_receber"


def an_open_title(house: House) -> int:
    """Find a title that nobody has paid."""
    paid = {row.record["title"] for row in house.table(RECEIPTS)}
    return next(row.id for row in house.table(TABLE) if row.id not in paid)


def a_paid_title(house: House) -> int:
    """Find a title that the demo's customers have paid whole."""
    return int(next(iter(house.table(RECEIPTS))).record["title"])


async def a_title_with_a_slip(house: House, **more: Any) -> dict[str, Any]:
    title = an_open_title(house)
    made = await house.call("gerar_boleto", codigo_omie=title)
    assert not made.is_error, made.text
    return {"codigo_omie": title, **more}


def is_made(house: House, answer: Told) -> None:
    slip = house.row(TABLE, answer.data["codigo_omie"]).record["boleto"]
    assert slip["cGerado"] == "S"
    assert answer.data["numero"] == slip["cNumBoleto"] != ""
    assert answer.data["link"].startswith("http")
    assert answer.data["codigo_de_barras"]


def is_shown(house: House, answer: Told) -> None:
    slip = house.row(TABLE, an_open_title(house)).record["boleto"]
    assert answer.data["boleto"]["numero"] == slip["cNumBoleto"]
    assert answer.data["boleto"]["link"].startswith("http")
    assert "sucesso" not in answer.text, "a read makes nothing, whatever Omie says"


def is_put_off(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    assert record["data_vencimento"] == "31/01/2027"
    assert record["boleto"]["cGerado"] == "S"


def is_cancelled(house: House, answer: Told) -> None:
    assert house.row(TABLE, answer.data["codigo_omie"]).record.get("boleto", {}).get("cGerado") != "S"


STORIES = (
    Story(
        "gerar_boleto",
        good=Case(lambda house: {"codigo_omie": an_open_title(house)}, then=is_made),
        empty=Case(lambda house: {"codigo_omie": a_paid_title(house)}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
    Story(
        "obter_boleto",
        good=Case(a_title_with_a_slip, then=is_shown),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({"codigo_omie": 5, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "prorrogar_boleto",
        good=Case(lambda house: a_title_with_a_slip(house, vencimento="31/01/2027"), then=is_put_off),
        empty=Case({"codigo_omie": 42, "vencimento": "31/01/2027"}, is_refused=True),
        wrong=Case(
            {"codigo_omie": 5, "vencimento": "31/02/2027"}, says="- vencimento: esta data não existe no calendário"
        ),
        failing=Case({"codigo_omie": 5, "vencimento": "31/01/2027"}, says="Não repita"),
    ),
    Story(
        "cancelar_boleto",
        good=Case(a_title_with_a_slip, then=is_cancelled),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
