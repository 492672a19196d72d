"""What an answer to a look-up proves about a write: carried out, not carried out, or not to be told.

Pure. Omie writes some values its own way (case, spaces, punctuation of documents), so fields are compared by what
they mean. When in doubt the finding is UNCLEAR and a person decides: a wrong "done" loses a write, a wrong "not
done" doubles one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from omie_control.omie.lookups import Evidence, Lookup

# Omie's clock and ours may differ by this much, and a change of somebody else's may lie this near.
SLACK = timedelta(minutes=2)
CONFIRMED = "Confirmado por consulta ao Omie."
_BRASILIA = timezone(timedelta(hours=-3))
_NOT_WORDS = re.compile(r"[^0-9a-z]+")
_DEPTH = 4


class Finding(StrEnum):
    """What a look-up found."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNCLEAR = "unclear"


def judge(
    lookup: Lookup,
    param: Mapping[str, Any],
    answer: Mapping[str, Any] | None,
    *,
    sent_at: datetime,
    code: str | None = None,
    before: Any = None,
) -> Finding:
    """Say what `answer` proves of a write that sent `param`; None: Omie said that there is no such record.

    `code` is the integration code that we made for this write; `before` what `remember` kept. A single NOT_DONE is
    no proof yet: Omie may still be at it.
    """
    match lookup.evidence:
        case Evidence.CODE:
            return _judge_made(lookup, param, answer, sent_at, code)
        case Evidence.CHANGED:
            return _judge_changed(param, answer, sent_at, before)
        case Evidence.GONE:
            return Finding.DONE if answer is None else Finding.NOT_DONE
        case Evidence.LISTED:
            return _judge_listed(lookup, param, answer, before)
        case Evidence.NONE:
            return Finding.UNCLEAR


def remember(lookup: Lookup, param: Mapping[str, Any], answer: Mapping[str, Any] | None) -> Any:
    """Return what has to be known later of how things were before the write."""
    if lookup.evidence is Evidence.LISTED and lookup.asked is not None:
        return [] if answer is None else [_trace(row) for row in lookup.asked.rows(answer)]
    return None if answer is None else {name: value for name, value, _ in _compared(param, answer)}


def written(
    lookup: Lookup, param: Mapping[str, Any], answer: Mapping[str, Any] | None, how: str = CONFIRMED
) -> dict[str, Any]:
    """Shape what was found as the write itself would have answered, marked `_verificado`; `how` it was learnt."""
    record: Mapping[str, Any] = answer or {}
    if lookup.asked is not None and lookup.asked.kind == "list" and answer is not None:
        record = next(iter(_rows_like(lookup, param, answer)), {})
    said: dict[str, Any] = {}
    for name in lookup.method.response_fields:
        value = _find(record, name)
        if value is None:
            value = _find(param, name)
        if value is not None and not isinstance(value, Mapping | list):
            said[name] = value
    status = lookup.method.status_fields
    if status:
        said[status[0]] = "0"
    if len(status) > 1:
        said[status[1]] = how
    return {**said, "_verificado": True}


def shown_otherwise(lookup: Lookup, param: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Name the fields that the record found shows otherwise than `param` sends them; it may be another's record."""
    record: Mapping[str, Any] = answer
    if lookup.asked is not None and lookup.asked.kind == "list":
        record = next(iter(_rows_like(lookup, param, answer)), answer)
    return _differences(param, record) or []


def _judge_made(
    lookup: Lookup, param: Mapping[str, Any], answer: Mapping[str, Any] | None, sent_at: datetime, code: str | None
) -> Finding:
    wanted = code if code is not None else lookup.code_in(param)
    listed = lookup.asked if lookup.asked is not None and lookup.asked.kind == "list" else None
    if answer is None or (listed is not None and not listed.rows(answer)):
        return Finding.NOT_DONE
    if wanted is not None and not _holds(answer, wanted):
        # Another record proves nothing. A list without ours ignores the filter: what it lacks may be on another page.
        return Finding.NOT_DONE if listed is not None and not _has_more_pages(lookup, answer) else Finding.UNCLEAR
    made_at = _stamp(answer, "dInc", "hInc")
    is_older = made_at is not None and made_at < sent_at - SLACK
    if code is not None:
        # Nobody else makes such a code; but a key that lives again after its time makes its code again.
        return Finding.UNCLEAR if is_older and shown_otherwise(lookup, param, answer) else Finding.DONE
    if is_older:
        return Finding.UNCLEAR
    return Finding.DONE if made_at is not None or not _differences(param, answer) else Finding.UNCLEAR


def _judge_changed(
    param: Mapping[str, Any], answer: Mapping[str, Any] | None, sent_at: datetime, before: Any
) -> Finding:
    if answer is None:
        return Finding.NOT_DONE
    differing = _differences(param, answer)
    if differing is not None and not differing:
        return Finding.DONE
    if isinstance(before, Mapping):
        now = {name: value for name, value, _ in _compared(param, answer)}
        return Finding.NOT_DONE if now and all(_same(now[name], before.get(name)) for name in now) else Finding.UNCLEAR
    changed_at = _stamp(answer, "dAlt", "hAlt")
    untouched = changed_at is not None and changed_at < sent_at - SLACK
    return Finding.NOT_DONE if untouched else Finding.UNCLEAR


def _judge_listed(lookup: Lookup, param: Mapping[str, Any], answer: Mapping[str, Any] | None, before: Any) -> Finding:
    if answer is None or lookup.asked is None:
        return Finding.NOT_DONE
    like = _rows_like(lookup, param, answer)
    if _has_more_pages(lookup, answer):
        return Finding.UNCLEAR
    if not like:
        return Finding.NOT_DONE
    if not isinstance(before, list):
        return Finding.UNCLEAR
    return Finding.DONE if any(_trace(row) not in before for row in like) else Finding.NOT_DONE


def _rows_like(lookup: Lookup, param: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows of a list that show all that was sent, as far as they show it."""
    assert lookup.asked is not None
    rows = [row for row in lookup.asked.rows(answer) if isinstance(row, Mapping)]
    code = lookup.code_in(param)
    if code is not None:
        return [row for row in rows if _holds(row, code)]
    return [row for row in rows if (found := _differences(param, row)) is not None and not found]


def _has_more_pages(lookup: Lookup, answer: Mapping[str, Any]) -> bool:
    paging = lookup.asked.paging if lookup.asked is not None else None
    pages = answer.get(paging.answered_pages) if paging is not None and paging.answered_pages else None
    return isinstance(pages, int) and pages > 1


def _differences(param: Mapping[str, Any], record: Mapping[str, Any]) -> list[str] | None:
    """Name the fields that show something else than was sent; None: the record shows none of them."""
    compared = list(_compared(param, record))
    return [name for name, shown, sent in compared if not _same(shown, sent)] if compared else None


def _compared(param: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the fields that were sent and are shown, each with what is shown and what was sent."""
    for name, sent in param.items():
        shown = _find(record, name)
        if isinstance(sent, Mapping):
            inner = shown if isinstance(shown, Mapping) else record
            for deeper, value, wanted in _compared(sent, inner):
                yield f"{name}.{deeper}", value, wanted
        elif shown is not None or sent in (None, ""):
            yield name, shown, sent


def _find(holder: Any, name: str, depth: int = _DEPTH) -> Any:
    """Return the value of a field wherever in a record it stands, the outer one first; lists are not entered."""
    if not isinstance(holder, Mapping) or depth == 0:
        return None
    if name in holder:
        return holder[name]
    found = (_find(inner, name, depth - 1) for inner in holder.values() if isinstance(inner, Mapping))
    return next((value for value in found if value is not None), None)


def _holds(holder: Any, text: str, depth: int = _DEPTH + 2) -> bool:
    if depth == 0:
        return False
    if isinstance(holder, str):
        return holder == text
    inner: Iterable[Any] = (
        holder.values() if isinstance(holder, Mapping) else holder if isinstance(holder, list) else ()
    )
    return any(_holds(each, text, depth - 1) for each in inner)


def _same(shown: Any, sent: Any) -> bool:
    if isinstance(sent, list) or isinstance(shown, list):
        return _same_rows(shown, sent)
    if isinstance(shown, Mapping) and isinstance(sent, Mapping):
        return all(_same(shown.get(name), value) for name, value in sent.items())
    one, other = _number(shown), _number(sent)
    if one is not None and other is not None and not (isinstance(shown, str) and isinstance(sent, str)):
        return one == other
    return _plain(shown) == _plain(sent)


def _same_rows(shown: Any, sent: Any) -> bool:
    one, other = (list(each) if isinstance(each, list) else [] for each in (shown, sent))
    return len(one) == len(other) and all(any(_same(row, wanted) for row in one) for wanted in other)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    text = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode().lower()
    return _NOT_WORDS.sub("", text)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _trace(row: Any) -> str:
    """Reduce a row to the names that tell it from others; its values may change meanwhile."""
    if not isinstance(row, Mapping):
        return str(row)
    names = [
        f"{name}={value}" for name, value in row.items() if name.lower().startswith(("cod", "ncod", "nid", "ccod"))
    ]
    return ";".join(sorted(names)) or ";".join(f"{name}={row[name]}" for name in sorted(row))


def _stamp(record: Mapping[str, Any], day: str, hour: str) -> datetime | None:
    """Return an instant that a record tells of itself, in Brasília's time."""
    said = _find(record, day), _find(record, hour)
    try:
        return datetime.strptime(f"{said[0]} {said[1]}", "%d/%m/%Y %H:%M:%S").replace(tzinfo=_BRASILIA)
    except ValueError:
        return None
