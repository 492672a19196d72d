"""estoque/consulta and its kin: every question about what is where, reckoned from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.families import produtos, stock
from omie_control.simulator.families.estoque.ajustes import place_of, product_of
from omie_control.simulator.families.lists import PastEnd, day, page_of
from omie_control.simulator.families.records import require
from omie_control.simulator.families.stock import Movement
from omie_control.simulator.families.vendas.orders import NOUN as ORDERS
from omie_control.simulator.world import Desk, Record, Row

ASK_PATH = "estoque/consulta/"
LIST_PATH = "estoque/movestoque/"
SUMMARY_PATH = "estoque/resumo/"
# Omie shows no more of a window than this, and does not say so.
_WINDOW = timedelta(days=60)
_ORIGINS = {"AJU": "Ajuste de Estoque", "VEN": "Venda de Produto", "COM": "Compra de Produto", "DEV": "Devolução"}


def posicao(desk: Desk, param: Record) -> dict[str, Any]:
    """PosicaoEstoque: one product on a day, in one place or in all."""
    product = product_of(desk, param)
    place = place_of(desk, param["codigo_local_estoque"]) if param.get("codigo_local_estoque") else 0
    at = day(param["data"]) if param.get("data") else desk.now
    quantity, cost = position(desk, product, at, place)
    reserved, pending = reserved_of(desk, product.id), 0.0
    return {
        "codigo_status": "0",
        "descricao_status": "Posição de estoque obtida com sucesso!",
        "saldo": quantity,
        "fisico": quantity,
        "reservado": reserved,
        "pendente": pending,
        "cmc": cost,
        "estoque_minimo": float(product.record.get("estoque_minimo") or 0),
        "codigo_local_estoque": place or stock.default_place(desk.company),
    }


def listar_posicao(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarPosEstoque: the products that ever moved; all of them with `cExibeTodos`, then 50 a page."""
    at = day(param["dDataPosicao"]) if param.get("dDataPosicao") else desk.now
    place = place_of(desk, param["codigo_local_estoque"]) if param.get("codigo_local_estoque") else 0
    ids = {each.get("nCodProd") for each in param.get("lista_produtos", [])}
    ledger = desk.company.table(stock.TABLE)
    shows_all = param.get("cExibeTodos") == "S"
    rows = [
        row
        for row in desk.company.table(produtos.NOUN.table)
        if (not ids or row.id in ids) and (shows_all or ledger.where("product", row.id))
    ]
    asked = param | {"nRegPorPagina": 50} if shows_all else param
    method = catalog().method(ASK_PATH, "ListarPosEstoque")
    answered = page_of(method, asked, rows, lambda row: _position(desk, row, at, place), PastEnd.EMPTY)
    return answered | {"dDataPosicao": f"{at:%d/%m/%Y}"}


def listar_pendente(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarSaldoPendente: what open orders will take."""
    rows = []
    for row in desk.company.table(produtos.NOUN.table):
        leaving = reserved_of(desk, row.id)
        if leaving and param.get("id_prod") in (None, 0, row.id):
            line = {"codigo_local_estoque": stock.default_place(desk.company), "id_prod": row.id}
            rows.append(line | {"qtde_saida": leaving, "qtde_entrada": 0.0})
    return page_of(catalog().method(ASK_PATH, "ListarSaldoPendente"), param, rows, dict, PastEnd.EMPTY)


def movimento(desk: Desk, param: Record) -> dict[str, Any]:
    """MovimentoEstoque: what one product did in a period."""
    product = product_of(desk, param)
    since, until = _window(desk, param, "dataInicial", "dataFinal")
    kind = param.get("tipo_movimento")
    lines = [
        _movement(row, moved)
        for row, moved in _between(desk, since, until, product.id, param.get("codigo_local_estoque") or 0)
        if kind in (None, "", "E" if moved.quantity > 0 else "S")
    ]
    return {
        "codigo_local_estoque": param.get("codigo_local_estoque") or stock.default_place(desk.company),
        "id_prod": product.id,
        "cod_int": product.code,
        "descricao": product.record["descricao"],
        "movProduto": lines,
    }


def listar_movimento(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarMovimentoEstoque: no more than about 60 days from the beginning of the window, as Omie has it."""
    require(param, "dDtInicial", "dDtFinal")
    since, until = _window(desk, param, "dDtInicial", "dDtFinal")
    until = min(until, since + _WINDOW)
    product = product_of(desk, {"id_prod": param.get("idProd"), "cod_int": param.get("cCodInt")}).id if (
        param.get("idProd") or param.get("cCodInt")
    ) else 0  # fmt: skip
    rows = list(_between(desk, since, until, product, param.get("codigo_local_estoque") or 0))
    method = catalog().method(ASK_PATH, "ListarMovimentoEstoque")
    return page_of(method, param, rows, lambda pair: _listed(desk, *pair), PastEnd.EMPTY)


def listar_movimentos(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarMovimentos: by product, what came and went each day."""
    since, until = _window(desk, param, "data_inicial", "data_final")
    rows = []
    for row in desk.company.table(produtos.NOUN.table):
        days: dict[str, list[float]] = {}
        for _, moved in _between(desk, since, until, row.id, param.get("codigo_local_estoque") or 0):
            came = days.setdefault(moved.day, [0.0, 0.0])
            came[moved.quantity < 0] += abs(moved.quantity)
        if days:
            rows.append((row, days))
    method = catalog().method(LIST_PATH, "ListarMovimentos")
    return page_of(method, param, rows, lambda pair: _by_day(*pair), PastEnd.EMPTY)


def consultar_previsao(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarPrevisao: what there is, less what open orders will take."""
    product = product_of(desk, {"id_prod": param.get("nCodProd"), "cod_int": param.get("cCodIntProd")} | param)
    quantity, _ = stock.balance(desk.company, product.id)
    return {
        "nCodProd": product.id,
        "cCodIntProd": product.code,
        "cCodigo": product.record["codigo"],
        "cDescricao": product.record["descricao"],
        "nQtdePrevista": round(quantity - reserved_of(desk, product.id), 4),
        "codigo_local_estoque": param.get("codigo_local_estoque") or stock.default_place(desk.company),
    }


def obter_produto(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterEstoqueProduto: one product, place by place."""
    product = product_of(desk, {"id_prod": param.get("nIdProduto"), "codigo": param.get("cCodigo")})
    record = product.record
    at = day(param["dDia"]) if param.get("dDia") else desk.now
    head = {
        "nIdProduto": product.id,
        "cCodigo": record["codigo"],
        "cDescricao": record["descricao"],
        "cEAN": record.get("ean", ""),
        "cNCM": record.get("ncm", ""),
        "cUnidade": record.get("unidade", ""),
    }
    lines = []
    for place in desk.company.table(stock.PLACES):
        quantity, cost = position(desk, product, at, place.id)
        reserved = reserved_of(desk, product.id) if place.id == stock.default_place(desk.company) else 0.0
        lines.append(
            {
                "nIdlocal": place.id,
                "cDescricaoLocal": place.record["descricao"],
                "nFisico": quantity,
                "nReservado": reserved,
                "nPrevisaoSaida": reserved,
                "nPrevisaoEntrada": 0.0,
                "nDisponivel": round(quantity - reserved, 4),
                "nCMC": cost,
                "nPrecoUnitario": record["valor_unitario"],
                "nEstoqueMinimo": float(record.get("estoque_minimo") or 0),
            }
        )
    return {**head, "dDia": f"{at:%d/%m/%Y}", "listaEstoque": lines, "listaProduto": head}


ASK_HANDLERS = {
    "PosicaoEstoque": posicao,
    "ListarPosEstoque": listar_posicao,
    "ListarSaldoPendente": listar_pendente,
    "MovimentoEstoque": movimento,
    "ListarMovimentoEstoque": listar_movimento,
}
LIST_HANDLERS = {"ListarMovimentos": listar_movimentos, "ConsultarPrevisao": consultar_previsao}
SUMMARY_HANDLERS = {"ObterEstoqueProduto": obter_produto}


def position(desk: Desk, product: Row, at: datetime, place: int = 0) -> tuple[float, float]:
    """Return (quantity, average cost) of a product at the end of a day."""
    return stock.balance(desk.company, product.id, place, until=at)


def reserved_of(desk: Desk, product: int) -> float:
    """Return what open orders, quotes aside, will take of a product."""
    quantity: float = sum(
        item["produto"]["quantidade"]
        for row in desk.company.table(ORDERS.table)
        if row.record["invoiced_at"] is None
        and row.record["cancelled_at"] is None
        and row.record["cabecalho"]["etapa"] != "00"
        for item in row.record["det"]
        if item["produto"]["codigo_produto"] == product
    )
    return round(quantity, 4)


def _between(desk: Desk, since: datetime, until: datetime, product: int, place: int) -> Iterator[tuple[Row, Movement]]:
    rows = desk.company.table(stock.TABLE)
    for row in rows.where("product", product) if product else rows:
        moved: Movement = row.record["movement"]
        if since <= day(moved.day) <= until and (not place or moved.place == place):
            yield row, moved


def _window(desk: Desk, param: Record, since_tag: str, until_tag: str) -> tuple[datetime, datetime]:
    since = day(param[since_tag]) if param.get(since_tag) else desk.now - _WINDOW
    return since, day(param[until_tag]) if param.get(until_tag) else desk.now


def _position(desk: Desk, row: Row, at: datetime, place: int) -> Record:
    quantity, cost = position(desk, row, at, place)
    reserved = reserved_of(desk, row.id)
    return {
        "nCodProd": row.id,
        "cCodInt": row.code,
        "cCodigo": row.record["codigo"],
        "cDescricao": row.record["descricao"],
        "nPrecoUnitario": row.record["valor_unitario"],
        "nSaldo": quantity,
        "nCMC": cost,
        "nPendente": 0.0,
        "estoque_minimo": float(row.record.get("estoque_minimo") or 0),
        "codigo_local_estoque": place or stock.default_place(desk.company),
        "reservado": reserved,
        "fisico": quantity,
    }


def _movement(row: Row, moved: Movement) -> Record:
    quantity = abs(moved.quantity)
    by_hand = moved.origin == "AJU"
    return {
        "idMov": row.id,
        "dtMov": moved.day,
        "codOrigem": moved.origin,
        "desOrigem": _ORIGINS.get(moved.origin, moved.origin),
        "numDoc": moved.document,
        "cancelamento": "N",
        "devolucao": "S" if moved.origin == "DEV" else "N",
        **({"idAjuste": int(moved.document or 0)} if by_hand else {"operacao": "11"}),
        "movPeriodo": [
            {
                "tipo": "entrada" if moved.quantity > 0 else "saida",
                "qtde": quantity,
                "cmcUnitario": moved.cost,
                "cmcTotal": round(quantity * moved.cost, 2),
            }
        ],
    }


def _listed(desk: Desk, row: Row, moved: Movement) -> Record:
    product = desk.company.table(produtos.NOUN.table).get(moved.product)
    line = {tag: value for tag, value in _movement(row, moved).items() if tag != "movPeriodo"}
    quantity, _ = stock.balance(desk.company, moved.product, moved.place, until=day(moved.day))
    return line | {
        "dtEmissao": moved.day,
        "codigo_local_estoque": moved.place,
        "idProd": moved.product,
        "descricao": "" if product is None else product.record["descricao"],
        "tipo": "entrada" if moved.quantity > 0 else "saida",
        "qtde": abs(moved.quantity),
        "cmc": moved.cost,
        "valor": round(abs(moved.quantity) * moved.cost, 2),
        "saldo": quantity,
    }


def _by_day(row: Row, days: dict[str, list[float]]) -> Record:
    return {
        "nCodProd": row.id,
        "cCodIntProd": row.code,
        "cCodigo": row.record["codigo"],
        "cDescricao": row.record["descricao"],
        "movimentos": [
            {"dDataMovimento": at, "nQtdeEntradas": came, "nQtdeSaidas": went} for at, (came, went) in days.items()
        ],
    }
