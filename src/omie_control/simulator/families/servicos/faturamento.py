"""servicos/osp and servicos/oslote: checking, invoicing, cancelling and copying work orders, alone or in lots."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import PastEnd, page_of, within
from omie_control.simulator.families.records import require
from omie_control.simulator.families.servicos import notas_servico
from omie_control.simulator.families.servicos.orders import INVOICED, INVOICING, NOUN, find, move_to
from omie_control.simulator.world import Desk, Record, Row

PATH = "servicos/osp/"
LOT_PATH = "servicos/oslote/"
LOTS = "lotes_os"


def validar(desk: Desk, param: Record) -> dict[str, Any]:
    """ValidarOS: what is wrong comes in the answer, not as a fault."""
    row = find(desk, param)
    reason = obstacle(row)
    return _status(row, "A OS pode ser faturada!") if reason is None else _status(row, reason, code="1")


def faturar(desk: Desk, param: Record) -> dict[str, Any]:
    """FaturarOS."""
    row = find(desk, param)
    reason = obstacle(row)
    if reason is not None:
        raise Refusal("Client-101", f"ERROR: {reason}")
    invoice(desk, row)
    return _status(row, "Ordem de serviço faturada com sucesso!")


def cancelar(desk: Desk, param: Record) -> dict[str, Any]:
    """CancelarOS: the order keeps its stage; an invoiced one loses its note with it."""
    row = find(desk, param)
    if row.record["cancelled_at"] is not None:
        raise Refusal("Client-101", "ERROR: A ordem de serviço já está cancelada!")
    note = desk.company.table(notas_servico.TABLE).get(row.record["note"])
    if note is not None:
        notas_servico.cancel(desk, note)
    desk.change(NOUN.table, row, {"cancelled_at": desk.now})
    return _status(row, "Ordem de serviço cancelada com sucesso!")


def duplicar(desk: Desk, param: Record) -> dict[str, Any]:
    """DuplicarOS: the copy is open, has no integration code, and a number of its own."""
    row = find(desk, param)
    fresh = {
        "Cabecalho": row.record["Cabecalho"] | {"cEtapa": "10"},
        "number": f"{desk.company.next_number(NOUN.table):015d}",
        "cancelled_at": None,
        "invoiced_at": None,
        "note": 0,
    }
    return _status(desk.add(NOUN.table, row.record | fresh, ""), "Ordem de serviço duplicada com sucesso!")


def associar(desk: Desk, param: Record) -> dict[str, Any]:
    """AssociarCodIntOS."""
    require(param, "nCodOS", "cCodIntOS")
    row = find(desk, {"nCodOS": param["nCodOS"]})
    NOUN.refuse_known_code(desk, param["cCodIntOS"], but=row)
    desk.name(NOUN.table, row, param["cCodIntOS"])
    return _status(row, "Código de integração associado com sucesso!")


def reenviar(desk: Desk, param: Record) -> dict[str, Any]:
    """ReenviarOS: sends the note of an invoiced order to the city hall once more."""
    row = find(desk, param)
    if row.record["invoiced_at"] is None:
        raise Refusal("Client-101", "ERROR: A ordem de serviço ainda não foi faturada!")
    desk.change(NOUN.table, row, {})
    return _status(row, "Ordem de serviço reenviada com sucesso!")


def obter(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterOS: the open orders that stand at a stage."""
    stage = param.get("cEtapa") or INVOICING
    rows = [{"nIdPed": row.id, "cNumPedido": row.record["number"]} for row in _open_at(desk, stage)]
    return {"cEtapa": stage, "listaOS": rows}


def faturar_lote(desk: Desk, param: Record) -> dict[str, Any]:
    """FaturarLoteOS: invoices all open orders of a stage; ours is done when it answers."""
    stage = param.get("cEtapa") or INVOICING
    rows = _open_at(desk, stage)
    for row in rows:
        invoice(desk, row)
    lot = add_lot(desk, LOTS, [row.id for row in rows])
    text = "Lote de faturamento criado com sucesso!"
    return {"nQtdeFat": len(rows), "nIdLoteFat": lot.id, "cCodStatus": "0", "cDesStatus": text}


def status_lote(desk: Desk, param: Record) -> dict[str, Any]:
    """StatusLoteOS."""
    return shown_lot(find_lot(desk, LOTS, param))


def listar_lotes(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarLotesOS."""
    rows = lots(desk, LOTS, param)
    return page_of(catalog().method(LOT_PATH, "ListarLotesOS"), param, rows, shown_lot, PastEnd.EMPTY)


def listar_notas(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarLoteNfse."""
    rows = [
        row
        for row in desk.company.table(notas_servico.TABLE)
        if param.get("dDtFat") in (None, "", f"{row.record['emitted_at']:%d/%m/%Y}")
        and param.get("cStatusLote") in (None, "", "004")
    ]
    method = catalog().method(LOT_PATH, "ListarLoteNfse")
    return page_of(method, param, rows, lambda row: _note(desk, row), PastEnd.EMPTY)


HANDLERS = {
    "ValidarOS": validar,
    "FaturarOS": faturar,
    "CancelarOS": cancelar,
    "DuplicarOS": duplicar,
    "AssociarCodIntOS": associar,
    "ReenviarOS": reenviar,
    "ObterOS": obter,
}
LOT_HANDLERS = {
    "FaturarLoteOS": faturar_lote,
    "StatusLoteOS": status_lote,
    "ListarLotesOS": listar_lotes,
    "ListarLoteNfse": listar_notas,
}


def obstacle(row: Row) -> str | None:
    """Return why an order cannot be invoiced, or None when it can."""
    record = row.record
    if record["cancelled_at"] is not None:
        return "A ordem de serviço está cancelada!"
    if record["invoiced_at"] is not None:
        return "A ordem de serviço já foi faturada!"
    if record["Cabecalho"]["cEtapa"] != INVOICING:
        return f"A ordem de serviço não está na etapa de faturamento [{INVOICING}]!"
    return None


def invoice(desk: Desk, row: Row) -> None:
    """Book the note and close the order."""
    note = notas_servico.invoice(desk, row)
    move_to(desk, row, INVOICED, invoiced_at=desk.now, note=note.id)


def add_lot(desk: Desk, table: str, done: list[int]) -> Row:
    """Write down a lot and what it did."""
    return desk.add(table, {"done": done}, "")


def find_lot(desk: Desk, table: str, param: Record) -> Row:
    """Return a lot, or refuse."""
    row = desk.company.table(table).get(param.get("nIdLoteFat") or 0)
    if row is None:
        raise Refusal("Client-105", f"ERROR: Lote não cadastrado para o Código [{param.get('nIdLoteFat')}] !")
    return row


def lots(desk: Desk, table: str, param: Record) -> list[Row]:
    """Return the lots that pass the filters."""
    return [
        row
        for row in desk.company.table(table)
        if param.get("nIdLoteFat") in (None, 0, row.id)
        and within(param, "dDtIncDe", "dDtIncAte", f"{row.created_at:%d/%m/%Y}")
    ]


def shown_lot(row: Row) -> Record:
    """Return a lot as it is shown."""
    at = row.created_at
    day, time = f"{at:%d/%m/%Y}", f"{at:%H:%M:%S}"
    shown: Record = {"nIdLoteFat": row.id, "cOrigem": "API", "cStatus": "Concluído"}
    shown |= dict.fromkeys(("nQtdeTotal", "nQtdeProcessadas"), len(row.record["done"]))
    shown |= dict.fromkeys(("dUltimaAtual", "dInicioProc", "dConclusaoProc"), day)
    return shown | dict.fromkeys(("hUltimaAtual", "hInicioProc", "hConclusaoProc"), time)


def _open_at(desk: Desk, stage: str) -> list[Row]:
    return [
        row
        for row in desk.company.table(NOUN.table)
        if row.record["Cabecalho"]["cEtapa"] == stage
        and row.record["cancelled_at"] is None
        and row.record["invoiced_at"] is None
    ]


def _note(desk: Desk, row: Row) -> Record:
    record = row.record
    order = desk.company.table(NOUN.table).get(record["order"])
    return {
        "nLote": int(record["number"]),
        "cNumOs": "" if order is None else order.record["number"],
        "nCodOS": record["order"],
        "cNumRps": record["number"],
        "cNumNfse": record["number"],
        "nCodNF": row.id,
        "dDtFat": f"{record['emitted_at']:%d/%m/%Y}",
        "cStatusLote": "004",
    }


def _status(row: Row, text: str, *, code: str = "0") -> dict[str, Any]:
    return {"nCodOS": row.id, "cCodIntOS": row.code, "cCodStatus": code, "cDescStatus": text}
