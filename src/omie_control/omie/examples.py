"""A small, valid `param` for each method, built from the catalogue: what an example shows and a test can send.

Pure. Required fields, the page of a list, the record's names; nothing a caller could mistake for advice on content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from omie_control.omie.catalog import Method, Service
from omie_control.omie.fields import Field

_DEPTH_MAX = 6
_PAGE_SIZE = 50


def example_of(method: Method) -> dict[str, Any]:
    """Return a `param` that the catalogue accepts; empty where the method asks for nothing."""
    shown = _object(method.service, method.request_type, 0)
    if method.paging is not None:
        shown = {method.paging.page: 1, method.paging.size: _PAGE_SIZE} | shown
    if method.kind in ("create", "upsert", "update", "get", "delete"):
        shown = _names(method) | shown
    plain = shown or {field.name: _value(field) for field in _plain(method) if not field.is_deprecated}
    return plain or _wrapped(method)


def _object(service: Service, type_name: str, depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for field in service.fields(type_name).values():
        if not (field.is_required or field.is_required_on_create) or field.is_deprecated or field.is_generated:
            continue
        if field.is_scalar:
            shown[field.name] = _value(field)
        elif depth < _DEPTH_MAX:
            inner = _object(service, field.type, depth + 1)
            shown[field.name] = [inner] if field.is_list else inner
    return shown


def _wrapped(method: Method) -> dict[str, Any]:
    """Fill the parts of a request that has no plain field of its own, each with the one that names the record."""
    shown: dict[str, Any] = {}
    for part in method.request_fields.values():
        inner = {} if part.is_scalar else method.service.fields(part.type)
        plain = [field for field in inner.values() if field.is_scalar and not field.is_list and not field.is_deprecated]
        named = [field for field in plain if field.name in method.integration_codes] or plain[:1]
        if named and not shown:
            filled = {field.name: _value(field) for field in named}
            shown[part.name] = [filled] if part.is_list else filled
    return shown


def _names(method: Method) -> dict[str, Any]:
    """Name the record: by integration code where the method has one, else by its first plain field."""
    fields = method.request_fields
    coded = next((name for name in method.integration_codes if name in fields and fields[name].is_scalar), None)
    if coded is not None:
        return {coded: _value(fields[coded])}
    first = next(_plain(method), None)
    return {} if first is None or method.kind in ("create", "upsert") else {first.name: _value(first)}


def _plain(method: Method) -> Iterator[Field]:
    return (field for field in method.request_fields.values() if field.is_scalar and not field.is_list)


def _value(field: Field) -> Any:
    return orjson.loads(field.example)
