"""Every curated tool has its story: a good, an empty, a wrong and a failing call. A new tool without one fails here."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from fastmcp import FastMCP
from fastmcp.tools import Tool
from tests.tool_stories import KINDS, Story

from omie_control.app import App
from omie_control.mcp.server import FAMILIES, register_tools
from omie_control.mcp.tools.family import Family
from omie_control.mcp.traits import OMIE_TAG

# It answers before Omie is asked, so its four cases are told call by call in test_exportacao.py.
IN_THE_BACKGROUND = {"exportar_metodo_omie"}
ROOM = Path(__file__).parents[1] / "stories" / "tools"


def _stories() -> list[Story]:
    modules = [import_module(f"tests.stories.tools.{path.stem}") for path in sorted(ROOM.glob("test_*.py"))]
    return [story for module in modules for story in getattr(module, "STORIES", ())]


async def _tools() -> list[Tool]:
    server: FastMCP[Any] = FastMCP("stories")
    # Registering reads nothing of the App; only calls do.
    register_tools(server, cast("App", None))
    return list(await server.list_tools())


async def test_every_curated_tool_has_a_story_with_the_four_cases() -> None:
    told = {story.tool for story in _stories()} | IN_THE_BACKGROUND
    assert sorted({tool.name for tool in await _tools() if OMIE_TAG in tool.tags} - told) == []


async def test_every_story_tells_of_a_tool_that_there_is() -> None:
    told = [story.tool for story in _stories()]
    assert sorted(set(told) - {tool.name for tool in await _tools()}) == []
    assert len(told) == len(set(told))


def test_the_four_cases_are_told_by_a_test() -> None:
    for path in ROOM.glob("test_*.py"):
        module = import_module(f"tests.stories.tools.{path.stem}")
        if not hasattr(module, "STORIES"):
            continue
        [mark] = [each for each in module.test_story.pytestmark if each.name == "parametrize"]
        assert len(mark.args[1]) == len(KINDS) * len(module.STORIES), path.name


@pytest.mark.parametrize("family", [module.family for module in FAMILIES if hasattr(module, "family")])
def test_every_method_and_column_of_a_family_is_in_the_catalogue(family: Family) -> None:
    for tool in family.tools:
        for asked in tool.asks:
            assert asked.method.endpoint == asked.path + asked.call
            for name in asked.unknown():
                pytest.fail(f"{tool.names[0]}: {asked.method.endpoint} has no field {name}")
