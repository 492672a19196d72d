"""What a tool shows of Omie's rows, declared once: our column, where Omie has it, and of what kind it is.

Inside a tool a row has Decimal for money and date for days; `shown` turns it into plain JSON without empty fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from omie_control.mcp.tools.values import day, exact, shown_day, shown_money
from omie_control.mcp.tools.words import filled, plain, table

Row = Mapping[str, Any]
Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `path` is dotted, or a function of Omie's row; `heading` puts it into the table for reading."""

    path: str | Callable[[Row], Any]
    read: Read
    schema: str
    heading: str | None = None
    write: Callable[[Any], str] = str

    def of(self, row: Row) -> Any:
        """Return this column of one of Omie's rows; None where it has none."""
        return self.read(at(row, self.path) if isinstance(self.path, str) else self.path(row))


def text(path: str | Callable[[Row], Any], heading: str | None = None) -> Column:
    """Declare a text, without HTML entities and padding."""
    return Column(path, plain, "string", heading)


def money(path: str | Callable[[Row], Any], heading: str | None = None) -> Column:
    """Declare an amount in R$ with two decimals."""
    return Column(path, _money, "number", heading, shown_money)


def number(path: str | Callable[[Row], Any], heading: str | None = None) -> Column:
    """Declare a quantity or a percentage, as exact as Omie has it."""
    return Column(path, exact, "number", heading)


def days(path: str | Callable[[Row], Any], heading: str | None = None) -> Column:
    """Declare a date; it is shown as dd/mm/aaaa."""
    return Column(path, day, "string", heading, shown_day)


def flag(path: str | Callable[[Row], Any], heading: str | None = None) -> Column:
    """Declare S or N (T or F in purchases); what is neither counts as no."""
    return Column(
        path, lambda value: value in ("S", "T", True), "boolean", heading, lambda value: "S" if value else "N"
    )


def code(path: str | Callable[[Row], Any], heading: str | None = None) -> Column:
    """Declare a code of Omie's; 0 means that there is none."""
    return Column(path, lambda value: value if isinstance(value, int) and value else None, "integer", heading)


class Shape:
    """The columns of a row: `Shape(codigo_omie=code("codigo_cliente_omie", "código"), …)`."""

    def __init__(self, **columns: Column) -> None:
        self.columns: Mapping[str, Column] = columns

    def paths(self) -> list[str]:
        """Return where the columns stand in Omie's row; those that a function finds are left out."""
        return [column.path for column in self.columns.values() if isinstance(column.path, str)]

    def read(self, row: Row) -> dict[str, Any]:
        """Return one of Omie's rows in our columns, empty ones left out."""
        return filled({name: column.of(row) for name, column in self.columns.items()})

    def table(self, rows: Sequence[Row]) -> str:
        """Write rows that were read as a table of the columns that have a heading."""
        headed = {name: column for name, column in self.columns.items() if column.heading}
        lines = [
            {name: "" if name not in row else column.write(row[name]) for name, column in headed.items()}
            for row in rows
        ]
        return table({name: column.heading or name for name, column in headed.items()}, lines)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a row as it is shown."""
        return {"type": "object", "properties": {name: {"type": c.schema} for name, c in self.columns.items()}}


def at(row: Any, path: str) -> Any:
    """Return what stands at a dotted path, or None."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def shown(value: Any) -> Any:
    """Turn what tools work with into plain JSON: money with two decimals, dates as dd/mm/aaaa."""
    if isinstance(value, Mapping):
        return {name: shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    return shown_day(value) if isinstance(value, date) else value


def whole(record: Row) -> dict[str, Any]:
    """Return a whole record of Omie's under its own names, clean and without empty fields."""
    return filled({name: _clean(value) for name, value in record.items()})


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return whole(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return plain(value) if isinstance(value, str) else value


def _money(value: Any) -> Decimal | None:
    found = exact(value)
    return None if found is None else found.quantize(Decimal("0.01"))


def result_schema(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    """Return the output schema of a tool that answers `properties` besides what every tool says."""
    every = {"empresa": {"type": "string"}, "execution_id": {"type": "string"}}
    return {"type": "object", "properties": {**properties, **every}, "required": [*required, *every]}
