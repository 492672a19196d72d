"""What a purchase leaves when goods come in: payables by instalment, and entries in the stock ledger."""

from __future__ import annotations

from dataclasses import dataclass

from omie_control.simulator.families import contas_correntes, contas_pagar, produtos, stock
from omie_control.simulator.families.lists import day
from omie_control.simulator.families.stock import Movement
from omie_control.simulator.families.terms import instalments, term_of
from omie_control.simulator.world import Desk


@dataclass(frozen=True, slots=True)
class Goods:
    """A product that came in: how much of it, and what one costs."""

    product: int
    quantity: float
    cost: float
    place: int = 0


def receive(desk: Desk, goods: list[Goods], *, origin: str, document: str, supplier: int, sign: int = 1) -> None:
    """Write goods in the stock ledger; with sign -1 they leave again."""
    for each in goods:
        if desk.company.table(produtos.NOUN.table).get(each.product) is None:
            continue
        place = each.place or stock.default_place(desk.company)
        today, quantity = f"{desk.now:%d/%m/%Y}", sign * each.quantity
        stock.move(
            desk,
            Movement(each.product, place, today, quantity, each.cost, origin, "OPE", document, supplier),
        )


def owe(
    desk: Desk, *, supplier: int, total: float, since: str, condition: str, category: str, account: int, document: str
) -> list[int]:
    """Book a payable an instalment, and return their ids."""
    days = instalments(term_of(condition or "000"), total, day(since))
    account = account or next(iter(desk.company.table(contas_correntes.NOUN.table))).id
    return [
        contas_pagar.SIDE.book(
            desk,
            {
                "codigo_cliente_fornecedor": supplier,
                "data_vencimento": due,
                "valor_documento": value,
                "codigo_categoria": category or "2.01.01",
                "id_conta_corrente": account,
                "numero_documento": document,
                "numero_documento_fiscal": document,
                "numero_parcela": f"{number:03d}/{len(days):03d}",
                "id_origem": "COMP",
            },
        ).id
        for number, (_, due, value) in enumerate(days, 1)
        if value > 0
    ]


def take_back_titles(desk: Desk, ids: list[int]) -> bool:
    """Delete payables that nobody paid; False, and nothing done, when one has a settlement."""
    side = contas_pagar.SIDE
    rows = [row for id in ids if (row := desk.company.table(side.table).get(id)) is not None]
    if any(side.is_settled(desk, row) for row in rows):
        return False
    for row in rows:
        desk.remove(side.table, row)
    return True
