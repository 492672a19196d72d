"""The statement's tools, judged by sums over the simulator's own entries."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.titles_held import day, today
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.mcp.tools.extrato import compare

ENTRIES = "lancamentos"
RECEIPTS = "baixas_contas_receber"


def a_span() -> tuple[date, date]:
    """Give eight weeks until today: of the day of the story, not of the one on which this file was read."""
    return today() - timedelta(days=55), today()


def period() -> dict[str, str]:
    since, until = a_span()
    return {"de": since.isoformat(), "ate": until.isoformat()}


def an_account(house: House, number: int = 0) -> int:
    return list(house.table("contas_correntes"))[number].id


def ago(days: int) -> str:
    return f"{today() - timedelta(days=days):%d/%m/%Y}"


def of(house: House, **more: Any) -> dict[str, Any]:
    return {"codigo_conta_corrente": an_account(house), **period(), **more}


def moved(house: House, account: int) -> list[tuple[date, Decimal, int]]:
    """List what went through an account, signed, as the simulator holds it."""
    found = []
    for row in house.table(ENTRIES):
        head = row.record["cabecalho"]
        if head["nCodCC"] == account:
            value = Decimal(str(head["nValorLanc"]))
            sign = -1 if row.record["diversos"]["cNatureza"] == "P" else 1
            found.append((day(head["dDtLanc"]), sign * value, row.id))
    return found


def sums_are_the_book_s(house: House, answer: Told) -> None:
    account = answer.data["conta"]["codigo_omie"]
    since, until = a_span()
    every = moved(house, account)
    inside = [each for each in every if since <= each[0] <= until]
    came = sum((value for _, value, _ in inside if value > 0), Decimal(0))
    went = -sum((value for _, value, _ in inside if value < 0), Decimal(0))
    assert came > 0 < went
    assert (Decimal(str(answer.data["entradas"])), Decimal(str(answer.data["saidas"]))) == (came, went)
    opening = Decimal(str(house.row("contas_correntes", account).record["saldo_inicial"]))
    before = opening + sum(value for at, value, _ in every if at < since)
    assert Decimal(str(answer.data["saldos"]["anterior"])) == before
    assert Decimal(str(answer.data["saldos"]["atual"])) == before + came - went
    assert answer.data["saldo_confere"] is True
    assert answer.data["total_de_registros"] == len(inside)
    assert {row["codigo_lancamento"] for row in answer.data["movimentos"]} <= {id for _, _, id in inside}
    assert len(answer.data["movimentos"]) == min(7, len(inside))


async def a_bank_s_statement(house: House) -> dict[str, Any]:
    """Make the bank's view of two receipts, one of them ticked off in Omie, and one line that Omie does not know."""
    account = an_account(house)
    settled = {row.record["title"] for row in house.table(RECEIPTS)}
    first, second = [row.id for row in house.table("contas_receber") if row.id not in settled][:2]
    for title, value, at, seen in ((first, "11,11", ago(13), False), (second, "22,22", ago(11), True)):
        await house.call(
            "lancar_recebimento",
            codigo_omie=title,
            codigo_conta_corrente=account,
            valor=value,
            data=at,
            conciliado=seen,
        )
    lines = [
        {"data": ago(12), "valor": "11,11", "historico": "PIX recebido"},
        {"data": (today() - timedelta(days=11)).isoformat(), "valor": 22.22},
        {"data": ago(11), "valor": "-7,77", "historico": "Tarifa"},
    ]
    return of(house, linhas_do_banco=lines)


def two_match_and_one_is_the_bank_s(house: House, answer: Told) -> None:
    first, second = answer.data["batem"]
    assert (first["valor"], first["data"], first["data_no_omie"]) == (11.11, ago(12), ago(13))
    receipt = house.row(RECEIPTS, first["codigo_baixa"])
    assert receipt.record["entry"] == first["codigo_lancamento"]
    assert (first["conciliado"], first["como_conciliar"]) == (False, "conciliar_recebimento")
    assert (second["valor"], second["conciliado"]) == (22.22, True)
    assert answer.data["so_no_banco"] == [{"data": ago(11), "valor": -7.77, "historico": "Tarifa"}]
    account = answer.data["conta"]["codigo_omie"]
    since, until = a_span()
    inside = [each for each in moved(house, account) if since <= each[0] <= until]
    assert len(answer.data["so_no_omie"]) == len(inside) - 2
    pending = [value for _, value, id in inside if not house.row(ENTRIES, id).record["diversos"].get("dDtConc")]
    assert answer.data["total_de_pendentes"] == len(pending) == len(inside) - answer.data["conciliados"]
    assert Decimal(str(answer.data["entradas_pendentes"])) == sum(value for value in pending if value > 0)
    assert Decimal(str(answer.data["saidas_pendentes"])) == -sum(value for value in pending if value < 0)
    assert answer.data["dados_completos"] is True


STORIES = (
    Story(
        "consultar_extrato",
        good=Case(lambda house: of(house, registros_por_pagina=7), then=sums_are_the_book_s),
        empty=Case(
            lambda house: of(house, de="01/01/2001", ate="02/01/2001"),
            has={"movimentos": [], "previstos": [], "entradas": 0.0, "tem_mais": False},
            says="Nada encontrado",
        ),
        wrong=Case(lambda house: of(house, de="30/11/2026", ate="01/11/2026"), says="de: esperada uma data até `ate`"),
        failing=Case(of),
    ),
    Story(
        "conciliar_bancaria",
        good=Case(a_bank_s_statement, then=two_match_and_one_is_the_bank_s),
        empty=Case(
            lambda house: of(house, de="01/01/2001", ate="02/01/2001"),
            has={"pendentes": [], "conciliados": 0, "dados_completos": True},
        ),
        wrong=Case(
            lambda house: of(house, linhas_do_banco=[{"data": "99/11/2026", "valor": "1.234"}]),
            says=("linhas_do_banco", "data", "valor", "este número se lê de dois modos"),
        ),
        failing=Case(of),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


def test_lines_pair_with_the_nearest_day_and_each_once() -> None:
    at = [date(2026, 11, number) for number in range(1, 6)]
    one = Decimal("10.00")
    compared = compare([(at[2], one), (at[4], one)], [(at[1], one), (at[4], one), (at[0], Decimal("10.01"))], 2)
    assert compared.pairs == [(0, 0, False), (1, 1, False)]
    assert (compared.only_bank, compared.only_omie) == ([], [2])


def test_a_pair_that_another_line_fits_as_well_is_doubtful() -> None:
    one, at = Decimal("10.00"), date(2026, 11, 3)
    compared = compare([(at, one)], [(at, one), (at, one)], 0)
    assert compared.pairs == [(0, 0, True)]
    assert compared.only_omie == [1]
    # The same from the other side, and a day further away is no doubt.
    assert compare([(at, one), (at, one)], [(at, one)], 0).pairs == [(0, 0, True)]
    assert compare([(at, one)], [(at, one), (date(2026, 11, 4), one)], 2).pairs == [(0, 0, False)]
