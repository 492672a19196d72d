"""Reports of sales, added up from the orders themselves: by period, product and client; by seller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.clientes import CLIENTES
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie, Scan
from omie_control.mcp.tools.parameters import Codigo, Data
from omie_control.mcp.tools.pedido_record import PATH, QUOTE, ROW, Vendedor
from omie_control.mcp.tools.shapes import Column, Shape, flag, result_schema
from omie_control.mcp.tools.values import amount, shown_day, shown_money
from omie_control.mcp.tools.vendedores import VENDEDORES
from omie_control.mcp.tools.wire import Fields, between
from omie_control.mcp.tools.words import filled, plain, table

Row = dict[str, Any]
_CENT, _NOTHING = Decimal("0.01"), Decimal(0)
# Up to so many days a period is told day by day, beyond it month by month.
_DAYS_SHOWN = 31


def _items(value: Any) -> list[Row]:
    """Read what the items of an order came to, without freight and without discounts of the whole order."""
    products = [item.get("produto") for item in value or () if isinstance(item, Mapping)]
    return [
        {
            "codigo_produto": product.get("codigo_produto"),
            "descricao": plain(product.get("descricao")),
            "quantidade": amount(product.get("quantidade")),
            "valor": amount(product.get("valor_total")),
        }
        for product in products
        if isinstance(product, Mapping)
    ]


VENDAS = Listing(
    PATH,
    "ListarPedidos",
    "pedidos de venda",
    key="pedidos",
    shape=Shape(
        **ROW.columns,
        devolvido=flag("infoCadastro.devolvido"),
        devolvido_parcial=flag("infoCadastro.devolvido_parcial"),
        produtos=Column("det", _items, "array"),
    ),
)

De = Annotated[Data, Field(description="Primeiro dia do período.")]
Ate = Annotated[Data, Field(description="Último dia do período, incluído.")]
Base = Annotated[
    Literal["faturamento", "emissao"],
    Field(description="faturamento: pedidos faturados no período; emissao: pedidos incluídos nele, sem orçamentos."),
]
Maiores = Annotated[int, Field(description="Quantos produtos e clientes mostrar.", ge=1, le=50, examples=[10])]

_SUM = {"pedidos": {"type": "integer"}, "valor": {"type": "number"}}
_FACTS: dict[str, Any] = {
    "periodo": {"type": "object"},
    "base": {"type": "string"},
    "valor_total": {"type": "number"},
    "pedidos": {"type": "integer"},
    "ticket_medio": {"type": "number"},
    "cancelados": {"type": "object", "properties": _SUM},
    "devolvidos": {"type": "object", "properties": _SUM},
    "devolvidos_em_parte": {"type": "object", "properties": _SUM},
    "fora_do_periodo": {"type": "object", "properties": _SUM},
    "dados_completos": {"type": "boolean"},
    "registros_lidos": {"type": "integer"},
    "total_de_registros": {"type": "integer"},
    "idade_segundos": {"type": "integer"},
    "fonte": {"type": "string"},
}
_REQUIRED = ("periodo", "base", "valor_total", "pedidos", "dados_completos", "registros_lidos")
_LISTS = {name: {"type": "array"} for name in ("por_dia", "por_mes", "por_produto", "por_cliente")}

family = Family(Category.RELATORIOS)
register = family.register


@dataclass
class Sales:
    """The orders that count in a period, and those that do not: cancelled, returned as a whole, of other days."""

    since: date
    until: date
    base: str
    scan: Scan
    sold: list[Row] = field(default_factory=list)
    cancelled: list[Row] = field(default_factory=list)
    returned: list[Row] = field(default_factory=list)
    strays: list[Row] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """Return what the orders that count come to."""
        return _value(self.sold)

    def facts(self) -> Row:
        """Return the head of both reports."""
        in_part = [row for row in self.sold if row["devolvido_parcial"]]
        return {
            "periodo": {"de": self.since, "ate": self.until},
            "base": self.base,
            "valor_total": self.total,
            "pedidos": len(self.sold),
            "ticket_medio": (self.total / len(self.sold)).quantize(_CENT) if self.sold else _NOTHING,
            "cancelados": {"pedidos": len(self.cancelled), "valor": _value(self.cancelled)},
            "devolvidos": {"pedidos": len(self.returned), "valor": _value(self.returned)},
            "devolvidos_em_parte": {"pedidos": len(in_part), "valor": _value(in_part)},
            "fora_do_periodo": {"pedidos": len(self.strays), "valor": _value(self.strays)},
            **self.scan.facts(),
        }

    def text(self, slug: str) -> str:
        """Say the head in words."""
        how = "faturadas" if self.base == "faturamento" else "emitidas"
        said = (
            f"Vendas {how} de {shown_day(self.since)} a {shown_day(self.until)} (empresa {slug}): "
            f"**R$ {shown_money(self.total)}** em {len(self.sold)} pedidos."
        )
        apart = [("cancelados", self.cancelled), ("devolvidos", self.returned), ("de outra data", self.strays)]
        left_out = [f"{len(rows)} {name} (R$ {shown_money(_value(rows))})" for name, rows in apart if rows]
        return said + (f" Fora da soma: {' e '.join(left_out)}." if left_out else "")

    def heap_of(self, row: Row) -> list[Row]:
        """Return where an order is counted; one without a day of its own is where Omie says it is."""
        day = self.day(row)
        if day is not None and not self.since <= day <= self.until:
            return self.strays
        return self.cancelled if row["cancelado"] else self.returned if row["devolvido"] else self.sold

    def day(self, row: Row) -> date | None:
        """Return the day on which an order counts."""
        found: date | None = row.get("faturamento" if self.base == "faturamento" else "emissao")
        return found


@family.asks(
    "Relatório de vendas por período",
    Complexity.INTERMEDIARIA,
    result_schema({**_FACTS, **_LISTS}, *_REQUIRED),
    "Soma as vendas de um período a partir dos pedidos: total, ticket médio, por dia ou mês, produtos e clientes que "
    "mais venderam. Cancelados e devolvidos ficam fora da soma e são contados à parte. Com dados_completos=false os "
    "valores são parciais: reduza o período. Para comparar vendedores, relatorio_vendas_por_vendedor; não inclui "
    "ordens de serviço.",
    VENDAS,
    CLIENTES,
)
async def relatorio_vendas_periodo(
    omie: Omie,
    *,
    periodo_de: De,
    periodo_ate: Ate,
    base: Base = "faturamento",
    codigo_cliente: Annotated[Codigo | None, Field(description="Só deste cliente, código no Omie.")] = None,
    codigo_vendedor: Vendedor = None,
    maiores: Maiores = 10,
) -> ToolResult:
    filters = {"filtrar_por_cliente": codigo_cliente, "filtrar_por_vendedor": codigo_vendedor}
    sales = await _sales(omie, periodo_de, periodo_ate, base, filters)
    is_short = (periodo_ate - periodo_de).days < _DAYS_SHOWN
    when, form = ("dia", "%d/%m/%Y") if is_short else ("mes", "%m/%Y")
    products = _by([item for row in sales.sold for item in row.get("produtos", ())], _product, "itens")
    clients = _by(sales.sold, lambda row: row.get("codigo_cliente"), "pedidos")
    days = _by(sales.sold, lambda row: _when(sales.day(row), form), "pedidos")
    names = await _names(omie, [each["chave"] for each in clients[:maiores]])
    found = sales.facts() | {
        f"por_{when}": [_renamed(each, when) for each in sorted(days, key=lambda each: _in_time(each["chave"]))],
        "por_produto": [_of_product(each) for each in products[:maiores]],
        "por_cliente": [
            _renamed(each, "codigo_cliente") | {"nome": names.get(each["chave"])} for each in clients[:maiores]
        ],
    }
    found["por_cliente"] = [filled(each) for each in found["por_cliente"]]
    return omie.answer(
        found,
        sales.text(omie.company.slug),
        sales.scan.warning(),
        _shown(found[f"por_{when}"], {when: "período", "pedidos": "pedidos"}),
        _shown(found["por_cliente"], {"nome": "cliente", "pedidos": "pedidos"}),
        _shown(found["por_produto"], {"descricao": "produto", "quantidade": "quantidade"}),
    )


@family.asks(
    "Relatório de vendas por vendedor",
    Complexity.INTERMEDIARIA,
    result_schema({**_FACTS, "por_vendedor": {"type": "array"}}, *_REQUIRED, "por_vendedor"),
    "Soma as vendas de um período por vendedor: pedidos, valor, ticket médio e participação. Pedidos sem vendedor "
    "aparecem como tais. Cancelados e devolvidos ficam fora e são contados à parte. Com dados_completos=false os "
    "valores são parciais. Não calcula comissões: as regras delas não estão na API.",
    VENDAS,
    VENDEDORES,
)
async def relatorio_vendas_por_vendedor(
    omie: Omie, *, periodo_de: De, periodo_ate: Ate, base: Base = "faturamento"
) -> ToolResult:
    sales = await _sales(omie, periodo_de, periodo_ate, base, {})
    sellers = await omie.every_page(VENDEDORES, {})
    names = {row.get("codigo_omie"): row["nome"] for row in sellers.rows if "nome" in row}
    rows = []
    for each in _by(sales.sold, lambda row: row.get("codigo_vendedor"), "pedidos"):
        name = "(sem vendedor)" if each["chave"] is None else names.get(each["chave"], f"código {each['chave']}")
        share = (100 * each["valor"] / sales.total).quantize(_CENT) if sales.total else _NOTHING
        average = (each["valor"] / each["pedidos"]).quantize(_CENT)
        more = {"nome": name, "ticket_medio": average, "participacao_percentual": share}
        rows.append(filled(_renamed(each, "codigo_vendedor")) | more)
    return omie.answer(
        sales.facts() | {"por_vendedor": rows},
        sales.text(omie.company.slug),
        sales.scan.warning(),
        _shown(rows, {"nome": "vendedor", "pedidos": "pedidos", "participacao_percentual": "%"}),
    )


async def _sales(omie: Omie, since: date, until: date, base: str, filters: Fields) -> Sales:
    """Read the orders of a period and judge each by its own marks: Omie's filters are not trusted to be ours."""
    period = between("periodo", since, until, f"data_{base}_de", f"data_{base}_ate")
    sales = Sales(since, until, base, await omie.every_page(VENDAS, {**filters, **period}))
    # Rows may move from page to page while they are read: each order counts once.
    for row in {row.get("codigo_omie"): row for row in sales.scan.rows}.values():
        if row["faturado"] if base == "faturamento" else row.get("etapa") != QUOTE:
            sales.heap_of(row).append(row)
    return sales


async def _names(omie: Omie, codes: list[int]) -> dict[int, str]:
    """Ask for the names of clients by their codes, at once."""
    asked = [{"codigo_cliente_omie": code} for code in codes if code]
    if not asked:
        return {}
    page = await omie.page(CLIENTES, {"clientesPorCodigo": asked})
    return {row["codigo_omie"]: row.get("razao_social", "") for row in page.rows if "codigo_omie" in row}


def _by(rows: Iterable[Row], key: Callable[[Row], Any], counted: str) -> list[Row]:
    """Add up rows by a key, the greatest value first; `counted`: what the rows are called."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    added = [
        {
            "chave": chave,
            counted: len(members),
            "quantidade": sum((row.get("quantidade", _NOTHING) for row in members), _NOTHING),
            "valor": _value(members),
        }
        for chave, members in groups.items()
    ]
    return sorted(added, key=lambda each: (-each["valor"], str(each["chave"])))


def _value(rows: Iterable[Row]) -> Decimal:
    return sum((row.get("valor", _NOTHING) for row in rows), _NOTHING).quantize(_CENT)


def _product(item: Row) -> tuple[Any, str]:
    return item["codigo_produto"], item["descricao"]


def _of_product(group: Row) -> Row:
    code, description = group["chave"]
    return {
        "codigo_produto": code,
        "descricao": description,
        "quantidade": group["quantidade"],
        "valor": group["valor"],
    }


def _renamed(group: Row, name: str) -> Row:
    return {name: group["chave"], "pedidos": group["pedidos"], "valor": group["valor"]}


def _when(day: date | None, form: str) -> str:
    return "sem data" if day is None else f"{day:{form}}"


def _in_time(when: str) -> list[str]:
    return when.split("/")[::-1]


def _shown(rows: list[Row], columns: Mapping[str, str]) -> str | None:
    """Write groups as a table, their value last."""
    lines = [{**row, "valor": shown_money(row["valor"])} for row in rows]
    return table({**columns, "valor": "R$"}, lines) if rows else None
