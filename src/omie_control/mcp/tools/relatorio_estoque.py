"""The stock report: what it is worth by place and family, what is to be bought again, what cannot be right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import NotFound
from omie_control.mcp.tools.estoque import LOCAIS, POSICOES
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.movimentos_estoque import joined
from omie_control.mcp.tools.omie import Omie, Scan
from omie_control.mcp.tools.parameters import Codigo, Data, SimNao
from omie_control.mcp.tools.produtos import PRODUTOS
from omie_control.mcp.tools.shapes import Row, result_schema
from omie_control.mcp.tools.values import shown_day, shown_money
from omie_control.mcp.tools.words import table

# Positions of all places together; 100 a page.
PAGES_MAX = 60
NO_FAMILY = "sem família"
_ZERO = Decimal(0)
_CENT = Decimal("0.01")

_NUMBER, _TEXT, _COUNT = {"type": "number"}, {"type": "string"}, {"type": "integer"}
_ROWS = {"type": "array", "items": {"type": "object"}}
_SCHEMA = result_schema(
    {
        "data": _TEXT,
        "valor_total": _NUMBER,
        "valor_negativo": _NUMBER,
        "posicoes_sem_custo": _COUNT,
        "por_local": _ROWS,
        "por_familia": _ROWS,
        "total_abaixo_do_minimo": _COUNT,
        "abaixo_do_minimo": _ROWS,
        "total_de_negativos": _COUNT,
        "negativos": _ROWS,
        "dados_completos": {"type": "boolean"},
        "registros_lidos": _COUNT,
        "total_de_registros": _COUNT,
        "idade_segundos": _COUNT,
        "fonte": _TEXT,
    },
    "valor_total",
    "por_local",
    "abaixo_do_minimo",
    "negativos",
    "dados_completos",
)
_BY_PLACE = {"local": "local", "produtos": "produtos", "valor": "valor (R$)", "negativos": "negativos"}
_BY_FAMILY = {"familia": "família", "produtos": "produtos", "valor": "valor (R$)"}
_SHORT = {"descricao": "a repor", "local": "local", "disponivel": "disponível", "minimo": "mínimo", "falta": "falta"}
_BELOW_ZERO = {"descricao": "negativo", "local": "local", "fisico": "físico"}

family = Family(Category.RELATORIOS)
register = family.register


@family.asks(
    "Relatório de posição de estoque",
    Complexity.ESPECIALIZADA,
    _SCHEMA,
    "Soma o estoque de todos os locais (ou de um) em uma data: valor por local e, se pedido, por família, o que está "
    "abaixo do mínimo e os saldos negativos. Valor = físico × custo médio; saldos negativos entram com sinal e são "
    "ditos à parte, e posições sem custo médio são contadas: o total não as vê. Para agir: posicao_estoque, "
    "incluir_requisicao_compra, incluir_ajuste_estoque.",
    LOCAIS,
    POSICOES,
    PRODUTOS,
)
async def relatorio_posicao_estoque(
    omie: Omie,
    *,
    data: Annotated[Data | None, Field(description="Posição no fim deste dia; sem ela, hoje.")] = None,
    codigo_local_estoque: Annotated[Codigo | None, Field(description="Só este local de estoque.")] = None,
    por_familia: Annotated[SimNao, Field(description="Soma também por família; lê o cadastro de produtos.")] = False,
    limite: Annotated[int, Field(description="Produtos em cada lista de problemas.", ge=1, le=200, examples=[30])] = 30,
) -> ToolResult:
    day = data or omie.today
    places = await _places(omie, codigo_local_estoque)
    scan = await _positions(omie, places, day)
    rows = [row | {"valor": _worth(row)} for row in scan.rows]
    scans = [scan]
    facts: dict[str, Any] = {"data": day, **_sums(rows), "por_local": _by_place(rows)}
    if por_familia:
        products = await omie.every_page(PRODUTOS, {}, max_pages=PAGES_MAX)
        scans.append(Scan(products.rows, is_complete=products.is_complete, total=products.total))
        facts["por_familia"] = _by_family(rows, products.rows)
    short = sorted(filter(_is_short, rows), key=_missing, reverse=True)
    negative = sorted((row for row in rows if _physical(row) < 0), key=_physical)
    facts |= {
        "total_abaixo_do_minimo": len(short),
        "abaixo_do_minimo": [_named(row, falta=_missing(row)) for row in short[:limite]],
        "total_de_negativos": len(negative),
        "negativos": [_named(row) for row in negative[:limite]],
        **scan.facts(),
        "dados_completos": all(each.is_complete for each in scans),
    }
    warnings = [each.warning() for each in scans]
    return omie.answer(facts, *warnings, _text(facts, omie.company.slug), *_tables(facts))


async def _places(omie: Omie, wanted: int | None) -> Sequence[Row]:
    """Return the places to look at; one that is wanted must be there."""
    scan = await omie.every_page(LOCAIS, {})
    places = [row for row in scan.rows if wanted in (None, row["codigo_local_estoque"])]
    if wanted is not None and not places:
        raise NotFound("O local de estoque não existe.", hint="Ache o código com listar_locais_estoque.")
    return places


async def _positions(omie: Omie, places: Sequence[Row], day: Any) -> Scan:
    """Read the positions of each place: without a place Omie tells only those of the usual one."""
    scans: list[Scan] = []
    left = PAGES_MAX
    for place in places:
        if left <= 0:
            scans.append(Scan(is_complete=False))
            break
        fields = {"codigo_local_estoque": place["codigo_local_estoque"], "dDataPosicao": day}
        scan = await omie.every_page(POSICOES, fields, max_pages=left)
        left -= max(1, scan.pages_read)
        named = {"codigo_local_estoque": place["codigo_local_estoque"], "local": place.get("descricao", "")}
        scan.rows = [row | named for row in scan.rows]
        scans.append(scan)
    return joined(scans)


def _physical(row: Row) -> Decimal:
    found: Decimal = row.get("fisico", row.get("disponivel", _ZERO))
    return found


def _worth(row: Row) -> Decimal:
    cost: Decimal = row.get("custo_medio", _ZERO)
    return (_physical(row) * cost).quantize(_CENT)


def _missing(row: Row) -> Decimal:
    """Say how much there is less than there must be; where there is no minimum, nothing is missing."""
    minimum: Decimal = row.get("minimo", _ZERO)
    available: Decimal = row.get("disponivel", _ZERO)
    return minimum - available if minimum > 0 else _ZERO


def _is_short(row: Row) -> bool:
    return _missing(row) > 0


def _total(rows: Iterable[Row]) -> Decimal:
    return sum((row["valor"] for row in rows), _ZERO)


def _sums(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "valor_total": _total(rows),
        "valor_negativo": _total(row for row in rows if row["valor"] < 0),
        "posicoes_sem_custo": sum(1 for row in rows if _physical(row) and not row.get("custo_medio")),
    }


def _by_place(rows: Sequence[Row]) -> list[dict[str, Any]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["codigo_local_estoque"]].append(row)
    return [
        {
            "codigo_local_estoque": place,
            "local": those[0]["local"],
            "produtos": len(those),
            "valor": _total(those),
            "abaixo_do_minimo": sum(map(_is_short, those)),
            "negativos": sum(1 for row in those if _physical(row) < 0),
        }
        for place, those in grouped.items()
    ]


def _by_family(rows: Sequence[Row], products: Sequence[Row]) -> list[dict[str, Any]]:
    names = {row["codigo_omie"]: row.get("familia") or NO_FAMILY for row in products if "codigo_omie" in row}
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[names.get(row.get("codigo_produto"), NO_FAMILY)].append(row)
    told = [
        {"familia": name, "produtos": len({row.get("codigo_produto") for row in those}), "valor": _total(those)}
        for name, those in grouped.items()
    ]
    return sorted(told, key=lambda each: each["valor"], reverse=True)


def _named(row: Row, **more: Decimal) -> dict[str, Any]:
    shown = ("codigo_produto", "codigo", "descricao", "local", "disponivel", "fisico", "minimo", "custo_medio")
    return {name: row[name] for name in shown if name in row} | more


def _text(facts: Row, slug: str) -> str:
    if not facts["registros_lidos"]:
        return f"Nenhuma posição de estoque em {shown_day(facts['data'])} (empresa {slug})."
    return (
        f"Estoque em {shown_day(facts['data'])} (empresa {slug}): R$ {shown_money(facts['valor_total'])}, dos quais "
        f"R$ {shown_money(facts['valor_negativo'])} de saldos negativos. {facts['total_abaixo_do_minimo']} abaixo do "
        f"mínimo, {facts['total_de_negativos']} negativos, {facts['posicoes_sem_custo']} sem custo médio."
    )


def _tables(facts: Row) -> list[str]:
    parts = (
        (_BY_PLACE, facts["por_local"]),
        (_BY_FAMILY, facts.get("por_familia", [])),
        (_SHORT, facts["abaixo_do_minimo"]),
        (_BELOW_ZERO, facts["negativos"]),
    )
    return [table(columns, map(_readable, rows)) for columns, rows in parts if rows]


def _readable(row: Row) -> Row:
    return {**row, "valor": shown_money(row["valor"])} if "valor" in row else row
