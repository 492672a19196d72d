"""Sales invoices (NF-e): booking one from an order, with its titles and its exit from the stock, and undoing it."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Any

from omie_control.simulator.documents import bare, invent_cnpj
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import contas_receber, stock
from omie_control.simulator.families.stock import Movement
from omie_control.simulator.families.vendas import itens
from omie_control.simulator.world import Company, Desk, Record, Row

TABLE = "notas"
_SAO_PAULO, _MODEL, _SERIES = "35", "55", "1"


@lru_cache(maxsize=64)
def document_of(app_key: str) -> str:
    """Return the made-up CNPJ of a simulated company."""
    return invent_cnpj(Random(app_key))  # noqa: S311


def invoice(desk: Desk, order: Row, *, with_titles: bool = True) -> Row:
    """Book the invoice of an order: the note, a receivable an instalment, and the goods' exit."""
    number = desk.company.next_number(TABLE)
    record = order.record
    more = record["informacoes_adicionais"]
    note = {
        "order": order.id,
        "number": f"{number:08d}",
        "series": _SERIES,
        "key": _key(desk, number),
        "emitted_at": desk.now,
        "cancelled_at": None,
        "customer": record["cabecalho"]["codigo_cliente"],
        "det": record["det"],
        "value": itens.totals(record)["valor_total_pedido"],
        "category": more.get("codigo_categoria", ""),
        "project": more.get("codProj", 0),
        "seller": more.get("codVend", 0),
        "titles": [],
    }
    row = desk.add(TABLE, note, "")
    if with_titles:
        row.record["titles"] = [_title(desk, order, row, parcel).id for parcel in _financial(record)]
    for item in record["det"]:
        _leave(desk, item, row)
    return row


def cancel(desk: Desk, note: Row) -> None:
    """Cancel a note: its titles go and its goods come back; settled titles hold it."""
    side = contas_receber.SIDE
    titles = [row for id in note.record["titles"] if (row := desk.company.table(side.table).get(id)) is not None]
    if any(side.is_settled(desk, title) for title in titles):
        raise Refusal("Client-101", "ERROR: A nota possui títulos com baixa e não pode ser cancelada!")
    for title in titles:
        desk.remove(side.table, title)
    for item in note.record["det"]:
        _leave(desk, item, note, sign=1, origin="DEV")
    desk.change(TABLE, note, {"cancelled_at": desk.now, "titles": []})


def take_back(desk: Desk, order: Row, only: Record | None) -> int:
    """Bring an order's goods, or the one product that is named, back to the stock; returns the return's id."""
    note = desk.company.table(TABLE).get(order.record["note"])
    if note is None:
        raise Refusal("Client-101", "ERROR: A nota fiscal do pedido não foi encontrada!")
    returned = 0
    for item in note.record["det"]:
        if only and item["produto"]["codigo_produto"] != only.get("codigo_produto"):
            continue
        quantity = min(float((only or {}).get("quantidade") or 1e9), item["produto"]["quantidade"])
        back = {**item, "produto": {**item["produto"], "quantidade": quantity}}
        returned = _leave(desk, back, note, sign=1, origin="DEV") or returned
    if not returned:
        raise Refusal("Client-105", "ERROR: Produto não encontrado no pedido!")
    return returned


def status(note: Row) -> dict[str, Any]:
    """Return a note as StatusPedido lists it."""
    record = note.record
    at = record["emitted_at"]
    return {
        "numero_lote": note.id,
        "status_lote": "100",
        "contingencia": "N",
        "numero_nfe": record["number"],
        "serie_nfe": record["series"],
        "status_nfe": "100" if record["cancelled_at"] is None else "101",
        "chave_nfe": record["key"],
        "tipo": "S",
        "data_emissao": f"{at:%d/%m/%Y}",
        "hora_emissao": f"{at:%H:%M:%S}",
        "mensagens": [{"cCodigo": "100", "cDescricao": "Autorizado o uso da NF-e", "cCorrecao": ""}],
    }


def _financial(order: Record) -> list[Record]:
    """Return the instalments that become titles; items outside the finances lower each of them."""
    total = itens.totals(order)["valor_total_pedido"]
    outside = sum(
        item["produto"]["valor_total"]
        for item in order["det"]
        if item.get("inf_adic", {}).get("nao_gerar_financeiro") == "S"
    )
    if not total or outside >= total:
        return []
    share = (total - outside) / total
    return [{**each, "valor": round(float(each["valor"]) * share, 2)} for each in itens.parcels(order)]


def _title(desk: Desk, order: Row, note: Row, parcel: Record) -> Row:
    more, count = order.record["informacoes_adicionais"], len(itens.parcels(order.record))
    refers = {"codigo_projeto": more.get("codProj"), "codigo_vendedor": more.get("codVend")}
    return contas_receber.SIDE.book(
        desk,
        {
            "codigo_cliente_fornecedor": order.record["cabecalho"]["codigo_cliente"],
            "data_vencimento": parcel["data_vencimento"],
            "valor_documento": parcel["valor"],
            "codigo_categoria": more["codigo_categoria"],
            "id_conta_corrente": more["codigo_conta_corrente"],
            "numero_parcela": f"{parcel['numero_parcela']:03d}/{count:03d}",
            "numero_documento": note.record["number"],
            **origin(order, note),
            **{tag: value for tag, value in refers.items() if value},
        },
    )


def origin(order: Row, note: Row) -> Record:
    """Return what a title of an order says about where it comes from."""
    return {
        "numero_documento_fiscal": note.record["number"],
        "numero_pedido": order.record["number"],
        "chave_nfe": note.record["key"],
        "nCodPedido": order.id,
        "id_origem": "VENR",
    }


def _leave(desk: Desk, item: Record, note: Row, *, sign: int = -1, origin: str = "VEN") -> int:
    if item.get("inf_adic", {}).get("nao_movimentar_estoque") == "S":
        return 0
    product = item["produto"]
    _, cost = stock.balance(desk.company, product["codigo_produto"])
    place = item.get("inf_adic", {}).get("codigo_local_estoque") or stock.default_place(desk.company)
    moved = stock.move(
        desk,
        Movement(
            product=product["codigo_produto"],
            place=place,
            day=f"{desk.now:%d/%m/%Y}",
            quantity=sign * product["quantidade"],
            cost=cost,
            origin=origin,
            reason="PDV",
            document=note.record["number"],
            counterpart=note.record["customer"],
        ),
    )
    return moved.id


def _key(desk: Desk, number: int) -> str:
    """Build an access key of 44 digits, the last of which checks the others."""
    company: Company = desk.company
    document = bare(document_of(company.app_key))
    base = f"{_SAO_PAULO}{desk.now:%y%m}{document}{_MODEL}{int(_SERIES):03d}{number:09d}1{number * 7919 % 10**8:08d}"
    rest = sum((ord(letter) - 48) * (2 + index % 8) for index, letter in enumerate(reversed(base))) % 11
    return base + str(0 if rest < 2 else 11 - rest)
