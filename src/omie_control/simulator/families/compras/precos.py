"""produtos/tabelaprecos: price tables, whose items are the products, at a rate or at a price of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.engine.shelf import Handler, Shelf, answer_list, status_of
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import produtos
from omie_control.simulator.families.records import require
from omie_control.simulator.world import Company, Desk, Record, Row

_CALLS = ("ListarTabelaItens", "AtivarTabelaPreco", "SuspenderTabelaPreco", "AtualizarProdutos", "AlterarPrecoItem")


def _seeds(company: Company) -> Iterable[tuple[str, Record]]:
    for number, (name, up, down) in enumerate((("Varejo", 0.0, 0.0), ("Atacado", 0.0, 10.0), ("Loja", 5.0, 0.0)), 1):
        rates = {"nPercAcrescimo": up, "nPercDesconto": down}
        head = {"cNome": name, "cCodigo": f"TAB{number}", "cAtiva": "S", "cOrigem": "PRD"}
        yield f"TAB-{number:02d}", {**head, "outrasInfo": rates, "produtos": {"cTodosProdutos": "S"}}


class _Tables(Shelf):
    """A new table is active."""

    def add(self, desk: Desk, method: Method, param: Record) -> Row:
        row = super().add(desk, method, param)
        row.record.setdefault("cAtiva", "S")
        return row


TABELAS = _Tables(
    "produtos/tabelaprecos/",
    "tabelas_preco",
    "Tabela de preço",
    "nCodTabPreco",
    "cCodIntTabPreco",
    is_feminine=True,
    required=("cNome",),
    seeds=_seeds,
    not_mine=_CALLS,
)
PATH = TABELAS.path


def listar_itens(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarTabelaItens: every product with what the table makes of its price."""
    row = TABELAS.find(desk, param)
    method = catalog().method(PATH, "ListarTabelaItens")
    fixed: dict[int, float] = row.record.get("prices", {})
    only_fixed = param.get("cApenasFixado") == "S"
    goods = [each for each in desk.company.table(produtos.NOUN.table) if not only_fixed or each.id in fixed]
    answered = answer_list(method, param, goods, lambda product: _item(row, product))
    tags = ("cNome", "cCodigo", "cAtiva", "cOrigem")
    head = {"nCodTabPreco": row.id, "cCodIntTabPreco": row.code} | {tag: row.record.get(tag, "") for tag in tags}
    answered["listaTabelaPreco"] = {**head, **answered["listaTabelaPreco"]}
    return answered


def turned(call: str, flag: str, done: str) -> Handler:
    """AtivarTabelaPreco, SuspenderTabelaPreco."""

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = TABELAS.find(desk, param)
        desk.change(TABELAS.table, row, {"cAtiva": flag})
        return _status(call, row, f"Tabela de preço {done} com sucesso!")

    return handle


def atualizar(desk: Desk, param: Record) -> dict[str, Any]:
    """AtualizarProdutos: another rate, by which all prices that are not fixed go."""
    row = TABELAS.find(desk, param)
    rates = {tag: float(param[tag]) for tag in ("nPercAcrescimo", "nPercDesconto") if tag in param}
    desk.change(TABELAS.table, row, {"outrasInfo": row.record.get("outrasInfo", {}) | rates})
    return _status("AtualizarProdutos", row, "Produtos da tabela de preço atualizados com sucesso!")


def alterar_item(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarPrecoItem: fixes the price of one product."""
    require(param, "nCodProd", "nValorTabela")
    row = TABELAS.find(desk, param)
    product = produtos.NOUN.find(desk, {produtos.NOUN.id_tag: param["nCodProd"]})
    if param["nValorTabela"] <= 0:
        raise Refusal("Client-101", "ERROR: O preço do item deve ser maior que zero!")
    prices = row.record.get("prices", {}) | {product.id: float(param["nValorTabela"])}
    desk.change(TABELAS.table, row, {"prices": prices})
    told = _status("AlterarPrecoItem", row, "Preço do item alterado com sucesso!")
    return {tag: value for tag, value in told.items() if tag != "cCodIntTabPreco"} | {"nCodProd": product.id}


HANDLERS: Mapping[str, Handler] = {
    "ListarTabelaItens": listar_itens,
    "AtivarTabelaPreco": turned("AtivarTabelaPreco", "S", "ativada"),
    "SuspenderTabelaPreco": turned("SuspenderTabelaPreco", "N", "suspensa"),
    "AtualizarProdutos": atualizar,
    "AlterarPrecoItem": alterar_item,
}


def _item(table: Row, product: Row) -> Record:
    rates = table.record.get("outrasInfo", {})
    up, down = float(rates.get("nPercAcrescimo") or 0), float(rates.get("nPercDesconto") or 0)
    original = float(product.record["valor_unitario"])
    reckoned = round(original * (1 + up / 100) * (1 - down / 100), 2)
    fixed: float | None = table.record.get("prices", {}).get(product.id)
    return {
        "nCodProd": product.id,
        "cCodIntProd": product.code,
        "cCodigoProduto": product.record["codigo"],
        "cDescricaoProduto": product.record["descricao"],
        "cNCM": product.record.get("ncm", ""),
        "cManual": "N" if fixed is None else "S",
        "nPercAcrescimo": up,
        "nPercDesconto": down,
        "nValorOriginal": original,
        "nValorCalculado": reckoned,
        "nValorTabela": reckoned if fixed is None else fixed,
    }


def _status(call: str, row: Row, text: str) -> dict[str, Any]:
    key = {"nCodTabPreco": row.id, "cCodIntTabPreco": row.code}
    return key | status_of(catalog().method(PATH, call), text)
