"""The titles of both sides as the reports see them: whose, how much is paid, how much is open, how late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from omie_control.simulator.families import categorias, clientes, contas_pagar, contas_receber
from omie_control.simulator.families.lists import day
from omie_control.simulator.families.titulos import OPEN, Side
from omie_control.simulator.world import Desk, Record, Row

SIDES: dict[str, Side] = {"P": contas_pagar.SIDE, "R": contas_receber.SIDE}


@dataclass(frozen=True, slots=True)
class Title:
    """A title on the day of the report. `letter`: P to be paid, R to be received; money in reais."""

    row: Row
    letter: str
    status: str
    open: float
    settlements: tuple[Row, ...]

    @property
    def record(self) -> Record:
        """Return the title's own fields."""
        return self.row.record

    @property
    def value(self) -> float:
        """Return what the title is about."""
        return float(self.row.record["valor_documento"])

    @property
    def is_open(self) -> bool:
        """Say whether something is still to be paid."""
        return self.status in OPEN

    @property
    def due(self) -> datetime:
        """Return the day on which it is due."""
        return day(self.row.record["data_vencimento"])

    def days_late(self, now: datetime) -> int:
        """Return how many days have gone by since it was due; 0 before."""
        return max(0, (now.date() - self.due.date()).days)


def titles(desk: Desk, letters: str = "PR") -> Iterator[Title]:
    """Yield the titles of one side or of both."""
    for letter in letters:
        side = SIDES[letter]
        for row in desk.company.table(side.table):
            yield view(desk, letter, row)


def view(desk: Desk, letter: str, row: Row) -> Title:
    """Return a title as reports see it."""
    side = SIDES[letter]
    status = side.status(desk, row)
    left = side.left(desk, row) if status in OPEN else 0.0
    return Title(row, letter, status, left, tuple(side.settlements(desk, row)))


def find(desk: Desk, id: int, code: str = "") -> Title | None:
    """Return the title with an id or an integration code, on whichever side it is."""
    for letter, side in SIDES.items():
        table = desk.company.table(side.table)
        row = table.get(id) if id else table.with_code(code) if code else None
        if row is not None:
            return view(desk, letter, row)
    return None


def customer_of(desk: Desk, id: int) -> Record:
    """Return a customer's or supplier's fields; none when it was deleted."""
    row = desk.company.table(clientes.NOUN.table).get(id)
    return {} if row is None else row.record


def category_of(desk: Desk, code: str) -> str:
    """Return a category's description; nothing when there is none."""
    row = desk.company.table(categorias.TABLE).with_code(code)
    return "" if row is None else str(row.record["descricao"])
