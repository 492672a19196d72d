"""What moved the stock: read in slices of 30 days, because Omie silently cuts a longer window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.estoque import Produto, ProdutoIntegracao
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie, Scan
from omie_control.mcp.tools.parameters import Codigo, Data
from omie_control.mcp.tools.periodo import require_period
from omie_control.mcp.tools.shapes import Row, Shape, code, days, flag, money, number, result_schema, text
from omie_control.mcp.tools.values import shown_day, shown_money
from omie_control.services.answers import FROM_OMIE

MOVIMENTOS = Listing(
    "estoque/consulta/",
    "ListarMovimentoEstoque",
    "movimentos de estoque",
    key="movimentos",
    shape=Shape(
        codigo_movimento=code("idMov"),
        data=days("dtMov", "data"),
        codigo_produto=code("idProd", "produto"),
        descricao=text("descricao", "descrição"),
        tipo=text("tipo", "tipo"),
        quantidade=number("qtde", "quantidade"),
        valor=money("valor", "valor"),
        saldo=number("saldo", "saldo"),
        origem=text("desOrigem", "origem"),
        documento=text("numDoc"),
        cancelado=flag("cancelamento"),
        codigo_ajuste=code("idAjuste"),
        codigo_pedido=code("idPedido"),
        codigo_recebimento=code("idRecebimento"),
        codigo_local_estoque=code("codigo_local_estoque"),
    ),
)
SLICE = timedelta(days=30)
PAGES_MAX = 40
SHOWN_MAX = 500

_NUMBER, _TEXT, _COUNT = {"type": "number"}, {"type": "string"}, {"type": "integer"}
_SCHEMA = result_schema(
    {
        "de": _TEXT,
        "ate": _TEXT,
        "movimentos": {"type": "array", "items": MOVIMENTOS.shape.schema()},
        "movimentos_omitidos": _COUNT,
        "valor_de_entradas": _NUMBER,
        "valor_de_saidas": _NUMBER,
        "quantidade_de_entradas": _NUMBER,
        "quantidade_de_saidas": _NUMBER,
        "dados_completos": {"type": "boolean"},
        "registros_lidos": _COUNT,
        "total_de_registros": _COUNT,
        "idade_segundos": _COUNT,
        "fonte": _TEXT,
    },
    "movimentos",
    "dados_completos",
)

family = Family(Category.PRODUTOS)
register = family.register


@family.asks(
    "Listar movimentos de estoque",
    Complexity.AVANCADA,
    _SCHEMA,
    "Lista entradas e saídas de estoque de um período de até um ano, de um produto ou de todos, com a origem (venda, "
    "compra, ajuste …) e os totais. Sem datas, os últimos 30 dias. Use para explicar um saldo; o codigo_ajuste serve a "
    "excluir_ajuste_estoque. Um período longo sem produto custa muitas leituras.",
    MOVIMENTOS,
)
async def listar_movimentos_estoque(
    omie: Omie,
    *,
    codigo_produto: Produto = None,
    codigo_produto_integracao: ProdutoIntegracao = None,
    de: Annotated[Data | None, Field(description="A partir deste dia.")] = None,
    ate: Annotated[Data | None, Field(description="Até este dia; sem ele, hoje.")] = None,
    codigo_local_estoque: Annotated[Codigo | None, Field(description="Só este local de estoque.")] = None,
    limite: Annotated[
        int, Field(description="Movimentos na resposta; os totais contam todos.", ge=1, le=SHOWN_MAX, examples=[100])
    ] = 100,
) -> ToolResult:
    if codigo_produto is not None and codigo_produto_integracao is not None:
        raise InvalidInput(
            "Informe codigo_produto ou codigo_produto_integracao, não os dois.", hint="Escolha um e chame de novo."
        )
    first, last = _period(de, ate, omie.today)
    fields = {
        "idProd": codigo_produto,
        "cCodInt": codigo_produto_integracao,
        "codigo_local_estoque": codigo_local_estoque,
    }
    scan = await _scanned(omie, fields, first, last)
    is_one_product = codigo_produto is not None or codigo_produto_integracao is not None
    facts = {
        "de": first,
        "ate": last,
        "movimentos": scan.rows[:limite],
        "movimentos_omitidos": max(0, len(scan.rows) - limite),
        **_totals(scan.rows, with_quantities=is_one_product),
        **scan.facts(),
    }
    return omie.answer(facts, scan.warning(), _text(facts, omie.company.slug), _table(scan.rows[:limite]))


def slices(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Cut a period into slices that Omie answers whole, both ends included."""
    while first <= last:
        until = min(last, first + SLICE - timedelta(days=1))
        yield first, until
        first = until + timedelta(days=1)


def joined(scans: Sequence[Scan]) -> Scan:
    """Make one scan of several: complete if each is, as old as the oldest."""
    return Scan(
        rows=[row for scan in scans for row in scan.rows],
        pages_read=sum(scan.pages_read for scan in scans),
        total=sum(max(scan.total, len(scan.rows)) for scan in scans),
        is_complete=all(scan.is_complete for scan in scans),
        age_seconds=max((scan.age_seconds for scan in scans), default=0.0),
        source=next((scan.source for scan in scans if scan.source != FROM_OMIE), FROM_OMIE),
    )


async def _scanned(omie: Omie, fields: dict[str, Any], first: date, last: date) -> Scan:
    scans: list[Scan] = []
    left = PAGES_MAX
    for since, until in slices(first, last):
        if left <= 0:
            scans.append(Scan(is_complete=False))
            break
        scan = await omie.every_page(MOVIMENTOS, fields | {"dDtInicial": since, "dDtFinal": until}, max_pages=left)
        left -= max(1, scan.pages_read)
        scans.append(scan)
    return joined(scans)


def _period(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    last = until or today
    first = since or last - SLICE + timedelta(days=1)
    require_period(first, last)
    return first, last


def _totals(rows: Sequence[Row], *, with_quantities: bool) -> dict[str, Decimal]:
    sides = {
        "entradas": [row for row in rows if row.get("tipo") == "entrada"],
        "saidas": [row for row in rows if row.get("tipo") == "saida"],
    }
    zero = Decimal(0)
    told = {f"valor_de_{side}": sum((row.get("valor", zero) for row in of), zero) for side, of in sides.items()}
    if with_quantities:
        # Of several products the sum would mix kilos with boxes.
        told |= {
            f"quantidade_de_{side}": sum((row.get("quantidade", zero) for row in of), zero)
            for side, of in sides.items()
        }
    return told


def _text(facts: Row, slug: str) -> str:
    period = f"de {shown_day(facts['de'])} a {shown_day(facts['ate'])} (empresa {slug})"
    if not facts["registros_lidos"]:
        return f"Nenhum movimento de estoque {period}."
    more = f" Mostrados {len(facts['movimentos'])}." if facts["movimentos_omitidos"] else ""
    return (
        f"{facts['registros_lidos']} movimentos {period}: entradas de R$ {shown_money(facts['valor_de_entradas'])}, "
        f"saídas de R$ {shown_money(facts['valor_de_saidas'])}.{more}"
    )


def _table(rows: Sequence[Row]) -> str | None:
    return MOVIMENTOS.shape.table(rows) if rows else None
