"""The items of a sales order, what they add up to, and in which instalments that is due."""

from __future__ import annotations

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import produtos
from omie_control.simulator.families.lists import day
from omie_control.simulator.families.records import require
from omie_control.simulator.families.terms import instalments, term_of
from omie_control.simulator.world import Desk, Record

_CFOP = "5.102"
_FREIGHT = ("valor_frete", "valor_seguro", "outras_despesas")
_ZEROS = ("base_calculo_st", "valor_st", "valor_IPI", "valor_pis", "valor_cofins", "valor_iss", "valor_deducoes")


def build(desk: Desk, given: Record) -> Record:
    """Return an item as Omie keeps it: numbered, described, and reckoned."""
    ide: Record = given.get("ide", {})
    require(given.get("produto", {}), "quantidade")
    item = {tag: dict(part) if isinstance(part, dict) else part for tag, part in given.items()}
    item["ide"] = {tag: value for tag, value in ide.items() if tag != "acao_item"}
    item["ide"].setdefault("codigo_item", next(desk.company.ids))
    item["produto"] = _product(desk, given["produto"])
    return item


def merge(desk: Desk, kept: list[Record], given: list[Record]) -> list[Record]:
    """Apply the items that an alteration brings: known ones change or leave (`acao_item` E), others are added."""
    items = list(kept)
    for each in given:
        place = next((index for index, item in enumerate(items) if is_same(item, each.get("ide", {}))), None)
        action = str(each.get("ide", {}).get("acao_item", "")).upper()
        if place is None and action == "E":
            raise Refusal("Client-105", "ERROR: Item não cadastrado para o Código [0] !")
        if place is None:
            items.append(build(desk, each))
        elif action == "E":
            del items[place]
        else:
            old = items[place]
            joined = {**old, **each, "ide": old["ide"], "produto": {**old["produto"], **each.get("produto", {})}}
            items[place] = build(desk, joined)
    return items


def is_same(item: Record, key: Record) -> bool:
    """Say whether a key, by id or else by integration code, is this item's."""
    id, code = key.get("codigo_item"), key.get("codigo_item_integracao")
    own = item["ide"]
    return own["codigo_item"] == id if id else bool(code) and own.get("codigo_item_integracao") == code


def totals(record: Record) -> Record:
    """Return the totals of an order; taxes are those of a company that pays none on each sale."""
    products = [item["produto"] for item in record["det"] if _counts(item)]
    goods = round(sum(each["valor_mercadoria"] for each in products), 2)
    discount = round(sum(each["valor_desconto"] for each in products), 2)
    discount = round(discount + _discount_of_order(record["cabecalho"], goods - discount), 2)
    freight = sum(float(record.get("frete", {}).get(tag) or 0) for tag in _FREIGHT)
    return {
        **dict.fromkeys(_ZEROS, 0.0),
        "base_calculo_icms": round(goods - discount, 2),
        "valor_icms": 0.0,
        "valor_mercadorias": goods,
        "valor_descontos": discount,
        "valor_total_pedido": round(goods - discount + freight, 2),
    }


def parcels(record: Record) -> list[Record]:
    """Return the instalments: those that the order was given, else those of its payment condition."""
    total = totals(record)["valor_total_pedido"]
    own: list[Record] = record.get("lista_parcelas", {}).get("parcela", [])
    if own:
        return own
    head = record["cabecalho"]
    term = term_of(head["codigo_parcela"], head.get("qtde_parcelas", 0))
    return [
        {
            "numero_parcela": number,
            "data_vencimento": due,
            "valor": value,
            "percentual": round(100 * value / total, 4) if total else 0.0,
            "quantidade_dias": days,
        }
        for number, (days, due, value) in enumerate(instalments(term, total, day(head["data_previsao"])), 1)
    ]


def refuse_bad_parcels(record: Record) -> None:
    """Refuse instalments of the caller's own that do not add up to the order."""
    own: list[Record] = record.get("lista_parcelas", {}).get("parcela", [])
    total = totals(record)["valor_total_pedido"]
    if own and abs(sum(float(each.get("valor") or 0) for each in own) - total) > 0.01:
        raise Refusal("Client-101", f"ERROR: A soma das parcelas é diferente do valor total do pedido [{total:.2f}]!")
    for each in own:
        day(str(each.get("data_vencimento") or ""))


def _product(desk: Desk, given: Record) -> Record:
    row = produtos.find(desk, given)
    known = row.record
    if known.get("inativo") == "S":
        raise Refusal("Client-115", f"ERROR: O produto [{known['codigo'] or row.id}] está inativo!")
    quantity = float(given["quantidade"])
    price = float(given.get("valor_unitario") or known.get("valor_unitario") or 0)
    if quantity <= 0 or price <= 0:
        raise Refusal("Client-101", "ERROR: A quantidade e o valor unitário do item devem ser maiores que zero!")
    goods = round(quantity * price, 2)
    discount = _discount(given, goods)
    filled = {tag: known[tag] for tag in ("codigo", "descricao", "ncm", "unidade") if known.get(tag)}
    return {
        "cfop": _CFOP,
        **given,
        **filled,
        "codigo_produto": row.id,
        "codigo_produto_integracao": row.code,
        "quantidade": quantity,
        "valor_unitario": price,
        "valor_mercadoria": goods,
        "tipo_desconto": given.get("tipo_desconto") or "V",
        "percentual_desconto": round(100 * discount / goods, 4),
        "valor_desconto": discount,
        "valor_total": round(goods - discount, 2),
        "reservado": "N",
    }


def _discount(given: Record, goods: float) -> float:
    if given.get("tipo_desconto") == "P":
        discount = round(goods * float(given.get("percentual_desconto") or 0) / 100, 2)
    else:
        discount = round(float(given.get("valor_desconto") or 0), 2)
    if not 0 <= discount <= goods:
        raise Refusal("Client-101", "ERROR: O desconto do item é maior que o valor da mercadoria!")
    return discount


def _discount_of_order(head: Record, left: float) -> float:
    if head.get("tipo_desconto_pedido") == "P":
        return round(left * float(head.get("perc_desconto_pedido") or 0) / 100, 2)
    return float(head.get("valor_desconto_pedido") or 0)


def _counts(item: Record) -> bool:
    more: Record = item.get("inf_adic", {})
    return str(more.get("nao_somar_total")) != "S"
