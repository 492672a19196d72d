"""Omie's protocol without a socket: how a call is written, and what an answer means.

The body is judged before the status, because Omie sends faults with 200, "no rows" with 500, and pages of HTML
when it is unwell. `decipher` returns a Payload or raises exactly one error of the tree, with `OmieFacts` on it:

  OmieFault        refused for good; the facts say why and which field
  OmieBusy         refused for now; the facts say for how long
  OmieUnreachable  a read got no usable answer
  Uncertain        a write got no usable answer, or one that leaves its fate open
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NoReturn

import orjson

from omie_control.domain.companies import Credentials
from omie_control.domain.json_text import read_json
from omie_control.domain.masking import HIDDEN
from omie_control.errors import ControlError, InvalidInput, OmieBusy, OmieFault, OmieUnreachable, Uncertain
from omie_control.omie.catalog import Method
from omie_control.omie.facts import FaultKind, OmieFacts, error_with, uncertain_with
from omie_control.omie.faults import interpret, unknown

BODY_MAX_BYTES = 32 * 1024 * 1024
_DEPTH_MAX = 64
_BOM = b"\xef\xbb\xbf"
_WAITING = frozenset({FaultKind.MISUSE, FaultKind.RATE, FaultKind.LOCKED, FaultKind.NOT_READY})
_SEEN_BEFORE = frozenset({FaultKind.REDUNDANT, FaultKind.REPEATED})
# A gateway that answers so has not passed the call on.
_REFUSING = frozenset({301, 302, 307, 308, 400, 401, 403, 404, 405, 411, 413, 414, 415, 431})
_BY_STATUS = {
    425: ("MISUSE_API_PROCESS", "API bloqueada por consumo indevido."),
    429: ("429", "Too many requests"),
}
_REFUSED_TOLD = 5
_PARTIAL = "Parte do lote pode ter sido gravada: consulte cada registro antes de qualquer nova tentativa."
# A fault's words stand at the beginning of whatever brings them.
_TOLD_MAX = 2000
_FAULT_HEADER = "omieapi-error"
_HEADER = re.compile(r"\s*([\w:.-]{1,60})\s*-\s*(.*)", re.DOTALL)
_SECONDS = re.compile(r"(\d{1,6})\s*segundo")


@dataclass(frozen=True, slots=True)
class Payload:
    """What Omie answered. `fault_code` is set when Omie says "nothing there" by a fault, which counts as an error.

    `is_past_end`: another page was asked for than came back (some lists answer page 1 for ever).
    """

    data: dict[str, Any]
    status_code: int
    is_empty_page: bool = False
    is_past_end: bool = False
    fault_code: str | None = None


def encode(call: str, credentials: Credentials, param: Mapping[str, Any]) -> bytes:
    """Return the body of a request: the call, the credentials, and exactly one object of parameters."""
    envelope = {
        "call": call,
        "app_key": credentials.app_key.reveal(),
        "app_secret": credentials.app_secret.reveal(),
        "param": [param],
    }
    try:
        return orjson.dumps(envelope, default=_exact)
    except (TypeError, ValueError, RecursionError):
        # Not `from`: the cause's text may quote the envelope.
        raise InvalidInput("Os dados da chamada não podem ser escritos em JSON.") from None


def without_secret(
    credentials: Credentials, headers: Mapping[str, str], body: bytes
) -> tuple[Mapping[str, str], bytes]:
    """Take our secret out of an answer: whoever stands between us and Omie may quote what it was sent.

    Of the headers only the one that tells of a fault is kept.
    """
    secret = credentials.app_secret.reveal()
    header = headers.get(_FAULT_HEADER, "").replace(secret, HIDDEN)
    quoted = secret.encode()
    return {_FAULT_HEADER: header}, body.replace(quoted, HIDDEN.encode()) if quoted in body else body


def decipher(
    method: Method, status: int, headers: Mapping[str, str], body: bytes, param: Mapping[str, Any] | None = None
) -> Payload:
    """Say what an answer means; `headers` by lower-case name, `param` as it was sent (to notice pages past the end)."""
    data = read_object(body)
    if data is None:
        raise _error_for_unreadable(method, status, headers, body)
    code, text = _fault_in(data)
    if code or text:
        facts = _facts_of(method, status, code, text)
        if facts.kind is FaultKind.EMPTY and method.kind == "list":
            return Payload(_empty_page(method), status, is_empty_page=True, fault_code=facts.fault_code)
        raise _error_for(method, facts)
    if status >= 400:
        raise _error_for_unreadable(method, status, headers, body)
    _refuse_in_band(method, status, data)
    return _payload(method, status, data, param)


def no_answer(method: Method, cause: str, *, was_sent: bool, is_refused: bool = False) -> ControlError:
    """Return the error for a call without a usable answer: Uncertain for a write that may have reached Omie.

    `is_refused`: whoever answered has not passed it on.
    """
    may_be_done = was_sent and not is_refused
    facts = OmieFacts(
        kind=FaultKind.BROKEN,
        cause=cause,
        for_agent=Uncertain.hint if may_be_done and method.writes else OmieUnreachable.hint,
        for_person="Veja se outras chamadas ao Omie estão funcionando.",
        is_proved_refusal=not may_be_done,
        never_left=not was_sent,
    )
    if may_be_done and method.writes:
        return uncertain_with(facts)
    error = OmieUnreachable(cause)
    error.facts = facts
    return error


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f").encode())
    raise TypeError


def read_object(body: bytes) -> dict[str, Any] | None:
    """Return the object that a body of Omie's holds, or None for anything else: HTML, nothing, cut, deep, big."""
    if len(body) > BODY_MAX_BYTES:
        return None
    data = _parse(body.removeprefix(_BOM).strip())
    return data if isinstance(data, dict) and not _is_deep(data) else None


def _parse(body: bytes) -> Any:
    if not body.startswith(b"{"):
        return None
    try:
        return read_json(body)
    except (ValueError, RecursionError):
        pass
    try:
        # Slower and more patient: control characters in strings, lone surrogates, Latin-1.
        return json.loads(_decode(body), strict=False, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(_DEPTH_MAX):
        level = [
            item
            for holder in level
            for item in (holder.values() if type(holder) is dict else holder)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return False
    return True


def _fault_in(data: Mapping[str, Any]) -> tuple[str, str]:
    return _text(data.get("faultcode")), _text(data.get("faultstring"))


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else str(value)[:_TOLD_MAX]


def _error_for_unreadable(method: Method, status: int, headers: Mapping[str, str], body: bytes) -> ControlError:
    """Say what an answer without a usable body means, by its header, then by its status."""
    header = _HEADER.match(headers.get(_FAULT_HEADER, ""))
    if header is not None:
        return _error_for(method, _facts_of(method, status, header[1], header[2]))
    if status in _BY_STATUS:
        return _error_for(method, _facts_by_status(status, _decode(body[:_TOLD_MAX])))
    what = "uma resposta vazia" if not body.strip() else "uma resposta que não se pode ler"
    cause = f"O Omie devolveu {what} (HTTP {status})."
    return no_answer(method, cause, was_sent=True, is_refused=status in _REFUSING)


def _facts_of(method: Method, status: int, code: str, text: str) -> OmieFacts:
    """Say what a fault means; where nobody knows its words, a status that shuts the door says enough."""
    facts = interpret(code, text, service=method.path, status=status)
    if facts.kind is not FaultKind.UNKNOWN or status not in _BY_STATUS:
        return facts
    return replace(_facts_by_status(status, text), text=facts.text, fault_code=facts.fault_code)


def _facts_by_status(status: int, said: str) -> OmieFacts:
    code, text = _BY_STATUS[status]
    seconds = _SECONDS.search(said[:_TOLD_MAX])
    wait = f" Tente novamente em {seconds[1]} segundos." if seconds else ""
    return interpret(code, text + wait, status=status)


def _error_for(method: Method, facts: OmieFacts) -> ControlError:
    """Choose the error of the tree by what the fault leaves open about this call."""
    is_open = facts.kind in _SEEN_BEFORE or facts.kind is FaultKind.BROKEN or facts.kind is FaultKind.UNKNOWN
    if method.writes and is_open and not facts.is_proved_refusal:
        return uncertain_with(facts)
    if facts.kind in _SEEN_BEFORE:
        return error_with(OmieBusy, facts, OmieBusy.hint)
    if facts.kind in _WAITING:
        return error_with(OmieBusy, facts)
    return error_with(OmieUnreachable if facts.kind is FaultKind.BROKEN else OmieFault, facts)


def _refuse_in_band(method: Method, status: int, data: Mapping[str, Any]) -> None:
    """Raise when an answer of success says in its own status fields that it is none."""
    if not method.status_fields:
        return
    said = _text(data.get(method.status_fields[0])).strip()
    if not _says_no(said):
        if method.is_batch and method.writes:
            _refuse_in_part(method, status, data)
        return
    text = _text(data.get(method.status_fields[1])) if len(method.status_fields) > 1 else ""
    # Codes in band are numbers of their own: the text may be known, the number never is.
    facts = replace(interpret(f"status {said}", text, service=method.path, status=status), is_proved_refusal=True)
    if method.is_batch and method.writes:
        raise uncertain_with(replace(facts, is_proved_refusal=False), _PARTIAL)
    raise _error_for(method, facts)


def _says_no(said: str) -> bool:
    """Say whether a status is one of failure: a number but 0, or the code of a fault; other words are noise."""
    return said.strip("0") != "" and (said.lstrip("-").isdigit() or "client-" in said.lower())


def _refuse_in_part(method: Method, status: int, data: Mapping[str, Any]) -> None:
    """Raise when a batch that went well as a whole tells of records that did not."""
    lists = [rows for rows in data.values() if isinstance(rows, list)]
    rows = [row for each in lists for row in each if isinstance(row, Mapping) and method.status_fields[0] in row]
    refused = [row for row in rows if _says_no(_text(row[method.status_fields[0]]).strip())]
    if not refused:
        return
    named = {code.split(".")[-1] for code in method.integration_codes}
    told = [
        " ".join(_text(row[name]) for name in (*sorted(named), *method.status_fields) if row.get(name))
        for row in refused[:_REFUSED_TOLD]
    ]
    facts = unknown("; ".join(told), f"status {_text(refused[0][method.status_fields[0]])}", status)
    cause = f"O Omie recusou {len(refused)} de {len(rows)} registros do lote: {facts.text.rstrip(' .!')}."
    raise uncertain_with(replace(facts, cause=cause, is_proved_refusal=False), _PARTIAL)


def _payload(method: Method, status: int, data: dict[str, Any], param: Mapping[str, Any] | None) -> Payload:
    paging = method.paging
    is_empty = method.kind == "list" and method.list_key is not None and not method.rows(data)
    asked = param.get(paging.page) if paging and param else None
    came = data.get(paging.answered_page) if paging else None
    is_past_end = isinstance(asked, int) and isinstance(came, int) and 0 < came < asked
    return Payload(data, status, is_empty_page=is_empty, is_past_end=is_past_end)


def _empty_page(method: Method) -> dict[str, Any]:
    """Return what other lists answer when nothing is there, in this method's own names."""
    page: dict[str, Any] = {}
    if method.paging is not None:
        names = method.paging
        for name in (names.answered_page, names.answered_pages, names.answered_count, names.answered_total):
            if name is not None:
                page[name] = 0
    *outer, last = (method.list_key or "").split(".")
    inner = page
    for name in outer:
        inner = inner.setdefault(name, {})
    if last:
        inner[last] = []
    return page
