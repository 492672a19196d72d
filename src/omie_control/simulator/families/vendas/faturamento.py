"""produtos/pedidovendafat: checking, invoicing, cancelling and copying orders."""

from __future__ import annotations

from typing import Any

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, notas
from omie_control.simulator.families.records import require
from omie_control.simulator.families.vendas.orders import (
    INVOICED,
    INVOICING,
    NOUN,
    find_by_short_key,
    move_to,
)
from omie_control.simulator.world import Desk, Record, Row

PATH = "produtos/pedidovendafat/"


def validar(desk: Desk, param: Record) -> dict[str, Any]:
    """ValidarPedidoVenda: what is wrong comes in the answer, not as a fault."""
    row = find_by_short_key(desk, param)
    reason = _obstacle(desk, row)
    return _status(row, "O pedido pode ser faturado!") if reason is None else _status(row, reason, code="1")


def faturar(desk: Desk, param: Record) -> dict[str, Any]:
    """FaturarPedidoVenda: the note, its titles and its exit from the stock are made at once."""
    row = find_by_short_key(desk, param)
    reason = _obstacle(desk, row)
    if reason is not None:
        raise Refusal("Client-101", f"ERROR: {reason}")
    note = notas.invoice(desk, row)
    move_to(desk, row, INVOICED, invoiced_at=desk.now, note=note.id)
    return _status(row, "Pedido faturado com sucesso!")


def cancelar(desk: Desk, param: Record) -> dict[str, Any]:
    """CancelarPedidoVenda: the order keeps its stage; an invoiced one loses its note with it."""
    row = find_by_short_key(desk, param)
    if row.record["cancelled_at"] is not None:
        raise Refusal("Client-101", f"ERROR: O pedido [{row.record['number']}] já está cancelado!")
    note = desk.company.table(notas.TABLE).get(row.record["note"])
    if note is not None:
        notas.cancel(desk, note)
    desk.change(NOUN.table, row, {"cancelled_at": desk.now})
    return _status(row, "Pedido cancelado com sucesso!")


def duplicar(desk: Desk, param: Record) -> dict[str, Any]:
    """DuplicarPedidoVenda: the copy is open, has no integration code, and a number of its own."""
    row = find_by_short_key(desk, param)
    fresh = {
        "number": str(desk.company.next_number(NOUN.table)),
        "cabecalho": row.record["cabecalho"] | {"etapa": "10"},
        "det": [_copied(desk, item) for item in row.record["det"]],
        "stages": [("10", desk.now)],
        "cancelled_at": None,
        "invoiced_at": None,
        "returned_at": None,
        "note": 0,
    }
    return _status(desk.add(NOUN.table, row.record | fresh, ""), "Pedido duplicado com sucesso!")


def associar(desk: Desk, param: Record) -> dict[str, Any]:
    """AssociarCodIntPedidoVenda."""
    require(param, "nCodPed", "cCodIntPed")
    row = find_by_short_key(desk, {"nCodPed": param["nCodPed"]})
    NOUN.refuse_known_code(desk, param["cCodIntPed"], but=row)
    desk.name(NOUN.table, row, param["cCodIntPed"])
    return _status(row, "Código de integração associado com sucesso!")


def obter(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterPedidosVenda: the open orders that stand at a stage."""
    stage = param.get("cEtapa") or INVOICING
    rows = [
        row
        for row in desk.company.table(NOUN.table)
        if row.record["cabecalho"]["etapa"] == stage and row.record["cancelled_at"] is None
    ]
    listed = [{"nIdPed": row.id, "cNumPedido": row.record["number"]} for row in rows]
    return {"cEtapa": stage, "listaPedidosVenda": listed}


HANDLERS = {
    "ValidarPedidoVenda": validar,
    "FaturarPedidoVenda": faturar,
    "CancelarPedidoVenda": cancelar,
    "DuplicarPedidoVenda": duplicar,
    "AssociarCodIntPedidoVenda": associar,
    "ObterPedidosVenda": obter,
}


def _obstacle(desk: Desk, row: Row) -> str | None:
    record = row.record
    number = record["number"]
    if record["cancelled_at"] is not None:
        return f"O pedido [{number}] está cancelado!"
    if record["invoiced_at"] is not None:
        return f"O pedido [{number}] já foi faturado!"
    if record["cabecalho"]["etapa"] != INVOICING:
        return f"O pedido [{number}] não está na etapa de faturamento [{INVOICING}]!"
    customer = desk.company.table(clientes.NOUN.table).get(record["cabecalho"]["codigo_cliente"])
    if customer is None or customer.record.get("bloquear_faturamento") == "S":
        return "O cliente do pedido está bloqueado para faturamento!"
    return None if customer.record.get("cnpj_cpf") else "O cliente do pedido não possui CPF/CNPJ!"


def _copied(desk: Desk, item: Record) -> Record:
    ide = {
        "codigo_item": next(desk.company.ids),
        "codigo_item_integracao": item["ide"].get("codigo_item_integracao", ""),
    }
    return {**item, "ide": ide}


def _status(row: Row, text: str, *, code: str = "0") -> dict[str, Any]:
    return {"nCodPed": row.id, "cCodIntPed": row.code, "cCodStatus": code, "cDescStatus": text}
