"""What a tool answered, as its execution keeps it; and how big a value is, without serialising it."""

from __future__ import annotations

from typing import Any

from fastmcp.tools import ToolResult
from fastmcp.tools.base import InputRequiredToolResult
from mcp_types import ContentBlock, TextContent

EXECUTION_META = "execution_id"


def response_of(result: Any) -> Any:
    """Return what the record keeps of a result: the structured answer, else the text.

    A result that asks the caller for more input (a round of its own in the modern protocol) is an answer
    like any other: its execution ends, and the next round is the next execution.
    """
    if isinstance(result, InputRequiredToolResult):
        asked = result.input_required.input_requests or {}
        return {"entrada_solicitada": sorted(asked)}
    if not isinstance(result, ToolResult):
        # FastMCP's background tasks: the work itself goes on elsewhere.
        return {"tarefa_em_segundo_plano": str(getattr(result, "task_id", "") or type(result).__name__)}
    if result.structured_content is not None:
        return result.structured_content
    texts = [_block(block) for block in result.content]
    return {"conteudo": texts[0] if len(texts) == 1 else texts}


def text_of(result: ToolResult) -> str:
    """Return the text of a result that says `is_error`."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def signed(result: Any, execution_id: str) -> Any:
    """Return the result with its execution_id in `_meta`; the given object stays as it was."""
    if not isinstance(result, ToolResult) or isinstance(result, InputRequiredToolResult):
        return result
    meta = {**result.meta, EXECUTION_META: execution_id} if result.meta else {EXECUTION_META: execution_id}
    copy = result.model_copy(update={"meta": meta})
    # A proxied result goes out as it came, so its own copy carries the id.
    raw = copy._raw_mcp_result
    if raw is not None:
        copy._raw_mcp_result = raw.model_copy(update={"meta": {**(raw.meta or {}), EXECUTION_META: execution_id}})
    return copy


def is_heavier(value: Any, limit: int) -> bool:
    """Say whether a JSON value holds more than about `limit` characters; stops as soon as it knows."""
    left = limit
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            left -= len(item)
        elif isinstance(item, dict):
            left -= len(item)
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            left -= len(item)
            waiting.extend(item)
        if left < 0:
            return True
    return False


def _block(block: ContentBlock) -> Any:
    if isinstance(block, TextContent):
        return block.text
    return {"tipo": block.type, "tipo_de_midia": getattr(block, "mime_type", None)}
