"""What reports make of rows as Omie really sends them: halves, gaps, several readings of one list."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from omie_control.errors import InvalidInput
from omie_control.mcp.tools.extrato_lido import EXTRATO, Extrato, is_reconciled, is_settled
from omie_control.mcp.tools.financas_lidas import TITULO, days_late, shares, signed, together
from omie_control.mcp.tools.fluxo_caixa import fill, flow_facts, lines_of
from omie_control.mcp.tools.omie import Scan
from omie_control.mcp.tools.painel_financeiro import panel_of, panel_text
from omie_control.mcp.tools.periodo import require_period
from omie_control.mcp.tools.titulos_abertos import aging_of
from omie_control.omie.protocol import Payload
from omie_control.services.answers import Answer

TODAY = date(2026, 11, 23)
# As Omie answered it, with other numbers: the balance, what was expected before it, no padding.
OVERDUE: dict[str, Any] = {
    "detalhes": {
        "cCodCateg": "1.01.02",
        "cGrupo": "CONTA_A_RECEBER",
        "cNatureza": "R",
        "cNumBoleto": "600000003",
        "cNumTitulo": "RPS 3",
        "cStatus": "ATRASADO",
        "dDtVenc": "20/11/2026",
        "nCodCliente": 7,
        "nCodTitulo": 11,
        "nValorTitulo": 652,
    },
    "resumo": {"cLiquidado": "N", "nValAberto": 0.1, "nValPago": 651.9},
}


def test_a_title_is_read_as_it_comes() -> None:
    row = TITULO.read(OVERDUE)
    assert (row["valor"], row["valor_aberto"], row["valor_pago"]) == (
        Decimal("652.00"),
        Decimal("0.10"),
        Decimal("651.90"),
    )
    assert (row["lado"], row["vencimento"], row["numero_boleto"]) == ("receber", date(2026, 11, 20), "600000003")
    assert days_late(row, TODAY) == 3
    assert "rateio" not in row


@pytest.mark.parametrize("row", [{}, {"vencimento": None}, {"codigo_omie": 1}])
def test_a_row_with_gaps_breaks_no_report(row: dict[str, Any]) -> None:
    assert days_late(row, TODAY) == 0
    assert aging_of([row], TODAY).count == 1
    assert panel_of(TODAY, Decimal(0), [row], [row])["mes"]["entradas"] == 0
    lines = lines_of(TODAY, TODAY, "dia")
    fill(lines, [row], [row], Decimal("1.10"))
    assert flow_facts(lines, "dia", Decimal("1.10"))["total"]["saldo_projetado"] == Decimal("1.10")


def test_each_title_counts_once_however_often_it_was_read() -> None:
    late = Scan(rows=[{"codigo_omie": 1}, {"codigo_omie": 2}], pages_read=1, total=2)
    partial = Scan(rows=[{"codigo_omie": 2}, {"codigo_omie": 3}], pages_read=20, total=50, is_complete=False)
    both = together([late, partial])
    assert [row["codigo_omie"] for row in both.rows] == [1, 2, 3]
    assert (both.pages_read, both.is_complete, both.total) == (21, False, 51)
    assert "**Atenção: dados incompletos.** Foram lidos 3 de 51 registros" in str(both.warning())


def test_what_goes_out_lessens_whatever_sign_it_has() -> None:
    assert signed({"valor": Decimal(5), "natureza": "P"}) == signed({"valor": Decimal(-5), "natureza": "P"}) == -5
    assert signed({"valor": Decimal(5), "natureza": "R"}) == 5
    assert shares({"categoria": "1.01"}, Decimal(5)) == [("1.01", Decimal(5))]
    assert shares({"rateio": [("1.02", Decimal(5), Decimal(0))]}, Decimal(5)) == [("1.02", Decimal(5))]


@pytest.mark.parametrize(
    ("label", "settled", "reconciled"),
    [
        ("Não conciliado", True, False),
        ("Conciliado", True, True),
        ("NAO CONCILIADO", True, False),
        ("Previsto", False, False),
    ],
)
def test_labels_of_the_statement_are_read_with_and_without_accents(label: str, settled: bool, reconciled: bool) -> None:
    assert (is_settled(label), is_reconciled(label)) == (settled, reconciled)


def test_a_statement_that_does_not_explain_its_balance_says_so() -> None:
    got = Answer(Payload({}, 200), 0.0, "omie", datetime(2026, 11, 23, tzinfo=UTC))
    saldos = {"anterior": Decimal("10.00"), "atual": Decimal("15.00")}
    assert Extrato({}, saldos, [{"valor": Decimal("5.00")}], [], got).adds_up
    assert not Extrato({}, saldos, [{"valor": Decimal("4.99")}], [], got).adds_up
    assert EXTRATO.method.endpoint == "financas/extrato/ListarExtrato"


def test_a_period_has_an_end_after_its_beginning_and_at_most_a_year() -> None:
    require_period(date(2026, 1, 1), date(2026, 12, 31))
    with pytest.raises(InvalidInput, match="esperada uma data até"):
        require_period(date(2026, 1, 2), date(2026, 1, 1))
    with pytest.raises(InvalidInput, match="no máximo 366 dias"):
        require_period(date(2024, 1, 1), date(2025, 12, 31))
    require_period(date(2024, 1, 1), date(2025, 12, 31), days_max=None)
    with pytest.raises(InvalidInput, match="vencimento_ate: esperado"):
        require_period(date(2024, 1, 1), date(2025, 12, 31), names=("vencimento_de", "vencimento_ate"))


def test_a_balance_that_omie_left_out_is_told_as_unknown_and_never_as_nothing() -> None:
    panel = panel_of(TODAY, None, [], [])
    assert panel["saldo_em_contas"] is None
    assert "o Omie não informou" in panel_text(panel)
