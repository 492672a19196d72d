"""Departments: the cost centres among which amounts are shared."""

from __future__ import annotations

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing
from omie_control.mcp.tools.shapes import Shape, flag, text
from omie_control.mcp.tools.wire import Fields

DEPARTAMENTOS = Listing(
    "geral/departamentos/",
    "ListarDepartamentos",
    "departamentos",
    key="departamentos",
    shape=Shape(
        codigo=text("codigo", "código"),
        descricao=text("descricao", "nome"),
        estrutura=text("estrutura", "estrutura"),
        totalizador=flag("nivel_totalizador", "totalizador"),
        inativo=flag("inativo", "inativo"),
    ),
)

family = Family(Category.ORGANIZACIONAL)
register = family.register


@family.lists(
    "Consultar departamentos",
    Complexity.BASICA,
    DEPARTAMENTOS,
    "Lista os departamentos (centros de custo) da empresa. Use para achar o código com que se rateia um título, "
    "pedido ou compra; totalizadores e inativos não recebem rateio.",
    also=("listar_departamentos",),
)
def consultar_departamentos() -> Fields:
    return {}
