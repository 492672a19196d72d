"""Cash flow: what was to come and to go by due date, what came and went, what is still open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.contas_correntes import CONTAS
from omie_control.mcp.tools.extrato_lido import EXTRATO, read_statement
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.financas_lidas import (
    BASIS,
    LANCAMENTOS,
    TITULOS,
    based_on,
    entries,
    signed,
    titles_due,
    warned,
)
from omie_control.mcp.tools.omie import Omie, Scan
from omie_control.mcp.tools.parameters import Codigo, SimNao
from omie_control.mcp.tools.periodo import Ate, De, month_end, period_of
from omie_control.mcp.tools.shapes import Row, result_schema
from omie_control.mcp.tools.values import shown_day, shown_money
from omie_control.mcp.tools.words import table

Agrupar = Literal["dia", "semana", "mes"]
LINES_MAX = 100
ACCOUNTS_MAX = 20
_UNKNOWN_BALANCE = "**Atenção:** o Omie não informou o saldo anterior; sem ele não há saldo inicial nem projetado."
_FIGURES = (
    "entradas_previstas",
    "saidas_previstas",
    "entradas_realizadas",
    "saidas_realizadas",
    "entradas_em_aberto",
    "saidas_em_aberto",
)
_BALANCES = ("saldo_previsto", "saldo_realizado", "saldo_projetado")

family = Family(Category.RELATORIOS)
register = family.register


@dataclass
class Linha:
    """One day, week or month. Expected by due date, moved by the day of the movement; all without a sign."""

    since: date
    until: date
    figures: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(_FIGURES, Decimal(0)))
    projected: Decimal | None = None

    def facts(self) -> dict[str, Any]:
        """Return the line as it is answered."""
        figures = self.figures
        return {
            "de": self.since,
            "ate": self.until,
            **figures,
            "saldo_previsto": figures["entradas_previstas"] - figures["saidas_previstas"],
            "saldo_realizado": figures["entradas_realizadas"] - figures["saidas_realizadas"],
            **({} if self.projected is None else {"saldo_projetado": self.projected}),
        }


_LINE = {
    "type": "object",
    "properties": {
        "de": {"type": "string"},
        "ate": {"type": "string"},
        **{name: {"type": "number"} for name in (*_FIGURES, *_BALANCES)},
    },
}
FLOW_SCHEMA: dict[str, Any] = {
    "de": {"type": "string"},
    "ate": {"type": "string"},
    "agrupado_por": {"type": "string"},
    "saldo_inicial": {"type": "number"},
    "linhas": {"type": "array", "items": _LINE},
    "total": _LINE,
}


@family.asks(
    "Relatório de fluxo de caixa",
    Complexity.AVANCADA,
    result_schema({**FLOW_SCHEMA, **BASIS}, "linhas", "total", "dados_completos"),
    "Fluxo de caixa por dia, semana ou mês: previsto (títulos pelo vencimento, pagos ou não), realizado (o que passou "
    "pelas contas, sem transferências entre elas) e o que segue em aberto. Com com_saldos=true, ou com uma conta, traz "
    "o saldo inicial e o saldo projetado. Não inclui pedidos por faturar nem atrasos de antes do período: veja "
    "titulos_vencidos.",
    TITULOS,
    LANCAMENTOS,
    CONTAS,
    EXTRATO,
)
async def gerar_relatorio_fluxo_caixa(
    omie: Omie,
    *,
    de: De = None,
    ate: Ate = None,
    agrupar: Annotated[Agrupar, Field(description="Uma linha por dia, semana (segunda a domingo) ou mês.")] = "semana",
    codigo_conta_corrente: Annotated[Codigo | None, Field(description="Só esta conta; transferências contam.")] = None,
    com_saldos: Annotated[SimNao, Field(description="true: lê o saldo de cada conta, uma consulta por conta.")] = False,
) -> ToolResult:
    since, until = period_of(omie.today, de, ate)
    lines = lines_of(since, until, agrupar)
    expected = await titles_due(omie, "ambos", since, until, {"nCodCC": codigo_conta_corrente})
    moved = await entries(omie, since, until, codigo_conta_corrente)
    opening, is_wanted = None, com_saldos or codigo_conta_corrente is not None
    if codigo_conta_corrente is not None:
        opening = await _opening(omie, codigo_conta_corrente, since, until)
    elif com_saldos:
        opening = await _opening_of_all(omie, since, until)
    unknown = _UNKNOWN_BALANCE if is_wanted and opening is None else None
    fill(lines, expected.rows, moved.rows, opening)
    facts = flow_facts(lines, agrupar, opening)
    scans = [expected, moved]
    head = f"**Fluxo de caixa**, {shown_day(since)} a {shown_day(until)} (empresa {omie.company.slug})."
    return omie.answer(facts | based_on(scans), warned(scans), unknown, head, flow_table(facts))


def lines_of(since: date, until: date, kind: Agrupar) -> list[Linha]:
    """Cut a period into days, weeks or months. Raises InvalidInput when there would be too many."""
    lines = [Linha(first, last) for first, last in _cut(since, until, kind)]
    if len(lines) > LINES_MAX:
        raise InvalidInput(
            f"agrupar: seriam {len(lines)} linhas, mais que {LINES_MAX}. Exemplo: agrupar=semana.",
            hint="Agrupe por semana ou mês, ou reduza o período; nada foi enviado.",
        )
    return lines


def fill(lines: Sequence[Linha], titles: Sequence[Row], moved: Sequence[Row], opening: Decimal | None) -> None:
    """Put titles and entries into the lines; with an opening balance, also what the balance will come to."""
    for row in titles:
        line = _line_at(lines, row.get("vencimento"))
        if line is not None:
            side = "entradas" if row.get("lado") == "receber" else "saidas"
            line.figures[f"{side}_previstas"] += row.get("valor", Decimal(0))
            line.figures[f"{side}_em_aberto"] += row.get("valor_aberto", Decimal(0))
    for row in moved:
        line = _line_at(lines, row.get("data"))
        if line is not None:
            value = signed(row)
            line.figures["entradas_realizadas" if value > 0 else "saidas_realizadas"] += abs(value)
    if opening is None:
        return
    for line in lines:
        each = line.figures
        came, went = each["entradas_realizadas"], each["saidas_realizadas"]
        opening += came - went + each["entradas_em_aberto"] - each["saidas_em_aberto"]
        line.projected = opening


def flow_facts(lines: Sequence[Linha], kind: Agrupar, opening: Decimal | None) -> dict[str, Any]:
    """Return a cash flow's lines and their sum."""
    whole = Linha(lines[0].since, lines[-1].until)
    for line in lines:
        for name, value in line.figures.items():
            whole.figures[name] += value
    whole.projected = lines[-1].projected
    return {
        "de": whole.since,
        "ate": whole.until,
        "agrupado_por": kind,
        **({} if opening is None else {"saldo_inicial": opening}),
        "linhas": [line.facts() for line in lines],
        "total": whole.facts(),
    }


def flow_table(facts: dict[str, Any]) -> str:
    """Write a cash flow for reading."""
    columns = {"periodo": "período", "saldo_previsto": "previsto", "saldo_realizado": "realizado"}
    columns |= {"entradas_em_aberto": "a receber", "saidas_em_aberto": "a pagar"}
    if "saldo_inicial" in facts:
        columns["saldo_projetado"] = "saldo projetado"
    rows = [
        {"periodo": "total" if line is facts["total"] else _named(line)}
        | {name: shown_money(line[name]) for name in columns if name in line}
        for line in (*facts["linhas"], facts["total"])
    ]
    return table(columns, rows)


def _cut(since: date, until: date, kind: Agrupar) -> Iterator[tuple[date, date]]:
    first = since
    while first <= until:
        if kind == "dia":
            last = first
        elif kind == "semana":
            last = first + timedelta(days=6 - first.weekday())
        else:
            last = month_end(first)
        yield first, min(last, until)
        first = last + timedelta(days=1)


def _line_at(lines: Sequence[Linha], day: Any) -> Linha | None:
    return next((line for line in lines if isinstance(day, date) and line.since <= day <= line.until), None)


def _named(line: dict[str, Any]) -> str:
    first, last = shown_day(line["de"]), shown_day(line["ate"])
    return first if first == last else f"{first} a {last}"


async def _opening(omie: Omie, account: int, since: date, until: date) -> Decimal | None:
    """Return what an account held before the period; None when Omie does not say."""
    read = await read_statement(omie, account, since, until, only_balance=True)
    found: Decimal | None = read.saldos.get("anterior")
    return found


async def _opening_of_all(omie: Omie, since: date, until: date) -> Decimal | None:
    """Add up what all active accounts that count in the cash flow held before it; None when one is unknown."""
    scan: Scan = await omie.every_page(CONTAS, {"filtrar_apenas_ativo": True})
    accounts = [row["codigo_omie"] for row in scan.rows if not row.get("fora_do_fluxo_de_caixa")]
    if len(accounts) > ACCOUNTS_MAX:
        raise InvalidInput(
            f"com_saldos: a empresa tem {len(accounts)} contas ativas, mais que {ACCOUNTS_MAX}.",
            hint="Chame sem com_saldos, ou uma vez para cada conta com codigo_conta_corrente.",
        )
    held = [await _opening(omie, account, since, until) for account in accounts]
    return None if None in held else sum((each for each in held if each is not None), Decimal(0))
