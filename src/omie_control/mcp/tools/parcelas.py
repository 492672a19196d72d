"""Payment terms: what the three letters of a condition mean, for sales and purchases alike."""

from __future__ import annotations

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing
from omie_control.mcp.tools.shapes import Shape, number, text
from omie_control.mcp.tools.wire import Fields

PARCELAS = Listing(
    "geral/parcelas/",
    "ListarParcelas",
    "condições de pagamento",
    key="condicoes",
    shape=Shape(
        codigo=text("nCodigo", "código"),
        descricao=text("cDescricao", "descrição"),
        parcelas=number("nParcelas", "parcelas"),
    ),
)

family = Family(Category.FINANCEIRO)
register = family.register


@family.lists(
    "Listar condições de pagamento",
    Complexity.BASICA,
    PARCELAS,
    "Lista as condições de pagamento da empresa: 000 à vista, 001 a n parcelas, A30 em 30 dias, S01 30/60 … Use o "
    "codigo em condicao_pagamento de pedidos de venda e de compra. Com 999, o número de parcelas é dito no pedido.",
)
def listar_parcelas() -> Fields:
    return {}
