"""Lists as Omie pages them: 50 by default, 100 at most however many are asked for, in the method's own dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from omie_control.omie.catalog import Method
from omie_control.simulator.clock import BRASILIA
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.world import Record, Row

_DEFAULT_SIZE = 50
_MAX_SIZE = 100
_Item = TypeVar("_Item")


class PastEnd(Enum):
    """What a list does when asked for a page it does not have; it differs from service to service."""

    FAULT = "fault"
    EMPTY = "empty"
    FIRST_PAGE = "first page"


def page(
    method: Method,
    param: Record,
    rows: Sequence[Row],
    show: Callable[[Row], Record],
    past_end: PastEnd = PastEnd.FAULT,
) -> dict[str, Any]:
    """Return one page of rows, under the names that the catalogue gives to this method's counts and list."""
    return page_of(method, param, rows, show, past_end)


def page_of(
    method: Method,
    param: Record,
    rows: Sequence[_Item],
    show: Callable[[_Item], Record],
    past_end: PastEnd = PastEnd.FAULT,
) -> dict[str, Any]:
    """Return one page of whatever the items are; only those of the page are shown."""
    paging, key = method.paging, method.list_key
    if paging is None or key is None:
        raise TypeError(f"{method.endpoint} is not paged")
    size = min(param.get(paging.size) or _DEFAULT_SIZE, _MAX_SIZE)
    number = max(param.get(paging.page) or 1, 1)
    pages = -(-len(rows) // size)
    if number > pages and past_end is PastEnd.FAULT:
        raise Refusal("Client-5113", f"ERROR: Não existem registros para a página [{number}]!")
    if number > pages and past_end is PastEnd.FIRST_PAGE:
        number = 1
    chosen = rows[(number - 1) * size : number * size]
    is_past_end = number > pages
    counts = (
        (paging.answered_page, number),
        (paging.answered_pages, 0 if is_past_end else pages),
        (paging.answered_count, len(chosen)),
        (paging.answered_total, 0 if is_past_end else len(rows)),
    )
    answered: dict[str, Any] = {name: value for name, value in counts if name is not None}
    *nested, last = key.split(".")
    holder = answered
    for name in nested:
        holder = holder.setdefault(name, {})
    holder[last] = [show(row) for row in chosen]
    return answered


def touched(param: Record, row: Row) -> bool:
    """Apply `filtrar_por_data_*`, `filtrar_por_hora_*` and the two flags that say which instant they mean."""
    since = _instant(param, "filtrar_por_data_de", "filtrar_por_hora_de", "00:00:00")
    until = _instant(param, "filtrar_por_data_ate", "filtrar_por_hora_ate", "23:59:59")
    if since is None and until is None:
        return True
    is_creation = param.get("filtrar_apenas_inclusao") == "S"
    at = row.created_at if is_creation else row.changed_at
    return (since is None or at >= since) and (until is None or at < until + timedelta(seconds=1))


def day(text: str) -> datetime:
    """Read dd/mm/aaaa as the first instant of that day, or refuse it."""
    try:
        at = _parsed(text)
    except ValueError:
        raise Refusal("Client-104", f"ERROR: A data [{text}] é inválida!") from None
    if at.year <= 1900:
        raise Refusal("Client-104", f"ERROR: A data [{text}] está fora do intervalo permitido!")
    return at


@lru_cache(maxsize=20_000)
def _parsed(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=BRASILIA)


def within(param: Record, since_tag: str, until_tag: str, value: str) -> bool:
    """Apply a window of days, both ends included, to a date of the record; a record without it is outside."""
    since, until = param.get(since_tag), param.get(until_tag)
    if not since and not until:
        return True
    at = day(value) if value else None
    return at is not None and (not since or at >= day(since)) and (not until or at <= day(until))


def moment(date: str, time: str) -> datetime:
    """Read dd/mm/aaaa and hh:mm:ss as an instant, or refuse what is neither."""
    try:
        hour, minute, second = (int(part) for part in time.split(":"))
        return day(date).replace(hour=hour, minute=minute, second=second)
    except ValueError:
        raise Refusal("Client-104", f"ERROR: A hora [{time}] é inválida!") from None


def _instant(param: Record, date_tag: str, time_tag: str, default: str) -> datetime | None:
    date = param.get(date_tag)
    return moment(date, param.get(time_tag) or default) if date else None
