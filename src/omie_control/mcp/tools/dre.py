"""The income statement, by the lines that the company's categories belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.financas_lidas import (
    BASIS,
    LANCAMENTOS,
    TITULOS,
    based_on,
    entries,
    shares,
    signed,
    titles_issued,
    warned,
)
from omie_control.mcp.tools.omie import Listing, Omie, Scan
from omie_control.mcp.tools.periodo import Ate, De, period_of
from omie_control.mcp.tools.shapes import Row, Shape, flag, result_schema, text
from omie_control.mcp.tools.values import shown_day, shown_money
from omie_control.mcp.tools.words import table

PLANO = Listing(
    "geral/categorias/",
    "ListarCategorias",
    "categorias",
    key="categorias",
    shape=Shape(
        codigo=text("codigo"),
        descricao=text("descricao"),
        receita=flag("conta_receita"),
        despesa=flag("conta_despesa"),
        transferencia=flag("transferencia"),
        codigo_dre=text("codigo_dre"),
        linha=text("dadosDRE.descricaoDRE"),
    ),
)
_NO_LINE = "Sem linha na DRE"
_NO_CATEGORY = "Sem categoria"

family = Family(Category.RELATORIOS)
register = family.register

DRE_SCHEMA: dict[str, Any] = {
    "regime": {"type": "string"},
    "de": {"type": "string"},
    "ate": {"type": "string"},
    "linhas": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "codigo_dre": {"type": "string"},
                "descricao": {"type": "string"},
                "valor": {"type": "number"},
                "categorias": {"type": "array", "items": {"type": "object"}},
            },
        },
    },
    **{name: {"type": "number"} for name in ("receitas", "despesas", "resultado")},
}


@family.asks(
    "Relatório DRE",
    Complexity.AVANCADA,
    result_schema({**DRE_SCHEMA, **BASIS}, "linhas", "resultado", "dados_completos"),
    "DRE do período por linha e categoria, conforme o cadastro de categorias. regime=caixa: o que passou pelas contas; "
    "competencia: títulos pela data de emissão mais lançamentos avulsos. Transferências e cancelados ficam fora; "
    "rateios são respeitados; despesas vêm negativas. Categorias sem linha aparecem à parte: acerte-as no Omie. Não "
    "inclui custo de estoque nem o que não virou título ou lançamento.",
    PLANO,
    LANCAMENTOS,
    TITULOS,
)
async def relatorio_dre(
    omie: Omie,
    *,
    de: De = None,
    ate: Ate = None,
    regime: Annotated[Literal["caixa", "competencia"], Field(description="Como reconhecer os valores.")] = "caixa",
) -> ToolResult:
    since, until = period_of(omie.today, de, ate)
    chart = await omie.every_page(PLANO, {})
    moved = await entries(omie, since, until)
    issued = await titles_issued(omie, since, until) if regime == "competencia" else None
    facts = statement_of(recognised(moved.rows, issued.rows if issued else None), chart.rows)
    scans: list[Scan] = [chart, moved, *([issued] if issued else [])]
    head = f"**DRE, regime de {_REGIMES[regime]}**, {shown_day(since)} a {shown_day(until)} ({omie.company.slug})."
    period = _period(since, until)
    return omie.answer({"regime": regime, **period, **facts, **based_on(scans)}, warned(scans), head, dre_table(facts))


_REGIMES = {"caixa": "caixa", "competencia": "competência"}


def recognised(moved: Iterable[Row], issued: Iterable[Row] | None) -> list[tuple[str, Decimal]]:
    """Return category and signed amount of all that counts; with `issued`, settlements stand back for their titles."""
    found: list[tuple[str, Decimal]] = []
    for row in moved:
        if issued is None or not row.get("origem", "").startswith("BAX"):
            found += shares(row, signed(row))
    for row in issued or ():
        value = row.get("valor", Decimal(0))
        found += shares(row, value if row.get("lado") == "receber" else -value)
    return found


def statement_of(amounts: Iterable[tuple[str, Decimal]], chart: Iterable[Row]) -> dict[str, Any]:
    """Sum amounts by the statement's lines and their categories, revenue above, expense below zero."""
    known = {row["codigo"]: row for row in chart if "codigo" in row}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for category, value in amounts:
        if not known.get(category, {}).get("transferencia"):
            sums[category] += value
    lines: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    revenue = expense = Decimal(0)
    for category, value in sorted(sums.items()):
        row = known.get(category, {})
        line = (row.get("codigo_dre", ""), row.get("linha") or _NO_LINE)
        name = row.get("descricao") or (_NO_CATEGORY if not category else "")
        lines[line].append({"codigo": category, "descricao": name, "valor": value})
        if _is_revenue(row, value):
            revenue += value
        else:
            expense += value
    ordered = sorted(lines.items(), key=lambda pair: _place(pair[0][0]))
    return {
        "linhas": [
            {
                "codigo_dre": code,
                "descricao": name,
                "valor": sum((each["valor"] for each in categories), Decimal(0)),
                "categorias": categories,
            }
            for (code, name), categories in ordered
        ],
        "receitas": revenue,
        "despesas": expense,
        "resultado": revenue + expense,
    }


def dre_table(facts: Mapping[str, Any]) -> str:
    """Write a statement for reading."""
    rows = [{"linha": f"{line['codigo_dre']} {line['descricao']}".strip(), **line} for line in facts["linhas"]]
    rows.append({"linha": "resultado", "valor": facts["resultado"]})
    shown = [{"linha": row["linha"], "valor": shown_money(row["valor"])} for row in rows]
    return table({"linha": "linha", "valor": "valor"}, shown)


def _is_revenue(row: Row, value: Decimal) -> bool:
    if row.get("receita") != row.get("despesa"):
        return bool(row.get("receita"))
    return value > 0


def _place(code: str) -> tuple[bool, list[int]]:
    """Order lines as the chart does: 2 before 10, those without a code last."""
    return not code, [int(part) if part.isdecimal() else 0 for part in code.split(".")]


def _period(since: date, until: date) -> dict[str, date]:
    return {"de": since, "ate": until}
