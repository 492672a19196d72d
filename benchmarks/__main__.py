"""Measure and write `docs/benchmarks.md`: `python -m benchmarks [--only NAME …] [--scale] [--quick]`.

Each benchmark runs in a process of its own, one after the other, prints markdown, and owns a section of the page: a
run writes the sections it measured and leaves the others as they were, also those that people wrote.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.page import PAGE, page_of, sections_of

# In the order of the page, each with what makes a quick run of it.
PARTS = {
    "recording": ["--quick"],
    "sealing": ["--rounds", "5"],
    "disk": ["--rows", "2000"],
    "scale": ["--rows", "20000", "--rounds", "1"],
    "mcp_overhead": ["--seconds", "1", "--rounds", "2"],
    "first_call": ["--rounds", "1"],
    "permission": ["--rounds", "1"],
    "gate": ["--rounds", "100"],
    "gate_before": [],
    "cache": ["--rounds", "20"],
    "paging": ["--pages", "300"],
}
# Written by people: kept where it stands.
_BY_HAND = {"gate_before"}
# Ten million rows are filled in for it: only where it is asked for.
_LONG = {"scale"}


def main() -> None:
    """Run the parts and write the page; a part that fails stops the run and leaves the page as it was."""
    names = [name for name in PARTS if name not in _BY_HAND]
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"only these: {', '.join(names)}")
    parser.add_argument("--scale", action="store_true", help="ingest with ten million rows in the tables, nothing else")
    parser.add_argument("--quick", action="store_true", help="short rounds, printed only: to see that it runs")
    given = parser.parse_args()
    chosen = ["scale"] if given.scale else given.only or [name for name in names if name not in _LONG]
    measured = {}
    for name in chosen:
        measured[name] = _run(name, PARTS[name] if given.quick else [])
        sys.stdout.write(f"{measured[name]}\n")
        sys.stdout.flush()
    if not given.quick:
        # Read only now: somebody else may have measured another part meanwhile.
        sections = sections_of(PAGE.read_text(encoding="utf-8")) | measured
        PAGE.write_text(page_of(sections, list(PARTS)), encoding="utf-8")


def _run(name: str, arguments: list[str]) -> str:
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, cwd=PAGE.parents[1], stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
