"""What financial reports are reckoned from: titles with what is open of them, entries of the accounts, names.

Titles come from ListarMovimentos, which alone knows the open amount; money that moved comes from ListarLancCC, in which
every settlement leaves an entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from omie_control.mcp.tools.omie import Listing, Omie, Scan
from omie_control.mcp.tools.shapes import Column, Row, Shape, at, code, days, money, text
from omie_control.mcp.tools.values import amount
from omie_control.mcp.tools.wire import Fields

Lado = Literal["receber", "pagar", "ambos"]
SIDES = {"R": "receber", "P": "pagar"}
_KIND_OF = {"receber": "CR", "pagar": "CP", "ambos": "CPCR"}
# Asked one by one and put together: what EMABERTO takes in is written nowhere.
_OPEN = ("ATRASADO", "VENCEHOJE", "AVENCER", "PAGTO_PARCIAL")
PAGES_MAX = 20
_NAMES_A_CALL = 50
_CENT = Decimal("0.01")

TITULO = Shape(
    codigo_omie=code("detalhes.nCodTitulo", "código"),
    codigo_integracao=text("detalhes.cCodIntTitulo"),
    lado=text(lambda row: SIDES.get(str(at(row, "detalhes.cNatureza")))),
    codigo_cliente=code("detalhes.nCodCliente"),
    documento=text("detalhes.cNumTitulo", "documento"),
    parcela=text("detalhes.cNumParcela"),
    emissao=days("detalhes.dDtEmissao"),
    vencimento=days("detalhes.dDtVenc", "vencimento"),
    valor=money("detalhes.nValorTitulo", "valor"),
    valor_aberto=money("resumo.nValAberto", "em aberto"),
    valor_pago=money("resumo.nValPago"),
    status=text("detalhes.cStatus", "status"),
    categoria=text("detalhes.cCodCateg"),
    rateio=Column(lambda row: _split(row.get("categorias"), "nDistrValor", "nDistrPercentual"), list, "array"),
    codigo_conta_corrente=code("detalhes.nCodCC"),
    numero_boleto=text("detalhes.cNumBoleto"),
)
TITULOS = Listing("financas/mf/", "ListarMovimentos", "títulos", key="titulos", shape=TITULO)
LANCAMENTOS = Listing(
    "financas/contacorrentelancamentos/",
    "ListarLancCC",
    "lançamentos",
    key="lancamentos",
    shape=Shape(
        codigo_omie=code("nCodLanc"),
        codigo_conta_corrente=code("cabecalho.nCodCC"),
        data=days("cabecalho.dDtLanc"),
        valor=money("cabecalho.nValorLanc"),
        natureza=text("diversos.cNatureza"),
        origem=text("diversos.cOrigem"),
        categoria=text("detalhes.cCodCateg"),
        rateio=Column(lambda row: _split(at(row, "detalhes.aCodCateg"), "nValor", "nPerc"), list, "array"),
    ),
)
CLIENTES = Listing(
    "geral/clientes/",
    "ListarClientesResumido",
    "clientes",
    key="clientes",
    shape=Shape(codigo=code("codigo_cliente"), nome=text("nome_fantasia"), razao_social=text("razao_social")),
)


async def open_titles(omie: Omie, lado: Lado, fields: Fields | None = None, *, late_only: bool = False) -> Scan:
    """Read the titles of which something is still to be paid; `late_only`: those that were due before today."""
    asked = ("ATRASADO", "PAGTO_PARCIAL") if late_only else _OPEN
    kind = {"cTpLancamento": _KIND_OF[lado]}
    scans = [
        await omie.every_page(TITULOS, {**kind, "cStatus": status, **(fields or {})}, max_pages=PAGES_MAX)
        for status in asked
    ]
    return together(scans, lambda row: _is_open(row) and (not late_only or days_late(row, omie.today) > 0))


async def titles_due(omie: Omie, lado: Lado, since: date, until: date, fields: Fields | None = None) -> Scan:
    """Read the titles that are due in a period, paid or not, without the cancelled ones."""
    period = {"cTpLancamento": _KIND_OF[lado], "dDtVencDe": since, "dDtVencAte": until}
    return together([await omie.every_page(TITULOS, {**period, **(fields or {})}, max_pages=PAGES_MAX)], _stands)


async def titles_issued(omie: Omie, since: date, until: date) -> Scan:
    """Read the titles that were issued in a period, paid or not, without the cancelled ones."""
    period = {"cTpLancamento": "CPCR", "dDtEmisDe": since, "dDtEmisAte": until}
    return together([await omie.every_page(TITULOS, period, max_pages=PAGES_MAX)], _stands)


async def entries(omie: Omie, since: date, until: date, account: int | None = None) -> Scan:
    """Read what went through the accounts in a period; without transfers, unless one account is looked at."""
    period = {"dtPagInicial": since, "dtPagFinal": until}
    scan = await omie.every_page(LANCAMENTOS, period, max_pages=PAGES_MAX)
    if account is None:
        scan.rows = [row for row in scan.rows if not row.get("origem", "").startswith("TRA")]
    else:
        scan.rows = [row for row in scan.rows if row.get("codigo_conta_corrente") == account]
    return scan


async def names_of(omie: Omie, codes: Iterable[int]) -> dict[int, str]:
    """Return the names of customers and suppliers; whoever was deleted has none."""
    wanted = sorted(set(codes))
    found: dict[int, str] = {}
    for first in range(0, len(wanted), _NAMES_A_CALL):
        chunk = [{"codigo_cliente_omie": code} for code in wanted[first : first + _NAMES_A_CALL]]
        page = await omie.page(CLIENTES, {"clientesPorCodigo": chunk}, size=_NAMES_A_CALL)
        found |= {row["codigo"]: row.get("nome") or row.get("razao_social", "") for row in page.rows if "codigo" in row}
    return found


def together(scans: Sequence[Scan], keep: Any = None) -> Scan:
    """Put several readings of one list together, each record once, and only those to keep."""
    rows: dict[Any, Row] = {}
    for scan in scans:
        for row in scan.rows:
            rows.setdefault(row.get("codigo_omie", len(rows)), row)
    kept = [dict(row) for row in rows.values() if keep is None or keep(row)]
    return Scan(
        rows=kept,
        pages_read=sum(scan.pages_read for scan in scans),
        total=sum(scan.total - len(scan.rows) for scan in scans if not scan.is_complete) + len(kept),
        is_complete=all(scan.is_complete for scan in scans),
        age_seconds=max((scan.age_seconds for scan in scans), default=0.0),
        source=next((scan.source for scan in scans if scan.age_seconds), scans[0].source if scans else Scan().source),
    )


def based_on(scans: Sequence[Scan]) -> dict[str, Any]:
    """Return what a report says of several lists that it was reckoned from."""
    merged = [scan.facts() for scan in scans]
    return {
        "dados_completos": all(each["dados_completos"] for each in merged),
        "registros_lidos": sum(each["registros_lidos"] for each in merged),
        "paginas_lidas": sum(scan.pages_read for scan in scans),
        "idade_segundos": max((each["idade_segundos"] for each in merged), default=0),
    }


def warned(scans: Sequence[Scan]) -> str | None:
    """Say in a report's text that it does not know everything."""
    return next((said for scan in scans if (said := scan.warning()) is not None), None)


BASIS: dict[str, Any] = {
    "dados_completos": {"type": "boolean"},
    "registros_lidos": {"type": "integer"},
    "paginas_lidas": {"type": "integer"},
    "idade_segundos": {"type": "integer"},
}


def days_late(row: Row, today: date) -> int:
    """Return how many days of the calendar a title is overdue; below zero while it is not."""
    due = row.get("vencimento")
    return (today - due).days if isinstance(due, date) else 0


def total(rows: Iterable[Row], name: str = "valor_aberto") -> Decimal:
    """Add up an amount of rows."""
    return sum((row.get(name, Decimal(0)) for row in rows), Decimal(0))


def signed(row: Row) -> Decimal:
    """Return what an entry adds to its account: R comes, P goes."""
    value: Decimal = abs(row.get("valor", Decimal(0)))
    return -value if row.get("natureza") == "P" else value


def shares(row: Row, value: Decimal) -> list[tuple[str, Decimal]]:
    """Split an amount over the categories of a title or an entry; what no category takes stays with its own."""
    own = row.get("categoria", "")
    split = row.get("rateio") or []
    if not split:
        return [(own, value)]
    sign = -1 if value < 0 else 1
    parts = [
        (code, sign * (part if part else (abs(value) * percent / 100).quantize(_CENT))) for code, part, percent in split
    ]
    left = value - sum((part for _, part in parts), Decimal(0))
    return [*parts, (own or parts[0][0], left)] if left else parts


def _split(rows: Any, value: str, percent: str) -> list[tuple[str, Decimal, Decimal]]:
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [
        (str(row.get("cCodCateg") or ""), amount(row.get(value)).quantize(_CENT), amount(row.get(percent)))
        for row in found
    ]


def _is_open(row: Row) -> bool:
    return _stands(row) and bool(row.get("valor_aberto", Decimal(0)) > 0)


def _stands(row: Row) -> bool:
    return bool(row.get("status", "").upper() != "CANCELADO")
