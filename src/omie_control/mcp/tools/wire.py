"""From what a tool read to what Omie gets: nested by dotted paths, in the words of the method's own fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from omie_control.errors import InvalidInput
from omie_control.mcp.tools.values import shown_day
from omie_control.omie.catalog import Method
from omie_control.omie.fields import Field
from omie_control.omie.fields import Fields as Known

Fields = Mapping[str, Any]
_BEGAN, _ENDS = date(2000, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class Key:
    """How a record is named: by exactly one of two codes. `found_with`: the tool that finds them."""

    omie: str
    integration: str
    found_with: str
    words: tuple[str, str] = ("codigo_omie", "codigo_integracao")

    def __call__(self, codigo_omie: int | None, codigo_integracao: str | None) -> dict[str, Any]:
        """Return the field that names the record. Raises InvalidInput for none or both."""
        if (codigo_omie is None) == (codigo_integracao is None):
            raise InvalidInput(
                f"Informe {self.words[0]} ou {self.words[1]}, um dos dois.",
                hint=f"Ache o código com {self.found_with}.",
            )
        if codigo_omie is not None:
            return {self.omie: codigo_omie}
        return {self.integration: codigo_integracao}

    @property
    def fields(self) -> tuple[str, str]:
        """Return the names of both fields."""
        return self.omie, self.integration


def only_one(**given: Any) -> str:
    """Return the name of the one argument that is given. Raises InvalidInput for none or several."""
    there = [name for name, value in given.items() if value is not None]
    if len(there) == 1:
        return there[0]
    raise InvalidInput(
        f"Informe exatamente um destes: {', '.join(given)}.", hint="Escolha um e chame de novo; nada foi enviado."
    )


def between(name: str, since: date | None, until: date | None, *fields: str) -> dict[str, Any]:
    """Return a period for two fields of a method, always both: Omie answers oddly to one alone. `name`: ours."""
    if since is None and until is None:
        return {}
    first, last = since or _BEGAN, until or _ENDS
    if first > last:
        raise InvalidInput(
            f"{name}_de: esperada uma data até {name}_ate. Exemplo: {name}_de=01/01/2026, {name}_ate=31/01/2026.",
            hint="Troque as datas e chame de novo; nada foi enviado.",
        )
    return dict(zip(fields, (first, last), strict=True))


def numbered(name: str, first: int | None, last: int | None, *fields: str) -> dict[str, Any]:
    """Return a range of numbers for two fields of a method, either of which may stay open. `name`: ours."""
    if first is not None and last is not None and first > last:
        raise InvalidInput(
            f"{name}_de: esperado um número até {name}_ate. Exemplo: {name}_de=1001, {name}_ate=1050.",
            hint="Troque os números e chame de novo; nada foi enviado.",
        )
    return dict(zip(fields, (first, last), strict=True))


def has_field(method: Method, type_name: str, path: str) -> bool:
    """Say whether a type of a method's service has a field at a dotted path."""
    *outer, last = path.split(".")
    fields = method.service.fields(type_name)
    for name in outer:
        if name not in fields or fields[name].is_scalar:
            return False
        fields = method.service.fields(fields[name].type)
    return last in fields


def wired(method: Method, fields: Fields) -> dict[str, Any]:
    """Return `param` for a method: absent values (None) left out, the rest in the form that its fields have.

    Dates become dd/mm/aaaa, truths S or N (T or F, or a real boolean, where the field has it so), Decimal a number.
    """
    param: dict[str, Any] = {}
    for path, value in fields.items():
        if value is not None:
            _put(param, path, value)
    return _object(method.request_fields, param, method.service.fields)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one set of fields over another, object by object; the upper one wins."""
    laid = dict(below)
    for name, value in above.items():
        under = laid.get(name)
        laid[name] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return laid


def leaves(param: Mapping[str, Any], path: str = "") -> set[str]:
    """Return the dotted paths at which something stands."""
    found: set[str] = set()
    for name, value in param.items():
        found |= leaves(value, f"{path}{name}.") if isinstance(value, Mapping) else {path + name}
    return found


def _put(param: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        param = param.setdefault(name, {})
    param[last] = value


def _object(known: Known, value: Mapping[str, Any], resolve: Callable[[str], Known]) -> dict[str, Any]:
    return {name: _value(known.get(name), item, resolve) for name, item in value.items() if item is not None}


def _value(field: Field | None, value: Any, resolve: Callable[[str], Known]) -> Any:
    if isinstance(value, list | tuple):
        return [_value(field, item, resolve) for item in value]
    if isinstance(value, Mapping):
        return _object(resolve(field.type) if field is not None and not field.is_scalar else {}, value, resolve)
    if isinstance(value, bool):
        return _truth(field, is_true=value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return shown_day(value)
    if isinstance(value, int) and field is not None and field.type == "string":
        return str(value)
    return value


def _truth(field: Field | None, *, is_true: bool) -> Any:
    if field is not None and field.type == "boolean":
        return is_true
    # Purchases say T and F, in fields of this one beginning.
    if field is not None and field.name.startswith("lExibir"):
        return "T" if is_true else "F"
    return "S" if is_true else "N"
