"""JSON for reading: a tree that a template folds, cut where nobody would read on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

MAX_NODES = 2_000
MAX_TEXT = 2_000
_OPEN_DEPTH = 3
_OPEN_CHILDREN = 40
# A screen or two: what lies open at first sight, so that a long answer does not bury what comes after it.
_OPEN_LINES = 80


@dataclass(slots=True)
class Node:
    """One value: `kind` is object, array, text, number, truth or nothing; `rest` counts what was cut."""

    name: str | None
    kind: str
    text: str = ""
    children: list[Node] = field(default_factory=list)
    count: int = 0
    is_open: bool = False
    rest: int = 0


def tree(value: Any, *, max_nodes: int = MAX_NODES) -> Node:
    """Shape a JSON value for the page. A text that holds JSON is shown as what it holds."""
    return _node(None, _unwrapped(value), 0, _Budget(max_nodes))


@dataclass(slots=True)
class _Budget:
    left: int
    open_lines: int = _OPEN_LINES


def _unwrapped(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _node(name: str | None, value: Any, depth: int, budget: _Budget) -> Node:
    budget.left -= 1
    if isinstance(value, dict):
        return _branch(
            Node(name, "object"), ((str(key), item) for key, item in value.items()), len(value), depth, budget
        )
    if isinstance(value, list | tuple):
        return _branch(
            Node(name, "array"), ((str(at), item) for at, item in enumerate(value)), len(value), depth, budget
        )
    return _leaf(name, value)


def _branch(node: Node, items: Iterator[tuple[str, Any]], count: int, depth: int, budget: _Budget) -> Node:
    node.count = count
    if depth < _OPEN_DEPTH and count <= _OPEN_CHILDREN:
        node.is_open = count <= budget.open_lines
        # What no longer fits ends it: a shorter one that follows would lie open alone.
        budget.open_lines = budget.open_lines - count if node.is_open else 0
    for key, item in items:
        if budget.left <= 0:
            node.rest = count - len(node.children)
            break
        node.children.append(_node(key, item, depth + 1, budget))
    return node


def _leaf(name: str | None, value: Any) -> Node:
    if value is None:
        return Node(name, "nothing", "null")
    if isinstance(value, bool):
        return Node(name, "truth", "true" if value else "false")
    if isinstance(value, int | float):
        return Node(name, "number", orjson.dumps(value).decode() if abs(value) < 2**63 else str(value))
    text = str(value)
    return Node(name, "text", text[:MAX_TEXT], rest=max(0, len(text) - MAX_TEXT))
