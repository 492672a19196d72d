"""How much of a value is looked at and kept: one that holds itself has no end, and one may be of any size."""

from __future__ import annotations

from typing import Any

# What stands for whatever is beyond the caps.
CUT = "…"
MAX_DEPTH = 64
MAX_VALUES = 500_000


def capped(value: Any) -> Any:
    """Copy a value's dicts and lists, within the caps: nothing that its owner does to it later changes the copy."""
    return _capped(value, 0, [MAX_VALUES])


def _capped(value: Any, depth: int, room: list[int]) -> Any:
    type_ = type(value)
    if type_ is not dict and type_ is not list:
        return value
    room[0] -= len(value)
    if depth > MAX_DEPTH or room[0] < 0:
        return CUT
    if type_ is dict:
        return {name: _capped(inner, depth + 1, room) for name, inner in value.items()}
    return [_capped(inner, depth + 1, room) for inner in value]
