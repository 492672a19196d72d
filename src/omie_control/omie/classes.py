"""Which part of the company a method serves and how demanding it is, for those without a tool of their own.

Pure; by the path of the service and the kind of the method.
"""

from __future__ import annotations

from omie_control.domain.executions import Category, Complexity
from omie_control.omie.catalog import Method
from omie_control.omie.risks import risk_of

# The longest path that fits decides.
_CATEGORIES = {
    "": Category.SISTEMA,
    "contador": Category.RELATORIOS,
    "crm": Category.COMERCIAL,
    "estoque": Category.PRODUTOS,
    "estoque/resumo": Category.RELATORIOS,
    "financas": Category.FINANCEIRO,
    "financas/resumo": Category.RELATORIOS,
    "geral/anexo": Category.ORGANIZACIONAL,
    "geral/caracteristicas": Category.PRODUTOS,
    "geral/categorias": Category.ORGANIZACIONAL,
    "geral/cenarios": Category.PRODUTOS,
    "geral/cliente": Category.COMERCIAL,
    "geral/contacorrente": Category.FINANCEIRO,
    "geral/departamentos": Category.ORGANIZACIONAL,
    "geral/dre": Category.ORGANIZACIONAL,
    "geral/empresas": Category.ORGANIZACIONAL,
    "geral/familias": Category.PRODUTOS,
    "geral/malha": Category.PRODUTOS,
    "geral/parcelas": Category.FINANCEIRO,
    "geral/prod": Category.PRODUTOS,
    "geral/projetos": Category.ORGANIZACIONAL,
    "geral/tarefas": Category.ORGANIZACIONAL,
    "geral/unidade": Category.PRODUTOS,
    "geral/vendedores": Category.COMERCIAL,
    "produtos": Category.PRODUTOS,
    "produtos/compras-resumo": Category.RELATORIOS,
    "produtos/cupom": Category.COMERCIAL,
    "produtos/formaspagvendas": Category.COMERCIAL,
    "produtos/nf": Category.COMERCIAL,
    "produtos/pedido/": Category.COMERCIAL,
    "produtos/pedidoetapas": Category.COMERCIAL,
    "produtos/pedidovenda": Category.COMERCIAL,
    "produtos/tabelaprecos": Category.COMERCIAL,
    "produtos/vendas-resumo": Category.RELATORIOS,
    "servicos": Category.COMERCIAL,
    "servicos/resumo": Category.RELATORIOS,
}
_BY_LENGTH = sorted(_CATEGORIES, key=len, reverse=True)
_COMPLEXITIES = {
    "list": Complexity.INTERMEDIARIA,
    "get": Complexity.BASICA,
    "create": Complexity.AVANCADA,
    "update": Complexity.AVANCADA,
    "upsert": Complexity.AVANCADA,
    "delete": Complexity.AVANCADA,
    "action": Complexity.AVANCADA,
}


def category_of(method: Method) -> Category:
    """Return the part of the company that a method serves."""
    return next(_CATEGORIES[path] for path in _BY_LENGTH if method.path.startswith(path))


def complexity_of(method: Method) -> Complexity:
    """Return how demanding a method is: what cannot be undone is for those who know it."""
    if method.writes and risk_of(method) is not None and method.kind == "action":
        return Complexity.ESPECIALIZADA
    return _COMPLEXITIES[method.kind]
