"""estoque/ajuste: adjustments by hand, each of which moves the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import produtos, stock
from omie_control.simulator.families.lists import PastEnd, day, page_of, within
from omie_control.simulator.families.records import require
from omie_control.simulator.families.stock import Movement
from omie_control.simulator.world import Desk, Record, Row

PATH = "estoque/ajuste/"
TABLE = "ajustes_estoque"
_KINDS = ("ENT", "SAI", "SLD", "TRF")
_REASONS = ("INV", "OPE", "PDV", "INI", "PER", "OPS", "CMC", "TPQ", "TRF")


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirAjusteEstoque: an entry, an exit, a balance to be reached, or a transfer between places."""
    require(param, "data", "tipo", "motivo", "origem")
    code = str(param.get("cod_int_ajuste") or "")
    known = desk.company.table(TABLE).with_code(code) if code else None
    if known is not None:
        text = f"ERROR: Já existe um ajuste de estoque para o código de integração [{code}] com o ID [{known.id}] !"
        raise Refusal("Client-1035", text)
    _refuse_bad_word("tipo", param["tipo"], _KINDS)
    _refuse_bad_word("motivo", param["motivo"], _REASONS)
    day(param["data"])
    product = product_of(desk, param)
    place = place_of(desk, param.get("codigo_local_estoque"))
    quantity = float(param.get("quan") or 0)
    if quantity < 0 or (quantity == 0 and param["tipo"] != "SLD"):
        raise Refusal("Client-101", "ERROR: A quantidade do ajuste deve ser maior que zero!")
    record = {tag: value for tag, value in param.items() if tag not in ("cod_int", "cod_int_ajuste")}
    record |= {"id_prod": product.id, "codigo_local_estoque": place, "quan": quantity}
    row = desk.add(TABLE, record, code)
    row.record["moved"] = [stock.move(desk, each).id for each in _movements(desk, row)]
    return _status(row, row.record["moved"][0], "Ajuste de estoque cadastrado com sucesso!")


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirAjusteEstoque: what it moved goes back."""
    row = desk.company.table(TABLE).get(param.get("id_ajuste") or 0)
    if row is None:
        text = f"ERROR: Ajuste de estoque não cadastrado para o Código [{param.get('id_ajuste')}] !"
        raise Refusal("Client-105", text)
    ledger = desk.company.table(stock.TABLE)
    for id in row.record["moved"]:
        moved = ledger.get(id)
        if moved is not None:
            desk.remove(stock.TABLE, moved)
    desk.remove(TABLE, row)
    return _status(row, row.record["moved"][0], "Ajuste de estoque excluído com sucesso!")


def alterar_minimo(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarEstoqueMinimo."""
    product = product_of(desk, param)
    place_of(desk, param.get("codigo_local_estoque"))
    desk.change(produtos.NOUN.table, product, {"estoque_minimo": float(param.get("quan_min") or 0)})
    return {"codigo_status": "0", "descricao_status": "Estoque mínimo alterado com sucesso!"}


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarAjusteEstoque."""
    rows = [row for row in desk.company.table(TABLE) if _is_wanted(row, param)]
    return page_of(catalog().method(PATH, "ListarAjusteEstoque"), param, rows, _adjustment, PastEnd.EMPTY)


HANDLERS = {
    "IncluirAjusteEstoque": incluir,
    "ExcluirAjusteEstoque": excluir,
    "AlterarEstoqueMinimo": alterar_minimo,
    "ListarAjusteEstoque": listar,
}


def product_of(desk: Desk, param: Record) -> Row:
    """Return the product of `id_prod`, of the integration code `cod_int`, or of its own `codigo`."""
    own = param.get("codigo") or param.get("cCodigo")
    if not (param.get("id_prod") or param.get("cod_int") or own):
        raise Refusal("Client-1000", "ERROR: O preenchimento da(s) tag(s) [id_prod] ou [cod_int] é obrigatório!")
    key = {"codigo_produto": param.get("id_prod"), "codigo_produto_integracao": param.get("cod_int")}
    return produtos.find(desk, key | {"codigo": own})


def place_of(desk: Desk, id: int | None) -> int:
    """Return a place's id, the usual one when none is named, or refuse one that does not exist."""
    if not id:
        return stock.default_place(desk.company)
    if desk.company.table(stock.PLACES).get(id) is None:
        raise Refusal("Client-1070", f"ERROR: Local do Estoque não cadastrado para o Código [{id}] !")
    return id


def _movements(desk: Desk, row: Row) -> Iterator[Movement]:
    record = row.record
    kind, quantity, cost = record["tipo"], record["quan"], float(record.get("valor") or 0)
    place, product = record["codigo_local_estoque"], record["id_prod"]

    def moved(quantity: float, place: int) -> Movement:
        return Movement(product, place, record["data"], quantity, cost, "AJU", record["motivo"], str(row.id))

    if kind == "TRF":
        yield moved(-quantity, place)
        yield moved(quantity, place_of(desk, record.get("codigo_local_estoque_destino")))
    elif kind == "SLD":
        held, _ = stock.balance(desk.company, product, place)
        yield moved(round(quantity - held, 4), place)
    else:
        yield moved(quantity if kind == "ENT" else -quantity, place)


def _is_wanted(row: Row, param: Record) -> bool:
    same = ("codigo_local_estoque", "id_prod", "tipo", "origem", "motivo")
    return (
        all(param.get(tag) in (None, "", 0, row.record.get(tag)) for tag in same)
        and param.get("cod_int_ajuste") in (None, "", row.code)
        and within(param, "data_movimento_de", "data_movimento_ate", row.record["data"])
    )


def _adjustment(row: Row) -> Record:
    record = row.record
    tags = ("codigo_local_estoque", "id_prod", "data", "obs", "quan", "valor", "tipo", "origem", "motivo")
    shown = {tag: record[tag] for tag in tags if tag in record}
    target = record.get("codigo_local_estoque_destino")
    shown |= {"codigo_local_estoque_ds": target} if target else {}
    return {"id_ajuste": row.id, "cod_int_ajuste": row.code, "bloqueado": "N", "imp_api": "S", **shown}


def _refuse_bad_word(tag: str, word: str, words: tuple[str, ...]) -> None:
    if word not in words:
        text = f"ERROR: Conteúdo inválido para a tag [{tag}]! Valores permitidos: {', '.join(words)}"
        raise Refusal("Client-105", text)


def _status(row: Row, moved: int, text: str) -> dict[str, Any]:
    return {"codigo_status": "0", "descricao_status": text, "id_movest": moved, "id_ajuste": row.id}
