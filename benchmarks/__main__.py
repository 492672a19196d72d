"""Measure everything and write `docs/benchmarks.md`: `python -m benchmarks [--scale] [--quick]`.

Each part runs in a process of its own, one after the other, and writes its own tables.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCALE_ROWS = 10_000_000


def main() -> None:
    """Run the parts and write the page; a part that fails stops the run and leaves the page as it was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--scale", action="store_true", help="also with ten million rows in the tables")
    parser.add_argument("--quick", action="store_true", help="short rounds, printed only: to see that it runs")
    given = parser.parse_args()
    scale = ["--scale", str(100_000 if given.quick else SCALE_ROWS)] if given.scale else []
    parts = [
        ["benchmarks.recording", *scale, *(["--quick"] if given.quick else [])],
        ["benchmarks.mcp_overhead", *(["--seconds", "1", "--rounds", "2"] if given.quick else [])],
        ["benchmarks.first_call", *(["--rounds", "1"] if given.quick else [])],
        ["benchmarks.cache", *(["--rounds", "20"] if given.quick else [])],
        ["benchmarks.paging", *(["--pages", "300"] if given.quick else [])],
    ]
    page = "\n".join(_run(part) for part in parts)
    print(page)
    if not given.quick:
        (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")


def _run(part: list[str]) -> str:
    return subprocess.run([sys.executable, "-m", *part], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
