"""geral/dre: the lines of the income statement, and which of them a category belongs to."""

from __future__ import annotations

from typing import Any

from omie_control.simulator.world import Desk, Record

PATH = "geral/dre/"
# (code, description, level, sign, whether it sums up others)
_LINES = (
    ("1", "Receita Operacional Bruta", 1, "+", "S"),
    ("1.01", "Receita de Vendas de Produtos", 2, "+", "N"),
    ("1.02", "Receita de Prestação de Serviços", 2, "+", "N"),
    ("1.03", "Outras Receitas Operacionais", 2, "+", "N"),
    ("2", "Deduções da Receita", 1, "-", "S"),
    ("2.01", "Impostos sobre Vendas", 2, "-", "N"),
    ("2.02", "Devoluções de Vendas", 2, "-", "N"),
    ("2.03", "Descontos Concedidos", 2, "-", "N"),
    ("3", "Receita Operacional Líquida", 1, "+", "S"),
    ("4", "Custos", 1, "-", "S"),
    ("4.01", "Custo das Mercadorias Vendidas", 2, "-", "N"),
    ("4.02", "Custo dos Serviços Prestados", 2, "-", "N"),
    ("4.03", "Fretes sobre Compras", 2, "-", "N"),
    ("5", "Lucro Bruto", 1, "+", "S"),
    ("6", "Despesas Operacionais", 1, "-", "S"),
    ("6.01", "Despesas Administrativas", 2, "-", "N"),
    ("6.02", "Despesas com Pessoal", 2, "-", "N"),
    ("6.03", "Despesas com Vendas", 2, "-", "N"),
    ("6.04", "Despesas Tributárias", 2, "-", "N"),
    ("7", "Resultado Operacional", 1, "+", "S"),
    ("8", "Resultado Financeiro", 1, "+", "S"),
    ("8.01", "Receitas Financeiras", 2, "+", "N"),
    ("8.02", "Despesas Financeiras", 2, "-", "N"),
    ("9", "Resultado antes dos Impostos", 1, "+", "S"),
    ("9.01", "Impostos sobre o Lucro", 2, "-", "N"),
    ("10", "Investimentos", 1, "-", "N"),
    ("11", "Lucro Líquido", 1, "+", "S"),
)
BY_CODE: dict[str, Record] = {
    code: {
        "codigoDRE": code,
        "descricaoDRE": description,
        "naoExibirDRE": "N",
        "nivelDRE": level,
        "sinalDRE": sign,
        "totalizaDRE": sums,
    }
    for code, description, level, sign, sums in _LINES
}
# The longest beginning of a category's code that stands here decides.
_OF_CATEGORY = {
    "1.01.01": "1.01",
    "1.01.02": "1.02",
    "1.01": "1.01",
    "1.02": "8.01",
    "1": "1.03",
    "2.01.01": "4.01",
    "2.01.02": "4.03",
    "2.01": "4.01",
    "2.02": "6.01",
    "2.03": "6.02",
    "2.04": "2.01",
    "2": "6.01",
}


def code_of(category: str) -> str:
    """Return the line of the income statement that a category of the given code belongs to."""
    starts = [start for start in _OF_CATEGORY if category.startswith(start)]
    return _OF_CATEGORY[max(starts, key=len)] if starts else ""


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarCadastroDRE."""
    return {"totalRegistros": len(BY_CODE), "dreLista": list(BY_CODE.values())}


HANDLERS = {"ListarCadastroDRE": listar}
