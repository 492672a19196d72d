"""The company's finances at a glance, and the whole month's report for whoever closes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fastmcp.tools import ToolResult

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.dre import DRE_SCHEMA, PLANO, dre_table, recognised, statement_of
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.financas_lidas import (
    BASIS,
    LANCAMENTOS,
    TITULOS,
    based_on,
    days_late,
    entries,
    open_titles,
    signed,
    titles_due,
    total,
    warned,
)
from omie_control.mcp.tools.fluxo_caixa import FLOW_SCHEMA, fill, flow_facts, flow_table, lines_of
from omie_control.mcp.tools.omie import Asked, Omie
from omie_control.mcp.tools.periodo import Ate, De, period_of
from omie_control.mcp.tools.shapes import Row, at, result_schema
from omie_control.mcp.tools.titulos_abertos import aging_of
from omie_control.mcp.tools.values import exact, shown_day, shown_money
from omie_control.mcp.tools.words import bullets

RESUMO = Asked("financas/resumo/", "ObterResumoFinancas", "resumo financeiro")
# Without any parameter this method faults.
_ONLY_TOTALS = {"lApenasResumo": True}
_AHEAD = 7
_SIDES = ("receber", "pagar")
_CENT = Decimal("0.01")

family = Family(Category.RELATORIOS)
register = family.register

_NUMBER, _TEXT = {"type": "number"}, {"type": "string"}
_SIDE = {
    "type": "object",
    "properties": {
        **{name: {"type": "integer"} for name in ("titulos", "titulos_vencidos")},
        **dict.fromkeys(("em_aberto", "vencido", "vence_hoje", "proximos_7_dias"), _NUMBER),
    },
}
PANEL_SCHEMA: dict[str, Any] = {
    "hoje": _TEXT,
    "saldo_em_contas": {"type": ["number", "null"]},
    "a_receber": _SIDE,
    "a_pagar": _SIDE,
    "mes": {"type": "object", "properties": dict.fromkeys(("entradas", "saidas", "resultado"), _NUMBER)},
}


@family.asks(
    "Dashboard financeiro",
    Complexity.INTERMEDIARIA,
    result_schema({**PANEL_SCHEMA, **BASIS}, "saldo_em_contas", "a_receber", "a_pagar", "dados_completos"),
    "Resume as finanças de hoje: saldo em contas (segundo o Omie), a receber e a pagar em aberto, vencido, que vence "
    "hoje e nos próximos 7 dias, e o que entrou e saiu no mês. Comece por ela; depois chame relatorio_aging, "
    "gerar_relatorio_fluxo_caixa ou relatorio_dre.",
    RESUMO,
    TITULOS,
    LANCAMENTOS,
)
async def dashboard_financeiro(omie: Omie) -> ToolResult:
    balance = await _balance(omie)
    still = await open_titles(omie, "ambos")
    moved = await entries(omie, omie.today.replace(day=1), omie.today)
    facts = panel_of(omie.today, balance, still.rows, moved.rows)
    scans = [still, moved]
    head = f"**Finanças de hoje**, {shown_day(omie.today)} (empresa {omie.company.slug})."
    return omie.answer(facts | based_on(scans), warned(scans), head, panel_text(facts))


@family.asks(
    "Relatório financeiro completo",
    Complexity.ESPECIALIZADA,
    result_schema(
        {
            **PANEL_SCHEMA,
            "aging_a_receber": {"type": "object"},
            "aging_a_pagar": {"type": "object"},
            "fluxo_de_caixa": {"type": "object", "properties": FLOW_SCHEMA},
            "dre": {"type": "object", "properties": DRE_SCHEMA},
            **BASIS,
        },
        "a_receber",
        "a_pagar",
        "fluxo_de_caixa",
        "dre",
        "dados_completos",
    ),
    "Junta num relatório só, lendo tudo de uma vez: painel de hoje, aging a receber e a pagar, fluxo de caixa por "
    "semana e DRE de caixa do período (sem datas, o mês). É longo e consulta muito: para uma só dessas partes, chame a "
    "ferramenta própria.",
    RESUMO,
    TITULOS,
    LANCAMENTOS,
    PLANO,
)
async def relatorio_financeiro_completo(
    omie: Omie,
    *,
    de: De = None,
    ate: Ate = None,
) -> ToolResult:
    today = omie.today
    since, until = period_of(today, de, ate)
    lines = lines_of(since, until, "semana")
    balance = await _balance(omie)
    still = await open_titles(omie, "ambos")
    due = await titles_due(omie, "ambos", since, until)
    moved = await entries(omie, since, until)
    this_month = await entries(omie, today.replace(day=1), today)
    chart = await omie.every_page(PLANO, {})
    panel = panel_of(today, balance, still.rows, this_month.rows)
    ages = {side: aging_of([row for row in still.rows if row.get("lado") == side], today) for side in _SIDES}
    fill(lines, due.rows, moved.rows, None)
    flow = flow_facts(lines, "semana", None)
    statement = statement_of(recognised(moved.rows, None), chart.rows)
    scans = [still, due, moved, this_month, chart]
    facts = {
        **panel,
        **{f"aging_a_{side}": aged.facts({}) for side, aged in ages.items()},
        "fluxo_de_caixa": flow,
        "dre": {"regime": "caixa", "de": since, "ate": until, **statement},
        **based_on(scans),
    }
    return omie.answer(
        facts,
        warned(scans),
        f"**Relatório financeiro**, {shown_day(since)} a {shown_day(until)} (empresa {omie.company.slug}).",
        panel_text(panel),
        *(f"### A {side} por idade\n\n{aged.text()}" for side, aged in ages.items()),
        f"### Fluxo de caixa\n\n{flow_table(flow)}",
        f"### DRE (caixa)\n\n{dre_table(statement)}",
    )


def panel_of(today: date, balance: Decimal | None, still: Sequence[Row], moved: Sequence[Row]) -> dict[str, Any]:
    """Return the figures of a day: `still` are open titles of both sides, `moved` the month's entries."""
    came = sum((value for row in moved if (value := signed(row)) > 0), Decimal(0))
    went = -sum((value for row in moved if (value := signed(row)) < 0), Decimal(0))
    return {
        "hoje": today,
        "saldo_em_contas": balance,
        **{f"a_{side}": _side([row for row in still if row.get("lado") == side], today) for side in _SIDES},
        "mes": {"entradas": came, "saidas": went, "resultado": came - went},
    }


def panel_text(facts: dict[str, Any]) -> str:
    """Write a panel for reading."""
    balance = facts["saldo_em_contas"]
    told = [("saldo em contas", "o Omie não informou" if balance is None else shown_money(balance))]
    for side in _SIDES:
        figures = facts[f"a_{side}"]
        told += [
            (f"a {side} em aberto", f"{shown_money(figures['em_aberto'])} ({figures['titulos']} títulos)"),
            (f"a {side} vencido", f"{shown_money(figures['vencido'])} ({figures['titulos_vencidos']} títulos)"),
            (f"a {side} hoje", shown_money(figures["vence_hoje"])),
            (f"a {side} nos próximos {_AHEAD} dias", shown_money(figures["proximos_7_dias"])),
        ]
    month = {"entradas": "entradas do mês", "saidas": "saídas do mês", "resultado": "resultado do mês"}
    told += [(name, shown_money(facts["mes"][key])) for key, name in month.items()]
    return bullets(told)


def _side(rows: Sequence[Row], today: date) -> dict[str, Any]:
    late = [row for row in rows if days_late(row, today) > 0]
    soon = today + timedelta(days=_AHEAD)
    return {
        "titulos": len(rows),
        "em_aberto": total(rows),
        "titulos_vencidos": len(late),
        "vencido": total(late),
        "vence_hoje": total(row for row in rows if row.get("vencimento") == today),
        "proximos_7_dias": total(row for row in rows if today < row.get("vencimento", today) <= soon),
    }


async def _balance(omie: Omie) -> Decimal | None:
    """Return what all accounts hold, as Omie reckons it; None when it does not say.

    Its own figures for overdue titles leave some out.
    """
    got = await omie.read(RESUMO, _ONLY_TOTALS)
    found = exact(at(got.payload.data, "contaCorrente.vTotal"))
    return None if found is None else found.quantize(_CENT)
