"""The stock ledger: every entry and exit of a product, from which all positions are reckoned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from omie_control.simulator.families.lists import day
from omie_control.simulator.world import Company, Desk, Row

TABLE = "movimentos_estoque"
PLACES = "locais_estoque"


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved: `quantity` is below zero for an exit; `cost` is a unit's, in reais; `day` is dd/mm/aaaa."""

    product: int
    place: int
    day: str
    quantity: float
    cost: float
    origin: str
    reason: str
    document: str = ""
    counterpart: int = 0


def move(desk: Desk, movement: Movement) -> Row:
    """Write a movement in the ledger and in the book."""
    return desk.add(TABLE, {"movement": movement, "product": movement.product}, "")


def movements(company: Company) -> Iterator[tuple[Row, Movement]]:
    """Yield every movement, oldest first."""
    for row in company.table(TABLE):
        yield row, row.record["movement"]


def default_place(company: Company) -> int:
    """Return the id of the stock that is meant when none is named."""
    return next((row.id for row in company.table(PLACES)), 0)


def balance(company: Company, product: int, place: int = 0, until: datetime | None = None) -> tuple[float, float]:
    """Return (quantity, average cost of a unit) of a product, in one place or in all, at the end of a day."""
    quantity = cost = 0.0
    for row in company.table(TABLE).where("product", product):
        moved: Movement = row.record["movement"]
        if (place and moved.place != place) or (until is not None and day(moved.day) > until):
            continue
        if moved.quantity > 0 and quantity + moved.quantity > 0:
            cost = (max(quantity, 0.0) * cost + moved.quantity * moved.cost) / (max(quantity, 0.0) + moved.quantity)
        quantity += moved.quantity
    return round(quantity, 4), round(cost, 4)
