"""What a tool says about itself is what its executions say."""

from __future__ import annotations

import pytest
from fastmcp.tools import Tool
from mcp_types import ToolAnnotations

from omie_control.app import Declaration
from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.traits import traits_of


async def conciliar(conta: int) -> str:
    return str(conta)


def test_a_tool_that_says_nothing_is_not_known_to_write() -> None:
    traits = traits_of(Tool.from_function(conciliar), None)
    assert (traits.process_type, traits.writes, traits.category, traits.complexity) == ("conciliar", False, None, None)
    assert traits.parameters == ("conta",)


@pytest.mark.parametrize(
    ("hints", "writes"),
    [
        (ToolAnnotations(read_only_hint=True), False),
        (ToolAnnotations(read_only_hint=True, destructive_hint=True), False),
        (ToolAnnotations(read_only_hint=False), True),
        (ToolAnnotations(destructive_hint=True), True),
        (ToolAnnotations(title="Conciliar"), False),
    ],
)
def test_hints_say_whether_it_writes(hints: ToolAnnotations, writes: bool) -> None:
    assert traits_of(Tool.from_function(conciliar, annotations=hints), None).writes is writes


def test_tags_name_category_and_complexity() -> None:
    tool = Tool.from_function(conciliar, tags={"categoria:financeiro", "complexidade:avancada"})
    traits = traits_of(tool, None)
    assert (traits.category, traits.complexity) == (Category.FINANCEIRO, Complexity.AVANCADA)


def test_an_unknown_category_counts_as_none() -> None:
    assert traits_of(Tool.from_function(conciliar, tags={"categoria:magia"}), None).category is None


def test_meta_speaks_before_tags() -> None:
    tool = Tool.from_function(conciliar, tags={"categoria:financeiro"}, meta={"categoria": "comercial"})
    assert traits_of(tool, None).category is Category.COMERCIAL


def test_a_decorated_function_names_its_own_process_type() -> None:
    declared = Declaration("conciliar_extrato", Category.FINANCEIRO, None, writes=False)
    traits = traits_of(Tool.from_function(conciliar, tags={"categoria:comercial"}), declared)
    assert (traits.process_type, traits.category, traits.writes) == ("conciliar_extrato", Category.FINANCEIRO, False)
