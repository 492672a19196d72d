"""What Omie refuses before a method is even run: unknown tags, wrong types, no parameters at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.omie.catalog import Method, Service
from omie_control.simulator.envelope import Refusal

_NUMBER: Mapping[str, type[int] | type[float]] = {"integer": int, "decimal": float}


def accept(method: Method, param: Mapping[str, Any]) -> dict[str, Any]:
    """Return `param` as Omie understands it (numbers in quotes become numbers), or refuse the first bad tag."""
    if not param and len(method.request_fields) > 0:
        raise Refusal("Client-71", "ERROR: Nenhum parâmetro foi recebido em WS_PARAMS!")
    return _object(method.service, method.request_type, param)


def _object(service: Service, type_name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Refusal("Client-3102", f"ERROR: O conteúdo do tipo complexo [{type_name}] não é uma estrutura!")
    fields = service.fields(type_name)
    taken = {}
    for tag, item in value.items():
        field = fields.get(tag)
        if field is None:
            raise Refusal(
                "Client-5001",
                f"ERROR: Tag [{tag.upper()}] não faz parte da estrutura do tipo complexo [{type_name}]!",
            )
        if item is None:
            continue
        if field.is_list:
            items = item if isinstance(item, list) else [item]
            taken[tag] = [_item(service, field.name, field.type, each) for each in items]
        else:
            taken[tag] = _item(service, field.name, field.type, item)
    return taken


def _item(service: Service, tag: str, type_name: str, value: Any) -> Any:
    if type_name in service.type_names:
        return _object(service, type_name, value)
    if isinstance(value, Mapping | list):
        raise Refusal("Client-3102", f"ERROR: A tag [{tag.upper()}] deve ser do tipo [{type_name}]!")
    if type_name in _NUMBER:
        return _number(tag, type_name, value)
    return value if isinstance(value, str | bool) else str(value)


def _number(tag: str, type_name: str, value: Any) -> int | float:
    try:
        return _NUMBER[type_name](value or 0)
    except (TypeError, ValueError):
        raise Refusal("Client-3102", f"ERROR: A tag [{tag.upper()}] deve ser do tipo [{type_name}]!") from None
