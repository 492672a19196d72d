"""What the record keeps of an answer, and how its execution_id goes out without touching the answer."""

from __future__ import annotations

import pytest
from fastmcp.tools import ToolResult
from fastmcp.tools.base import InputRequiredToolResult
from mcp_types import CallToolResult, ImageContent, InputRequiredResult, TextContent

from omie_control.mcp.answers import is_heavier, response_of, signed, text_of


def test_the_structured_answer_is_kept_before_the_text() -> None:
    assert response_of(ToolResult(content="oi", structured_content={"a": 1})) == {"a": 1}


def test_a_text_answer_is_kept_as_text() -> None:
    assert response_of(ToolResult(content="oi")) == {"conteudo": "oi"}


def test_a_picture_is_named_not_kept() -> None:
    picture = ImageContent(type="image", data="QUJD", mime_type="image/png")
    assert response_of(ToolResult(content=[picture])) == {"conteudo": {"tipo": "image", "tipo_de_midia": "image/png"}}


def test_asking_the_caller_for_input_is_an_answer() -> None:
    asked = InputRequiredToolResult(InputRequiredResult(result_type="input_required", request_state="passo 1"))
    assert response_of(asked) == {"entrada_solicitada": []}
    assert signed(asked, "x") is asked


def test_the_execution_id_joins_a_copy_of_the_answer() -> None:
    shared = ToolResult(content="oi", meta={"k": 1})
    out = signed(shared, "x_1")
    assert out.meta == {"k": 1, "execution_id": "x_1"}
    assert shared.meta == {"k": 1}


def test_a_proxied_answer_carries_the_execution_id_too() -> None:
    raw = CallToolResult(content=[TextContent(type="text", text="oi")])
    out = signed(ToolResult.from_mcp_result(raw), "x_1").to_mcp_result()
    assert out.meta == {"execution_id": "x_1"}
    assert raw.meta is None


def test_an_error_answer_has_its_text() -> None:
    assert text_of(ToolResult(content="falhou", is_error=True)) == "falhou"


@pytest.mark.parametrize("value", ["x" * 101, ["x"] * 101, {"a": {"b": ["y" * 60, "z" * 60]}}, {"k" * 101: 1}])
def test_weight_is_known_without_serialising(value: object) -> None:
    assert is_heavier(value, 100)
    assert not is_heavier(value, 300)


def test_weighing_survives_any_depth() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert is_heavier(deep, 1000)
