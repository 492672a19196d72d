"""What models see of each tool is a promise: a changed name, type or description shows here first.

`UPDATE_SNAPSHOTS=1` writes the snapshots anew; read the difference before committing it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import pytest_asyncio
from fastmcp import FastMCP

from omie_control.app import App
from omie_control.mcp.server import register_tools

SNAPSHOTS = Path(__file__).parents[2] / "snapshots" / "mcp"
NAMES = sorted(path.stem for path in SNAPSHOTS.glob("*.json"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tools() -> dict[str, Any]:
    server: FastMCP[Any] = FastMCP("schemas")
    # Registering reads nothing of the App; only calls do.
    register_tools(server, cast("App", None))
    return {tool.name: tool.to_mcp_tool() for tool in await server.list_tools()}


async def test_every_tool_has_a_snapshot_and_every_snapshot_a_tool(tools: dict[str, Any]) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        for name, tool in tools.items():
            (SNAPSHOTS / f"{name}.json").write_bytes(_written(tool))
    assert sorted(tools) == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_a_tool_looks_as_promised(tools: dict[str, Any], name: str) -> None:
    assert (SNAPSHOTS / f"{name}.json").read_bytes() == _written(tools[name])


async def test_every_tool_says_what_it_does_to_the_world(tools: dict[str, Any]) -> None:
    for tool in tools.values():
        hints = tool.annotations
        assert None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        assert tool.title
        assert len(tool.description) > 80
        for parameter in tool.input_schema["properties"].values():
            assert parameter.get("description"), (tool.name, parameter)


async def test_digits_of_other_scripts_reach_no_field_of_omie(tools: dict[str, Any]) -> None:
    """`\\d` and `\\w` mean every script's digits and letters; Omie knows ASCII's."""
    patterns = [(name, pattern) for name, tool in tools.items() for pattern in _patterns(tool.input_schema)]
    assert len(patterns) > 5, "the scan found next to nothing, so it proves nothing"
    assert [each for each in patterns if re.search(r"\\[dDwW]", each[1])] == []
    product = tools["incluir_produto"].input_schema["properties"]
    for field, example in (("ncm", "７３１８.15.00"), ("ean", "٧891000315507")):
        [pattern] = _patterns(product[field])
        assert re.search(pattern, product[field]["examples"][0])
        assert not re.search(pattern, example)


def _patterns(schema: Any) -> Iterator[str]:
    """Give every pattern of a schema, however deep."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and isinstance(schema.get("pattern"), str):
        yield schema["pattern"]
    for each in inner:
        yield from _patterns(each)


def _written(tool: Any) -> bytes:
    shown = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    return orjson.dumps(shown, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
