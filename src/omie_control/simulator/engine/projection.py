"""Showing a record as any type of its service: same names, same places, and only what the type knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.omie.catalog import Service
from omie_control.simulator.world import Record, Row

_DEPTH_MAX = 6
_CASTS: Mapping[str, type] = {"integer": int, "decimal": float, "string": str, "boolean": bool}


def project(service: Service, type_name: str, document: Record, keys: Record) -> Record:
    """Return the fields of a type that the keys or the document can fill; a part may lie deeper or shallower."""
    return _project(service, type_name, document, flat(document) | keys, keys, 0)


def flat(document: Record) -> Record:
    """Return the plain values of a document by name, without those inside lists; the outermost wins."""
    leaves: Record = {}
    inner: list[Record] = []
    for name, value in document.items():
        if isinstance(value, dict):
            inner.append(value)
        elif not isinstance(value, list):
            leaves[name] = value
    for each in inner:
        leaves = flat(each) | leaves
    return leaves


def deep_merge(old: Record, new: Record) -> Record:
    """Lay a document over another: parts are merged, lists and plain values replaced."""
    merged = dict(old)
    for name, value in new.items():
        known = merged.get(name)
        merged[name] = deep_merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def without(document: Record, tags: frozenset[str]) -> Record:
    """Return a document without some plain tags, wherever outside a list they stand."""
    return {
        name: without(value, tags) if isinstance(value, dict) else value
        for name, value in document.items()
        if name not in tags
    }


def find_tag(document: Record, tag: str) -> Any:
    """Return the value of a tag of a request, at its top or in one of its parts; None when it is not there."""
    if not tag:
        return None
    value = document.get(tag)
    if value not in (None, "", 0):
        return value
    return flat(document).get(tag)


def stamps(row: Row) -> Record:
    """Return when a record was made and touched, under each of the names that services have for it."""
    made, touched = row.created_at, row.changed_at
    dates = {"Inc": made, "Alt": touched}
    shown: Record = {"cImpAPI": "S" if row.code else "N"}
    for part, at in dates.items():
        day, time = f"{at:%d/%m/%Y}", f"{at:%H:%M:%S}"
        shown |= {f"d{part}": day, f"h{part}": time, f"u{part}": "WEBSERVICE"}
        shown |= {f"dDt{part}": day, f"cHr{part}": time}
        low = part.lower()
        shown |= {f"data_{low}": day, f"hora_{low}": time, f"user_{low}": "WEBSERVICE"}
    return shown


def _project(service: Service, type_name: str, document: Record, leaves: Record, keys: Record, depth: int) -> Record:
    shown: Record = {}
    for name, field in service.fields(type_name).items():
        value = document.get(name)
        if field.is_scalar:
            plain = keys[name] if name in keys else leaves.get(name) if value is None else value
            if field.is_list:
                shown |= {name: value} if isinstance(value, list) else {}
            elif plain is not None and not isinstance(plain, dict | list):
                shown[name] = _cast(field.type, plain)
        elif field.is_list:
            if isinstance(value, list):
                items = (_project(service, field.type, each, each, {}, depth + 1) for each in value)
                shown[name] = [item for item in items if item]
        elif depth < _DEPTH_MAX:
            inner = value if isinstance(value, dict) else {}
            part = _project(service, field.type, inner, inner if inner else leaves, keys, depth + 1)
            if part:
                shown[name] = part
    return shown


def _cast(type_name: str, value: Any) -> Any:
    cast = _CASTS.get(type_name, str)
    try:
        return value if type(value) is cast else cast(value)
    except (TypeError, ValueError):
        return cast()
