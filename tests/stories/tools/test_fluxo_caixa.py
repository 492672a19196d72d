"""Cash flow, compared with sums over the simulator's own tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.titles_held import held, make_exceptions, money, moved, today
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.mcp.tools import financas_lidas, fluxo_caixa
from omie_control.mcp.tools.extrato_lido import Extrato, read_statement
from omie_control.mcp.tools.fluxo_caixa import lines_of
from omie_control.mcp.tools.periodo import month_end


def a_span() -> tuple[date, date]:
    first = today() - timedelta(days=40)
    return first, first + timedelta(days=69)


async def ten_weeks(house: House, **more: Any) -> dict[str, Any]:
    await make_exceptions(house)
    since, until = a_span()
    return {"de": since.isoformat(), "ate": until.isoformat(), **more}


def summed(house: House, since: date, until: date) -> dict[str, Decimal]:
    """Reckon a line of the report from the simulator's tables."""
    due = [each for each in held(house) if not each.is_cancelled and since <= each.due <= until]
    went = [each for each in moved(house) if since <= each.at <= until and not each.origin.startswith("TRA")]
    zero = Decimal(0)
    return {
        "entradas_previstas": sum((each.value for each in due if each.side == "receber"), zero),
        "saidas_previstas": sum((each.value for each in due if each.side == "pagar"), zero),
        "entradas_em_aberto": sum((each.open for each in due if each.side == "receber"), zero),
        "saidas_em_aberto": sum((each.open for each in due if each.side == "pagar"), zero),
        "entradas_realizadas": sum((each.value for each in went if each.value > 0), zero),
        "saidas_realizadas": -sum((each.value for each in went if each.value < 0), zero),
    }


def every_week_is_the_book_s(house: House, answer: Told) -> None:
    since, until = a_span()
    lines = answer.data["linhas"]
    assert 10 <= len(lines) <= 11
    first = since
    for line in lines:
        last = min(first + timedelta(days=6 - first.weekday()), until)
        assert (line["de"], line["ate"]) == (f"{first:%d/%m/%Y}", f"{last:%d/%m/%Y}")
        assert {name: money(line[name]) for name in summed(house, first, last)} == summed(house, first, last)
        first = last + timedelta(days=1)
    whole = summed(house, since, until)
    assert {name: money(answer.data["total"][name]) for name in whole} == whole
    assert all(value > 0 for value in whole.values())
    opening = sum((money(row.record["saldo_inicial"]) for row in house.table("contas_correntes")), Decimal(0))
    opening += sum(each.value for each in moved(house) if each.at < since)
    assert money(answer.data["saldo_inicial"]) == opening
    come = whole["entradas_realizadas"] + whole["entradas_em_aberto"]
    go = whole["saidas_realizadas"] + whole["saidas_em_aberto"]
    assert money(answer.data["total"]["saldo_projetado"]) == opening + come - go
    assert answer.data["dados_completos"] is True


STORIES = (
    Story(
        "gerar_relatorio_fluxo_caixa",
        good=Case(lambda house: ten_weeks(house, com_saldos=True), then=every_week_is_the_book_s),
        empty=Case(
            {"de": "01/01/2001", "ate": "31/01/2001", "agrupar": "mes"},
            then=lambda _, answer: _is_all_zero(answer),
        ),
        wrong=Case({"de": "01/01/2026", "ate": "31/12/2026", "agrupar": "dia"}, says="agrupar: seriam 365 linhas"),
        failing=Case({}),
    ),
)


def _is_all_zero(answer: Told) -> None:
    [line] = answer.data["linhas"]
    assert {value for name, value in line.items() if name not in ("de", "ate")} == {0.0}


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_one_account_counts_its_transfers(house: House) -> None:
    arguments = await ten_weeks(house, agrupar="mes")
    account = list(house.table("contas_correntes"))[1].id
    answer = await house.call("gerar_relatorio_fluxo_caixa", **arguments, codigo_conta_corrente=account)
    since, until = a_span()
    mine = [each.value for each in moved(house) if each.account == account and since <= each.at <= until]
    assert money(answer.data["total"]["saldo_realizado"]) == sum(mine)
    assert any(each.origin == "TRAR" and each.account == account for each in moved(house))
    due = [each for each in held(house) if each.account == account and since <= each.due <= until]
    expected = sum(each.value if each.side == "receber" else -each.value for each in due if not each.is_cancelled)
    assert money(answer.data["total"]["saldo_previsto"]) == expected


@pytest.mark.parametrize("one_account", [True, False])
async def test_a_balance_that_omie_leaves_out_is_not_taken_for_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, one_account: bool
) -> None:
    async def read(*asked: Any, **more: Any) -> Extrato:
        found = await read_statement(*asked, **more)
        return replace(found, saldos={name: value for name, value in found.saldos.items() if name != "anterior"})

    monkeypatch.setattr(fluxo_caixa, "read_statement", read)
    which = {"codigo_conta_corrente": house.first("contas_correntes").id} if one_account else {"com_saldos": True}
    answer = await house.call("gerar_relatorio_fluxo_caixa", agrupar="mes", **which)
    assert "o Omie não informou o saldo anterior" in answer.text
    assert "saldo_inicial" not in answer.data
    assert "saldo_projetado" not in answer.data["total"]


def test_a_year_is_twelve_months_and_a_week_begins_on_monday() -> None:
    months = lines_of(date(2026, 1, 15), date(2026, 12, 31), "mes")
    assert [(line.since, line.until) for line in months[:2]] == [
        (date(2026, 1, 15), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 2, 28)),
    ]
    assert len(months) == 12
    weeks = lines_of(date(2026, 11, 25), date(2026, 12, 3), "semana")
    assert [line.since for line in weeks] == [date(2026, 11, 25), date(2026, 11, 30)]
    assert month_end(date(2028, 2, 3)) == date(2028, 2, 29)


async def test_a_flow_over_a_part_of_the_data_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(financas_lidas, "PAGES_MAX", 1)
    since = today() - timedelta(days=100)
    answer = await house.call(
        "gerar_relatorio_fluxo_caixa",
        de=since.isoformat(),
        ate=(since + timedelta(days=200)).isoformat(),
        agrupar="mes",
    )
    assert len(held(house)) > 100, "more titles than one page holds"
    assert answer.data["dados_completos"] is False
    assert "**Atenção: dados incompletos.** Foram lidos 100 de " in answer.text
    assert (
        money(answer.data["total"]["entradas_previstas"])
        < summed(house, since, since + timedelta(days=200))["entradas_previstas"]
    )
