"""What is owed and by whom: overdue titles, ages of what is open, receivables by status."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.financas_lidas import (
    BASIS,
    CLIENTES,
    TITULO,
    TITULOS,
    based_on,
    days_late,
    names_of,
    open_titles,
    titles_due,
    total,
    warned,
)
from omie_control.mcp.tools.omie import Omie
from omie_control.mcp.tools.parameters import Codigo
from omie_control.mcp.tools.periodo import require_period
from omie_control.mcp.tools.shapes import Row, result_schema
from omie_control.mcp.tools.titulo_record import VencimentoAte, VencimentoDe
from omie_control.mcp.tools.values import shown_day, shown_money
from omie_control.mcp.tools.words import table

TOP = 10
SHOWN_MAX = 100
# From how many days of delay to how many; below zero a title is not due yet.
BANDS: Sequence[tuple[str, int | None, int | None]] = (
    ("a vencer em mais de 60 dias", None, -61),
    ("a vencer de 31 a 60 dias", -60, -31),
    ("a vencer em até 30 dias", -30, -1),
    ("vence hoje", 0, 0),
    ("vencido de 1 a 30 dias", 1, 30),
    ("vencido de 31 a 60 dias", 31, 60),
    ("vencido de 61 a 90 dias", 61, 90),
    ("vencido de 91 a 180 dias", 91, 180),
    ("vencido há mais de 180 dias", 181, None),
)
_PERIOD = timedelta(days=90)

Lado = Annotated[Literal["receber", "pagar"], Field(description="receber: dos clientes; pagar: aos fornecedores.")]
DosDoisLados = Annotated[
    Literal["receber", "pagar", "ambos"], Field(description="receber: dos clientes; pagar: aos fornecedores.")
]
Cliente = Annotated[Codigo | None, Field(description="Só este cliente ou fornecedor, código no Omie.")]

family = Family(Category.RELATORIOS)
register = family.register

_NUMBER, _INTEGER, _TEXT = {"type": "number"}, {"type": "integer"}, {"type": "string"}
_ROWS = {"type": "array", "items": {"type": "object"}}


@family.asks(
    "Títulos vencidos",
    Complexity.INTERMEDIARIA,
    result_schema(
        {
            "hoje": _TEXT,
            "total_de_titulos": _INTEGER,
            **dict.fromkeys(("a_receber_vencido", "a_pagar_vencido"), _NUMBER),
            "titulos": {"type": "array", "items": TITULO.schema()},
            **BASIS,
        },
        "titulos",
        "dados_completos",
    ),
    "Lista os títulos em atraso, dos mais antigos aos mais novos, com nome, dias de atraso e o valor ainda em aberto "
    "(pagos em parte contam só o resto). Dias corridos: um vencimento no fim de semana já conta. Para cobrar clientes, "
    "chame processar_cobranca_automatica; para faixas de idade, relatorio_aging.",
    TITULOS,
    CLIENTES,
)
async def titulos_vencidos(
    omie: Omie,
    *,
    lado: DosDoisLados = "receber",
    dias_minimos: Annotated[int, Field(description="Atraso mínimo em dias.", ge=1, le=3650, examples=[30])] = 1,
    codigo_cliente: Cliente = None,
    limite: Annotated[int, Field(description="Títulos na resposta.", ge=1, le=SHOWN_MAX, examples=[50])] = 50,
) -> ToolResult:
    scan = await open_titles(omie, lado, {"nCodCliente": codigo_cliente}, late_only=True)
    today = omie.today
    late = sorted(
        (row for row in scan.rows if days_late(row, today) >= dias_minimos), key=lambda row: row["vencimento"]
    )
    names = await names_of(omie, (row["codigo_cliente"] for row in late[:limite] if "codigo_cliente" in row))
    shown = [_named(row, names) | {"dias_de_atraso": days_late(row, today)} for row in late[:limite]]
    facts = {
        "hoje": today,
        "total_de_titulos": len(late),
        "a_receber_vencido": total(row for row in late if row.get("lado") == "receber"),
        "a_pagar_vencido": total(row for row in late if row.get("lado") == "pagar"),
        "titulos": shown,
        **based_on([scan]),
    }
    if not late:
        return omie.answer(facts, f"Nenhum título vencido (empresa {omie.company.slug}).", warned([scan]))
    # What is owed to the company and what it owes are never added up.
    owed = {"receber": facts["a_receber_vencido"], "pagar": facts["a_pagar_vencido"]}
    sums = " e ".join(f"{shown_money(value)} a {side}" for side, value in owed.items() if lado in (side, "ambos"))
    head = f"{len(late)} títulos vencidos, {sums} em aberto (empresa {omie.company.slug})."
    more = f"Mostrados os {len(shown)} mais antigos." if len(shown) < len(late) else None
    return omie.answer(facts, warned([scan]), head, _late_table(shown), more)


@family.asks(
    "Relatório de aging",
    Complexity.AVANCADA,
    result_schema(
        {
            "lado": _TEXT,
            "hoje": _TEXT,
            "faixas": _ROWS,
            **dict.fromkeys(("total_vencido", "total_a_vencer", "total_em_aberto"), _NUMBER),
            "total_de_titulos": _INTEGER,
            "maiores": _ROWS,
            **BASIS,
        },
        "faixas",
        "total_em_aberto",
        "dados_completos",
    ),
    "Mostra tudo o que está em aberto hoje por faixa de idade (a vencer e vencido, em dias corridos do vencimento) e "
    "quem mais deve, ou a quem mais se deve. Vale o que falta de cada título. Depois chame titulos_vencidos para ver "
    "os títulos, ou processar_cobranca_automatica.",
    TITULOS,
    CLIENTES,
)
async def relatorio_aging(omie: Omie, *, lado: Lado = "receber", codigo_cliente: Cliente = None) -> ToolResult:
    scan = await open_titles(omie, lado, {"nCodCliente": codigo_cliente})
    aged = aging_of(scan.rows, omie.today)
    names = await names_of(omie, (code for code, *_ in aged.biggest))
    facts = {"lado": lado, "hoje": omie.today, **aged.facts(names), **based_on([scan])}
    head = f"**Aging a {lado}**, {shown_day(omie.today)} (empresa {omie.company.slug})."
    return omie.answer(facts, warned([scan]), head, aged.text(), aged.biggest_text(names))


@family.asks(
    "Status das contas a receber",
    Complexity.INTERMEDIARIA,
    result_schema(
        {
            "vencimento_de": _TEXT,
            "vencimento_ate": _TEXT,
            "por_status": _ROWS,
            "total_de_titulos": _INTEGER,
            **dict.fromkeys(("valor", "recebido", "em_aberto"), _NUMBER),
            **BASIS,
        },
        "por_status",
        "dados_completos",
    ),
    "Resume os títulos a receber por situação (atrasado, a vencer, recebido, pago em parte…): quantos, valor, já "
    "recebido e em aberto. Olha os que vencem no período; sem datas, de 90 dias antes a 90 dias depois de hoje. "
    "Cancelados ficam fora. Para a lista, chame consultar_contas_receber ou pesquisar_titulos.",
    TITULOS,
    category=Category.FINANCEIRO,
)
async def status_contas_receber(
    omie: Omie,
    *,
    vencimento_de: VencimentoDe = None,
    vencimento_ate: VencimentoAte = None,
    codigo_cliente: Cliente = None,
) -> ToolResult:
    since, until = _period(omie.today, vencimento_de, vencimento_ate)
    require_period(since, until, names=("vencimento_de", "vencimento_ate"))
    scan = await titles_due(omie, "receber", since, until, {"nCodCliente": codigo_cliente})
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in scan.rows:
        groups[row.get("status", "SEM STATUS").replace(" ", "")].append(row)
    lines = [{"status": status, **_sums(groups[status])} for status in sorted(groups)]
    facts = {"vencimento_de": since, "vencimento_ate": until, "por_status": lines}
    totals = {"total_de_titulos": len(scan.rows), **{k: v for k, v in _sums(scan.rows).items() if k != "titulos"}}
    head = f"Contas a receber que vencem de {shown_day(since)} a {shown_day(until)} (empresa {omie.company.slug})."
    return omie.answer(
        facts | totals | based_on([scan]), warned([scan]), head, _sums_table(lines) if lines else "Nada."
    )


@dataclass(frozen=True)
class Aging:
    """Open amounts by age. `bands`: name, titles, amount; `biggest`: code, titles, open, overdue, most days late."""

    bands: list[tuple[str, int, Decimal]]
    late: Decimal
    due: Decimal
    count: int
    biggest: list[tuple[int, int, Decimal, Decimal, int]]

    def facts(self, names: dict[int, str]) -> dict[str, Any]:
        """Return the report's figures."""
        return {
            "faixas": [{"faixa": name, "titulos": count, "valor": value} for name, count, value in self.bands],
            "total_vencido": self.late,
            "total_a_vencer": self.due,
            "total_em_aberto": self.late + self.due,
            "total_de_titulos": self.count,
            "maiores": [
                {
                    "codigo_cliente": code,
                    **({"nome": names[code]} if names.get(code) else {}),
                    "titulos": count,
                    "em_aberto": value,
                    "vencido": late,
                    "maior_atraso_dias": days,
                }
                for code, count, value, late, days in self.biggest
            ],
        }

    def text(self) -> str:
        """Write the bands for reading."""
        rows = [
            {"faixa": name, "titulos": str(count), "valor": shown_money(value)} for name, count, value in self.bands
        ]
        rows.append({"faixa": "total", "titulos": str(self.count), "valor": shown_money(self.late + self.due)})
        return table({"faixa": "faixa", "titulos": "títulos", "valor": "em aberto"}, rows)

    def biggest_text(self, names: dict[int, str]) -> str | None:
        """Write for reading who has most open; None when nobody has."""
        columns = {"cliente": "cliente", "nome": "nome", "em_aberto": "em aberto", "vencido": "vencido", "dias": "dias"}
        rows = [
            {
                "cliente": code,
                "nome": names.get(code),
                "em_aberto": shown_money(value),
                "vencido": shown_money(late),
                "dias": days,
            }
            for code, _, value, late, days in self.biggest
        ]
        return table(columns, rows) if rows else None


def aging_of(rows: Sequence[Row], today: date) -> Aging:
    """Sort open titles by how late they are; one without a due date counts as due today."""
    bands = []
    for name, low, high in BANDS:
        inside = [row for row in rows if _is_between(days_late(row, today), low, high)]
        bands.append((name, len(inside), total(inside)))
    by_client: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_client[row.get("codigo_cliente", 0)].append(row)
    ranked = sorted(by_client.items(), key=lambda pair: -total(pair[1]))
    biggest = [
        (
            client,
            len(theirs),
            total(theirs),
            total(row for row in theirs if days_late(row, today) > 0),
            max(0, *(days_late(row, today) for row in theirs)),
        )
        for client, theirs in ranked[:TOP]
        if client
    ]
    late = total(row for row in rows if days_late(row, today) > 0)
    return Aging(bands, late, total(rows) - late, len(rows), biggest)


def _period(today: date, since: date | None, until: date | None) -> tuple[date, date]:
    """Complete a period by 90 days: around today, or on the open side of the day that is given."""
    first = since or min(today, until or today) - _PERIOD
    return first, until or max(today, first) + _PERIOD


def _is_between(days: int, low: int | None, high: int | None) -> bool:
    return (low is None or days >= low) and (high is None or days <= high)


def _sums(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "titulos": len(rows),
        "valor": total(rows, "valor"),
        "recebido": total(rows, "valor_pago"),
        "em_aberto": total(rows),
    }


def _sums_table(lines: Iterable[dict[str, Any]]) -> str:
    names = {
        "status": "status",
        "titulos": "títulos",
        "valor": "valor",
        "recebido": "recebido",
        "em_aberto": "em aberto",
    }
    money = ("valor", "recebido", "em_aberto")
    return table(names, [line | {name: shown_money(line[name]) for name in money} for line in lines])


def _named(row: Row, names: dict[int, str]) -> dict[str, Any]:
    name = names.get(row.get("codigo_cliente", 0))
    return {**row, **({"nome": name} if name else {})}


def _late_table(rows: Iterable[dict[str, Any]]) -> str:
    columns = {
        "codigo_omie": "código",
        "lado": "lado",
        "nome": "nome",
        "documento": "documento",
        "vencimento": "vencimento",
        "dias_de_atraso": "dias",
        "valor_aberto": "em aberto",
    }
    return table(
        columns,
        [
            row | {"vencimento": shown_day(row["vencimento"]), "valor_aberto": shown_money(row["valor_aberto"])}
            for row in rows
        ],
    )
