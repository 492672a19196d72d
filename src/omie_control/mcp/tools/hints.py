"""How a tool is offered, so that none forgets a hint: what it does to the world, and where it belongs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastmcp import FastMCP
from fastmcp.tools import Tool, ToolResult
from mcp_types import ToolAnnotations

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.faults import spoken
from omie_control.mcp.traits import OMIE_TAG

ToolFunction = TypeVar("ToolFunction", bound=Callable[..., Awaitable[ToolResult]])
Hints = dict[str, Any]


def offer(
    server: FastMCP[Any], hints: Hints, description: str, output: dict[str, Any]
) -> Callable[[ToolFunction], ToolFunction]:
    """Register a function as a tool of ours: described, hinted, its answer's schema told, its errors spoken."""

    def register(function: ToolFunction) -> ToolFunction:
        tool = Tool.from_function(spoken(function), description=description, output_schema=output, **hints)
        tool.parameters = slim(tool.parameters)
        server.add_tool(tool)
        return function

    return register


def slim(schema: Any) -> Any:
    """Say the same of parameters in fewer words: what may be left out need not also be said to be null.

    A null is still taken, as what was left out.
    """
    if isinstance(schema, list):
        return [slim(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: slim(value) for key, value in schema.items() if (key, value) != ("default", None)}
    choices = [each for each in kept.pop("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    if choices and all(set(each) == {"type"} for each in choices):
        return {"type": [each["type"] for each in choices], **kept}
    return {**kept, "anyOf": choices} if choices else kept


def reads_omie(title: str, category: Category, complexity: Complexity) -> Hints:
    """Describe a tool that asks Omie and changes nothing."""
    hints = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
    return _described(title, hints, category, complexity, OMIE_TAG)


def writes_omie(
    title: str, category: Category, complexity: Complexity, *, destructive: bool, idempotent: bool
) -> Hints:
    """Describe a tool that changes something in Omie; `destructive`: what was there before is lost."""
    hints = ToolAnnotations(
        read_only_hint=False, destructive_hint=destructive, idempotent_hint=idempotent, open_world_hint=True
    )
    return _described(title, hints, category, complexity, OMIE_TAG)


def reads_control(title: str) -> Hints:
    """Describe a tool that reads this system's own records."""
    hints = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    return _described(title, hints, Category.SISTEMA, Complexity.BASICA)


def keeps_control(title: str, *, destructive: bool = False) -> Hints:
    """Describe a tool that changes this system's own records, not Omie's; `destructive`: it ends something."""
    hints = ToolAnnotations(
        read_only_hint=False, destructive_hint=destructive, idempotent_hint=False, open_world_hint=False
    )
    return _described(title, hints, Category.SISTEMA, Complexity.BASICA)


def _described(title: str, hints: ToolAnnotations, category: Category, complexity: Complexity, *tags: str) -> Hints:
    return {
        "title": title,
        "annotations": hints,
        "tags": {category.value, *tags},
        "meta": {"categoria": category.value, "complexidade": complexity.value},
    }
