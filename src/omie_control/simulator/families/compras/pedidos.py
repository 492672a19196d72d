"""produtos/pedidocompra: orders to suppliers. A part is sent as `…_incluir` and shown as `…_consulta`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.engine.shelf import Handler, Shelf
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, produtos
from omie_control.simulator.families.lists import page_of, within
from omie_control.simulator.families.terms import term_of
from omie_control.simulator.world import Company, Desk, Record, Row

# The order's stage, and the filter that shows it.
_PENDING, _RECEIVED = "10", "60"


def _kept(param: Record) -> Record:
    """Return a request with its parts under the names of the answer."""
    return {f"{tag.rpartition('_')[0]}_consulta": value for tag, value in param.items()}


def _seeds(company: Company) -> Iterable[tuple[str, Record]]:
    suppliers = [row for row in company.table(clientes.NOUN.table) if {"tag": "Fornecedor"} in row.record["tags"]]
    goods = list(company.table(produtos.NOUN.table))
    for number, supplier in enumerate(suppliers[:10], 1):
        product = goods[number * 7 % len(goods)]
        cost = round(product.record["valor_unitario"] * 0.6, 2)
        day = company.founded_at + timedelta(days=20 * number)
        line = {"nCodItem": 9_300_000_000 + number, "nCodProd": product.id, "cDescricao": product.record["descricao"]}
        line |= {"nQtde": 10.0, "nValUnit": cost, "nValMerc": round(10 * cost, 2), "nValTot": round(10 * cost, 2)}
        head = {
            "nCodFor": supplier.id,
            "dDtPrevisao": f"{day:%d/%m/%Y}",
            "dIncData": f"{day:%d/%m/%Y}",
            "cCodParc": "001",
            "cCodCateg": "2.01.01",
            "cEtapa": _RECEIVED if number < 7 else _PENDING,
            "cNumero": f"{number:015d}",
        }
        yield f"COM-{number:03d}", {"cabecalho_consulta": head, "produtos_consulta": [line]}


class _Orders(Shelf):
    """Purchase orders are numbered, and their lines reckoned."""

    def find(self, desk: Desk, param: Record) -> Row:
        number = str(param.get("cNumero") or "")
        if not number or param.get("nCodPed") or param.get("cCodIntPed"):
            return super().find(desk, param)
        padded = number.zfill(15)
        for row in desk.company.table(self.table):
            if row.record["cabecalho_consulta"]["cNumero"] == padded:
                return row
        raise Refusal("Client-206", f"ERROR: Pedido de compra não cadastrado para o Número [{padded}] !")

    def add(self, desk: Desk, method: Method, param: Record) -> Row:
        row = super().add(desk, method, param)
        head = row.record["cabecalho_consulta"]
        number = len(desk.company.table(self.table))
        head |= {"cNumero": f"{number:015d}", "cEtapa": _PENDING, "dIncData": f"{desk.now:%d/%m/%Y}"}
        _reckon(desk, row)
        return row

    def change(self, desk: Desk, row: Row, param: Record) -> Row:
        super().change(desk, row, param)
        _reckon(desk, row)
        return row

    def status(self, method: Method, row: Row, param: Record) -> dict[str, Any]:
        told = super().status(method, row, param)
        has_number = "cNumero" in method.response_fields
        return told | ({"cNumero": row.record["cabecalho_consulta"]["cNumero"]} if has_number else {})


PEDIDOS = _Orders(
    "produtos/pedidocompra/",
    "pedidos_compra",
    "Pedido de compra",
    "nCodPed",
    "cCodIntPed",
    required=("dDtPrevisao", "nCodFor"),
    refers={"nCodFor": clientes.NOUN, "nCodProd": produtos.NOUN},
    seeds=_seeds,
    kept_as=_kept,
)
PATH = PEDIDOS.path


def pesquisar(desk: Desk, param: Record) -> dict[str, Any]:
    """PesquisarPedCompra: pending ones unless told; flags are T and F here."""
    method = catalog().method(PATH, "PesquisarPedCompra")
    shows_pending = param.get("lExibirPedidosPendentes") in (None, "", "T", "S", "true")
    shows_received = param.get("lExibirPedidosRecebidos") in ("T", "S", "true")
    rows = []
    for row in desk.company.table(PEDIDOS.table):
        head = row.record["cabecalho_consulta"]
        is_shown = shows_received if head["cEtapa"] == _RECEIVED else shows_pending
        if is_shown and within(param, "dDataInicial", "dDataFinal", head["dDtPrevisao"]):
            rows.append(row)
    return page_of(method, param, rows, lambda row: PEDIDOS.shown(method, "pedidos_pesquisa", row))


HANDLERS: Mapping[str, Handler] = {"PesquisarPedCompra": pesquisar}


def _reckon(desk: Desk, row: Row) -> None:
    head = row.record["cabecalho_consulta"]
    term_of(str(head.get("cCodParc") or "000"), head.get("nQtdeParc") or 0)
    for line in row.record.get("produtos_consulta", []):
        line.setdefault("nCodItem", next(desk.company.ids))
        gross = round(float(line.get("nQtde") or 0) * float(line.get("nValUnit") or 0), 2)
        line |= {"nValMerc": gross, "nValTot": round(gross - float(line.get("nDesconto") or 0), 2)}
