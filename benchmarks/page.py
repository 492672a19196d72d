"""`docs/benchmarks.md`: one page, of which every benchmark owns a section and leaves the others alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks, measured

`make bench` writes this page, `python -m benchmarks --only <name>` one section of it; each says when it was measured.
Compare ratios, not rates: load generator, service and servers share the machine.
"""
_SECTION = re.compile(r"<!-- (?P<name>[a-z_]+) -->\n(?P<text>.*?)\n*<!-- /(?P=name) -->", re.DOTALL)


def sections_of(page: str) -> dict[str, str]:
    """Return the sections of a page by the name of the benchmark that owns each, in their order."""
    return {found["name"]: found["text"].strip() for found in _SECTION.finditer(page)}


def page_of(sections: Mapping[str, str], order: Sequence[str]) -> str:
    """Write the page: the known sections in their order, whatever else there was behind them."""
    names = [*(name for name in order if name in sections), *(name for name in sections if name not in order)]
    parts = [f"<!-- {name} -->\n\n{sections[name].strip()}\n\n<!-- /{name} -->" for name in names]
    return "\n\n".join([_HEAD.strip(), *parts]) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
