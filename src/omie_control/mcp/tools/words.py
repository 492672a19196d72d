"""How tools put what they found: tables and lines of markdown that no value can break out of."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastmcp.tools import ToolResult


def plain(value: Any) -> str:
    """Return Omie's text as people wrote it: no HTML entities, no padding, on one line."""
    return " ".join(html.unescape(value).split()) if isinstance(value, str) else "" if value is None else str(value)


def cell(value: Any) -> str:
    """Return a text that stays inside its cell of a table."""
    return plain(value).replace("|", "\\|").replace("`", "'")


def table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as a table; `columns` maps a field to its heading."""
    lines = [f"| {' | '.join(columns.values())} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell(row.get(field)) for field in columns)} |" for row in rows]
    return "\n".join(lines)


def answer(structured: Mapping[str, Any], *paragraphs: str | None) -> ToolResult:
    """Make a tool's answer: short markdown for reading, the same facts structured for programs."""
    return ToolResult(content="\n\n".join(filter(None, paragraphs)), structured_content=dict(structured))


def filled(record: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty: it tells nothing and costs the reader's attention."""
    return {name: value for name, value in record.items() if value not in (None, "", [], {})}


def bullets(facts: Sequence[tuple[str, Any]]) -> str:
    """Write facts as a list, without the empty ones."""
    return "\n".join(f"- {name}: {cell(value)}" for name, value in facts if value not in (None, "", [], {}))


def instant(at: datetime | None, zone: ZoneInfo) -> str | None:
    """Write an instant in the zone that people here live in."""
    return None if at is None else at.astimezone(zone).isoformat(timespec="milliseconds")
