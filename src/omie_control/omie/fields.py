"""What a field of Omie may hold, and what is wrong with a value somebody wants to send.

Pure. Messages are Portuguese, name the field by its path and never repeat the value: it may be personal data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

SCALARS = frozenset({"string", "integer", "decimal", "boolean"})
_DEPTH_MAX = 20
_INTEGER_MAX = 2**63 - 1
# Values that are words of the documentation's prose rather than codes are hints, not a closed list.
_CODE = re.compile(r"[A-Z0-9.]+")
# Stages are each company's own; those that the documentation names leave out quotes (00) and what was invoiced (60).
_OPEN_LISTS = frozenset({"etapa", "cEtapa"})
_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_EXAMPLES_BY_NAME = {
    "cnpj_cpf": '"11.222.333/0001-81"',
    "email": '"contato@exemplo.com.br"',
    "cep": '"01310-100"',
    "estado": '"SP"',
    "razao_social": '"Padaria Sol Nascente Ltda"',
}
_SEEN_AS = {bool: "verdadeiro/falso", int: "um número inteiro", float: "um número decimal", str: "um texto"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type. `type` is a scalar's name or the name of a type of the same service."""

    name: str
    type: str = "string"
    is_list: bool = False
    is_required: bool = False
    is_required_on_create: bool = False
    is_conditional: bool = False
    is_generated: bool = False
    is_deprecated: bool = False
    max_length: int | None = None
    values: tuple[str, ...] = ()
    format: str | None = None
    reference: str | None = None

    @property
    def is_scalar(self) -> bool:
        """Say whether the value is one of JSON's plain ones, not an object."""
        return self.type in SCALARS

    @property
    def accepted(self) -> tuple[str, ...]:
        """Return the codes that Omie takes, or nothing when they are not known to be complete codes."""
        if self.format == "flag":
            return ("S", "N")
        if self.name in _OPEN_LISTS:
            return ()
        return self.values if self.values and all(_CODE.fullmatch(value) for value in self.values) else ()

    @property
    def example(self) -> str:
        """Return a value as it would stand in JSON."""
        return _example(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, told by its path."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


Fields = Mapping[str, Field]
Resolve = Callable[[str], Fields]


def find_problems(fields: Fields, value: Any, resolve: Resolve, path: str = "", depth: int = 0) -> Iterator[Problem]:
    """Yield what Omie would refuse in an object, field by field, in the order the caller sent them."""
    if not isinstance(value, Mapping):
        yield Problem(path, f"deve ser um objeto com campos; veio {_seen(value)}.")
        return
    if depth > _DEPTH_MAX:
        yield Problem(path, "tem níveis demais, um dentro do outro.")
        return
    for name, item in value.items():
        here = f"{path}.{_clip(name)}" if path else _clip(name)
        field = fields.get(name)
        if field is None:
            yield Problem(here, _unknown(name, fields))
        else:
            yield from _in_field(field, item, resolve, here, depth)


def find_missing(fields: Fields, value: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the fields of the first level that a new record must bring and does not.

    Integers are left to Omie: most are ids that may come under another name, as an integration code.
    """
    for field in fields.values():
        is_due = (field.is_required or field.is_required_on_create) and not field.is_generated
        is_due = is_due and field.type != "integer"
        if is_due and value.get(field.name) in (None, "", [], {}):
            yield Problem(field.name, f"é obrigatório para incluir. Exemplo: {field.example}.")


def _in_field(field: Field, value: Any, resolve: Resolve, path: str, depth: int) -> Iterator[Problem]:
    if not field.is_list:
        yield from _in_item(field, value, resolve, path, depth)
    elif not isinstance(value, list | tuple):
        yield Problem(path, f"deve ser uma lista; veio {_seen(value)}. Exemplo: {field.example}.")
    else:
        for index, item in enumerate(value):
            yield from _in_item(field, item, resolve, f"{path}[{index}]", depth)


def _in_item(field: Field, value: Any, resolve: Resolve, path: str, depth: int) -> Iterator[Problem]:
    if not field.is_scalar:
        yield from find_problems(resolve(field.type), value, resolve, path, depth + 1)
        return
    complaint = _wrong_scalar(field, value)
    if complaint is not None:
        yield Problem(path, f"{complaint} Exemplo: {_scalar_example(field)}.")


def _wrong_scalar(field: Field, value: Any) -> str | None:
    if value is None:
        return "veio vazio (null); deixe o campo de fora."
    accepted = field.accepted
    if accepted and isinstance(value, str | int) and value != "" and str(value) not in accepted:
        return f"deve ser um destes valores: {', '.join(accepted)}."
    return _CHECKS[field.type](field, value)


def _wrong_text(field: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        return f"deve ser um texto entre aspas; veio {_seen(value)}."
    if value == "":
        return None
    if field.max_length is not None and len(value) > field.max_length:
        return f"o tamanho máximo é {field.max_length}; vieram {len(value)} caracteres."
    if field.format == "date":
        return _wrong_date(value)
    if field.format == "time" and not _TIME.fullmatch(value):
        return "deve ser uma hora no formato hh:mm:ss."
    return None


def _wrong_date(value: str) -> str | None:
    match = _DATE.fullmatch(value)
    if match is None:
        came = "; veio no formato aaaa-mm-dd" if _ISO_DATE.match(value) else ""
        return f"deve ser uma data no formato dd/mm/aaaa{came}."
    day, month, year = (int(part) for part in match.groups())
    try:
        date(year, month, day)
    except ValueError:
        return "não é uma data que exista no calendário."
    return "deve ter o ano entre 1901 e 2200." if not 1900 < year <= 2200 else None


def _wrong_integer(field: Field, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return f"deve ser um número inteiro, sem aspas; veio {_seen(value)}."
    return "é um número grande demais." if abs(value) > _INTEGER_MAX else None


def _wrong_decimal(field: Field, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return f"deve ser um número com ponto decimal, sem aspas; veio {_seen(value)}."
    return None if math.isfinite(value) else "deve ser um número finito."


def _wrong_boolean(field: Field, value: Any) -> str | None:
    return None if isinstance(value, bool) else f"deve ser true ou false; veio {_seen(value)}."


_CHECKS: Mapping[str, Callable[[Field, Any], str | None]] = {
    "string": _wrong_text,
    "integer": _wrong_integer,
    "decimal": _wrong_decimal,
    "boolean": _wrong_boolean,
}


def _unknown(name: Any, fields: Fields) -> str:
    near = near_match(str(name), fields)
    if near is not None:
        return f"este campo não existe; o nome certo parece ser '{near}'."
    return f"este campo não existe. Campos aceitos: {_some(fields)}."


def near_match(name: str, names: Mapping[str, Any]) -> str | None:
    """Return the known name that somebody probably meant, or None."""
    plain = {_plain(known): known for known in names}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=0.72)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()[:100]


def _some(fields: Fields) -> str:
    known = [name for name, field in fields.items() if not field.is_deprecated]
    return ", ".join(known[:12]) + (f" e mais {len(known) - 12}" if len(known) > 12 else "")


def _seen(value: Any) -> str:
    if value is None:
        return "vazio (null)"
    if isinstance(value, Mapping):
        return "um objeto"
    if isinstance(value, list | tuple):
        return "uma lista"
    return _SEEN_AS.get(type(value), "outro tipo de valor")


def _clip(name: Any) -> str:
    text = str(name)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _example(field: Field) -> str:
    item = _scalar_example(field) if field.is_scalar else "{…}"
    return f"[{item}]" if field.is_list else item


def _scalar_example(field: Field) -> str:
    if field.type == "boolean":
        return "true"
    if field.type != "string":
        return field.accepted[0] if field.accepted else {"integer": "123", "decimal": "1234.56"}[field.type]
    if field.format in ("date", "time"):
        return '"31/12/2026"' if field.format == "date" else '"14:30:00"'
    if field.accepted:
        return f'"{field.accepted[0]}"'
    default = '"ABC-0001"' if field.max_length is None or field.max_length >= 8 else f'"{"A" * field.max_length}"'
    return _EXAMPLES_BY_NAME.get(field.name, default)
