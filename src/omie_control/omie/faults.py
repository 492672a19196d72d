"""The fault interpreter: Omie's refusals in plain Portuguese, with what to do next.

Pure, table-driven (`fault_texts.py`, `fault_codes.py`): text first, code second, unknown ones kept in Omie's own words.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict

from omie_control.domain.people import is_suspect, mask_text
from omie_control.omie.facts import FaultKind, OmieFacts
from omie_control.omie.fault_codes import CODES
from omie_control.omie.fault_rows import Row
from omie_control.omie.fault_texts import TEXTS

_TEXT_MAX = 300
_JUDGED_MAX = 2000
_FOLD = str.maketrans(
    "áàâãäéèêëíìîïóòôõöúùûüçÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÇ", "aaaaaeeeeiiiiooooouuuucAAAAAEEEEIIIIOOOOOUUUUC"
)
_PREFIX = re.compile(r"^\s*(?:ERROR|SOAP-ENV:[\w-]+)\s*:\s*", re.IGNORECASE)
_CODE = re.compile(r"(?:SOAP-ENV:)?(.*)", re.DOTALL)
_SPACES = re.compile(r"\s+")
_ACCEPTED_SPLIT = re.compile(r"\s*(?:[,;/|]|\bou\b)\s*")
# Omie refused the very call; with the other kinds an equal, earlier one may have been carried out.
_AMBIGUOUS = frozenset({FaultKind.REPEATED, FaultKind.REDUNDANT, FaultKind.BROKEN})

_TEXTS = tuple((re.compile(row.pattern, re.IGNORECASE), row) for row in TEXTS)


def interpret(code: str, text: str, *, service: str = "", status: int | None = None) -> OmieFacts:
    """Say what a fault means; `code` and `text` as Omie sent them, `service` the path of the method's URL."""
    plain = _SPACES.sub(" ", _PREFIX.sub("", html.unescape(text[:_JUDGED_MAX]))).strip()
    short = short_code(code)
    folded = plain.translate(_FOLD)
    number = short.rpartition("-")[2]
    for regex, row in _TEXTS:
        if service.startswith(row.service) and (match := regex.search(folded)):
            return _facts(row, _groups(match, plain), plain, short, status)
    for row in CODES:
        if number in row.codes and service.startswith(row.service):
            return _facts(row, {}, plain, short, status)
    return unknown(plain, short, status)


def unknown(text: str, code: str | None = None, status: int | None = None) -> OmieFacts:
    """Describe a refusal that no row knows, in Omie's own words."""
    said = kept_text(text)
    return OmieFacts(
        kind=FaultKind.UNKNOWN,
        cause=f"O Omie recusou a chamada{said and ': '}{said.rstrip(' .!')}.",
        for_agent="Leia a mensagem do Omie, corrija os dados e chame de novo; não repita sem mudar nada.",
        for_person="Se a mensagem não bastar, procure-a na ajuda do Omie.",
        text=said,
        fault_code=code or None,
        status_code=status,
        is_proved_refusal="client" in (code or "").lower(),
    )


def short_code(code: str) -> str:
    """Return a faultcode without its SOAP prefix, fit for `error_code`'s column."""
    match = _CODE.match(code.strip())
    return (match.group(1) if match else code)[:50]


def kept_text(text: str) -> str:
    """Return Omie's sentence as we may keep it: documents and addresses hidden, shortened, printable."""
    hidden = mask_text(text, []) if is_suspect(text) else text
    clean = "".join(letter if letter.isprintable() else " " for letter in hidden).strip()
    return clean if len(clean) <= _TEXT_MAX else f"{clean[: _TEXT_MAX - 1]}…"


def _groups(match: re.Match[str], original: str) -> dict[str, str]:
    """Take the groups from the original text: the folded one has the same length but lost its accents."""
    spans = {name: match.span(name) for name in match.re.groupindex}
    return {name: original[start:end] for name, (start, end) in spans.items() if start >= 0}


def _facts(row: Row, groups: dict[str, str], text: str, code: str, status: int | None) -> OmieFacts:
    accepted = tuple(filter(None, _ACCEPTED_SPLIT.split(groups.get("accepted", "").strip(" .!"))))
    seconds = int(groups["seconds"][:6]) if "seconds" in groups else row.seconds
    words = defaultdict(lambda: "não informado", {name: kept_text(word) for name, word in groups.items()})
    words["seconds"] = str(seconds)
    number = groups.get("id", "")
    return OmieFacts(
        kind=row.kind,
        cause=row.cause.format_map(words),
        for_agent=row.for_agent,
        for_person=row.for_person,
        text=kept_text(text),
        fault_code=code or None,
        status_code=status,
        seconds=seconds,
        clock_time=_clock_time(groups.get("clock")),
        field=groups.get("field", row.field),
        accepted=accepted,
        omie_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        integration_code=groups.get("code", "").strip() or None,
        is_proved_refusal=row.kind not in _AMBIGUOUS,
    )


def _clock_time(text: str | None) -> str | None:
    if text is None:
        return None
    hour, minute, second = (int(part) for part in text.split(":"))
    return text if hour < 24 and minute < 60 and second < 60 else None
