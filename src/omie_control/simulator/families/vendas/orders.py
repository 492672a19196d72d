"""A sales order as it is kept: how it is found, what refuses it, and how it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes
from omie_control.simulator.families.lists import day
from omie_control.simulator.families.records import Noun, info, require
from omie_control.simulator.families.references import refuse_bad_account, refuse_bad_category
from omie_control.simulator.families.vendas import itens
from omie_control.simulator.world import Desk, Record, Row

NOUN = Noun(
    "pedidos",
    "Pedido",
    "codigo_pedido",
    "codigo_pedido_integracao",
    unknown_code="Client-18800",
    unknown_id="Client-18800",
)
QUOTE, INVOICING, INVOICED, RETURNED = "00", "50", "60", "70"
OPEN_STAGES = (QUOTE, "10", "20", "30", "40", INVOICING)
_PARTS = ("frete", "informacoes_adicionais", "observacoes", "lista_parcelas", "exportacao", "market_place")
_OWN = frozenset({"codigo_pedido", "codigo_pedido_integracao", "numero_pedido", "quantidade_itens", "codigo_cliente"})


def find(desk: Desk, key: Record) -> Row:
    """Return an order by id, integration code or number (padded with zeros or not), or refuse."""
    number = str(key.get("numero_pedido") or "").lstrip("0")
    if key.get(NOUN.id_tag) or key.get(NOUN.code_tag) or not number:
        return NOUN.find(desk, key)
    row = next((each for each in desk.company.table(NOUN.table) if each.record["number"].lstrip("0") == number), None)
    if row is None:
        raise Refusal(NOUN.unknown_id, f"ERROR: Pedido não cadastrado para o Código [{key['numero_pedido']}] !")
    return row


def find_by_short_key(desk: Desk, key: Record) -> Row:
    """Return an order by the tags that its invoicing service has for the same two keys."""
    return find(desk, {NOUN.id_tag: key.get("nCodPed"), NOUN.code_tag: key.get("cCodIntPed")})


def new_record(desk: Desk, param: Record) -> Record:
    """Return the record that a new order leaves, or refuse what it lacks or refers to."""
    head: Record = param.get("cabecalho", {})
    require(head, NOUN.code_tag, "data_previsao", "etapa", "codigo_parcela")
    require(param.get("informacoes_adicionais", {}), "codigo_categoria", "codigo_conta_corrente")
    require(param, "det")
    for item in param["det"]:
        require(item.get("ide", {}), "codigo_item_integracao")
    refuse_bad_stage(head["etapa"])
    record = {
        "cabecalho": _head(desk, head),
        "det": [itens.build(desk, item) for item in param["det"]],
        "departamentos": param.get("departamentos", []),
        "number": f"{desk.company.next_number(NOUN.table)}",
        "stages": [(head["etapa"], desk.now)],
        "cancelled_at": None,
        "invoiced_at": None,
        "returned_at": None,
        "note": 0,
        **{part: dict(param[part]) for part in _PARTS if part in param},
    }
    _refuse_bad(desk, record)
    return record


def change(desk: Desk, row: Row, param: Record) -> None:
    """Change an order with the parts that came; what came of a part is laid over the part."""
    refuse_closed(row)
    record = row.record
    head: Record = param.get("cabecalho", {})
    changed: Record = {part: {**record.get(part, {}), **param[part]} for part in _PARTS if part in param}
    merged = {**record["cabecalho"], **{tag: value for tag, value in head.items() if tag not in _OWN}}
    if head.get("codigo_cliente") or head.get("codigo_cliente_integracao"):
        merged = _head(desk, {**merged, "codigo_cliente": head.get("codigo_cliente"), **head})
    changed["cabecalho"] = merged
    if head.get("etapa") and head["etapa"] != record["cabecalho"]["etapa"]:
        refuse_bad_stage(head["etapa"])
        changed["stages"] = [*record["stages"], (head["etapa"], desk.now)]
    if "det" in param:
        changed["det"] = itens.merge(desk, record["det"], param["det"])
    if "departamentos" in param:
        changed["departamentos"] = param["departamentos"]
    _refuse_bad(desk, record | changed)
    desk.change(NOUN.table, row, changed)


def move_to(desk: Desk, row: Row, stage: str, **marks: Any) -> None:
    """Put an order at a stage, and remember when."""
    head = row.record["cabecalho"] | {"etapa": stage}
    stages = [*row.record["stages"], (stage, desk.now)]
    desk.change(NOUN.table, row, {"cabecalho": head, "stages": stages, **marks})


def refuse_closed(row: Row) -> None:
    """Refuse to change an order that is cancelled or invoiced."""
    number = row.record["number"]
    if row.record["cancelled_at"] is not None:
        raise Refusal("Client-101", f"ERROR: O pedido [{number}] está cancelado e não pode ser alterado!")
    if row.record["invoiced_at"] is not None:
        raise Refusal("Client-101", f"ERROR: O pedido [{number}] já foi faturado e não pode ser alterado!")


def refuse_bad_stage(stage: str) -> None:
    """Refuse a stage that only invoicing leads to, or that does not exist."""
    if stage not in OPEN_STAGES:
        raise Refusal(
            "Client-105",
            f"ERROR: Conteúdo inválido para a tag [etapa]! Valores permitidos: {', '.join(OPEN_STAGES)}",
        )


def value_of(row: Row) -> float:
    """Return what an order comes to."""
    total: float = itens.totals(row.record)["valor_total_pedido"]
    return total


def full(row: Row) -> Record:
    """Return an order as ConsultarPedido shows it, without its wrapping."""
    record = row.record
    shown = {part: record[part] for part in (*_PARTS, "departamentos") if record.get(part)}
    return {
        "cabecalho": {
            **record["cabecalho"],
            NOUN.id_tag: row.id,
            NOUN.code_tag: row.code,
            "numero_pedido": record["number"],
            "quantidade_itens": len(record["det"]),
            "bloqueado": "N",
            "importado_api": "S" if row.code else "N",
        },
        "det": record["det"],
        **shown,
        "lista_parcelas": {"parcela": itens.parcels(record)},
        "total_pedido": itens.totals(record),
        "infoCadastro": _marks(row),
    }


def _marks(row: Row) -> Record:
    record = row.record
    marks = info(row)
    for tag, at in (("Can", record["cancelled_at"]), ("Fat", record["invoiced_at"])):
        if at is not None:
            marks |= {f"d{tag}": f"{at:%d/%m/%Y}", f"h{tag}": f"{at:%H:%M:%S}", f"u{tag}": "WEBSERVICE"}
    return {
        **marks,
        "cancelado": _flag(record["cancelled_at"]),
        "faturado": _flag(record["invoiced_at"]),
        "autorizado": _flag(record["invoiced_at"]),
        "devolvido": _flag(record["returned_at"]),
        "devolvido_parcial": "N",
        "denegado": "N",
    }


def _flag(at: datetime | None) -> str:
    return "N" if at is None else "S"


def _head(desk: Desk, head: Record) -> Record:
    key = {
        clientes.NOUN.id_tag: head.get("codigo_cliente"),
        clientes.NOUN.code_tag: head.get("codigo_cliente_integracao"),
    }
    customer = clientes.NOUN.find(desk, key)
    kept = {tag: value for tag, value in head.items() if tag not in _OWN}
    return {"origem_pedido": "API", **kept, "codigo_cliente": customer.id}


def _refuse_bad(desk: Desk, record: Record) -> None:
    if not record["det"]:
        raise Refusal("Client-101", "ERROR: O pedido precisa de pelo menos um item!")
    day(record["cabecalho"]["data_previsao"])
    more = record["informacoes_adicionais"]
    refuse_bad_category(desk, more.get("codigo_categoria"))
    refuse_bad_account(desk, more.get("codigo_conta_corrente"))
    itens.refuse_bad_parcels(record)
    itens.parcels(record)
