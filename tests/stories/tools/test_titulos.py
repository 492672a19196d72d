"""The tools that search titles and movements, judged by what the simulator holds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.titles_held import day, today
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "contas_receber"
RECEIPTS = "baixas_contas_receber"


def the_last_month(_: House) -> dict[str, Any]:
    since = today() - timedelta(days=30)
    period = {"pagamento_de": since.isoformat(), "pagamento_ate": today().isoformat()}
    return {"tipo": "recebimentos", **period, "registros_por_pagina": 100}


async def a_title_paid_in_part(house: House) -> dict[str, Any]:
    """Receive a part of a title, and search for it by its due date, category and account."""
    settled = {row.record["title"] for row in house.table(RECEIPTS)}
    title = next(row for row in house.table(TABLE) if row.id not in settled)
    await house.call(
        "lancar_recebimento",
        codigo_omie=title.id,
        codigo_conta_corrente=title.record["id_conta_corrente"],
        valor="12,34",
        data="20/11/2026",
    )
    due = title.record["data_vencimento"]
    return {
        "lado": "receber",
        "status": "PAGTO_PARCIAL",
        "vencimento_de": due,
        "vencimento_ate": due,
        "categoria": title.record["codigo_categoria"],
        "numero_documento": title.record["numero_documento"],
    }


def it_tells_what_is_left(house: House, answer: Told) -> None:
    [title] = answer.data["titulos"]
    record = house.row(TABLE, title["codigo_omie"]).record
    assert (title["lado"], title["valor"], title["valor_pago"]) == ("receber", record["valor_documento"], 12.34)
    assert Decimal(str(title["valor_aberto"])) == Decimal(str(record["valor_documento"])) - Decimal("12.34")
    [settlement] = title["baixas"]
    assert (settlement["valor"], settlement["data"]) == (12.34, "20/11/2026")
    assert house.row(RECEIPTS, settlement["codigo_baixa"]).record["entry"] == settlement["codigo_lancamento"]


def the_receipts_of_the_last_month(house: House, answer: Told) -> None:
    since = today() - timedelta(days=30)
    inside = {row.id: row.record for row in house.table(RECEIPTS) if since <= day(row.record["day"]) <= today()}
    assert inside
    assert {row["codigo_baixa"] for row in answer.data["movimentos"]} == set(inside)
    assert answer.data["total_de_registros"] == len(inside)
    shown = sum(Decimal(str(row["valor_movimento"])) for row in answer.data["movimentos"])
    assert shown == sum(Decimal(str(each["value"])) for each in inside.values())
    first = answer.data["movimentos"][0]
    assert first["lado"] == "receber"
    assert first["codigo_titulo"] == inside[first["codigo_baixa"]]["title"]


STORIES = (
    Story(
        "pesquisar_titulos",
        good=Case(a_title_paid_in_part, then=it_tells_what_is_left),
        empty=Case(
            {"vencimento_de": "01/01/2001", "vencimento_ate": "31/01/2001"},
            has={"registros": 0, "titulos": [], "tem_mais": False},
            says="Nada encontrado",
        ),
        wrong=Case(
            {"lado": "cliente", "vencimento_de": "2026-02-30", "codigo_cliente": -1},
            says=("- lado: esperado um destes", "- vencimento_de: esta data não existe", "- codigo_cliente: esperado"),
        ),
        failing=Case({"lado": "pagar"}),
    ),
    Story(
        "listar_movimentos_financeiros",
        good=Case(the_last_month, then=the_receipts_of_the_last_month),
        empty=Case({"codigo_cliente": 7}, has={"registros": 0, "movimentos": []}, says="Nada encontrado"),
        wrong=Case({"status": "ATRASADO"}, says="status: só filtra títulos"),
        failing=Case({}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
