"""Real processes page at Omie's limits, through a Valkey that is killed and flushed, and break none of them.

How near they come to the limits is the benchmark's to say (`python -m benchmarks.paging`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.paging import Case, measure

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("campaign")]
PAGES = 300


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="octl-pg-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize(
    "case",
    [
        Case("one process", ("serve",), 0.0, 20.0),
        Case("a server and a worker, Valkey killed and flushed", ("serve", "worker"), 0.0, 10.0, kills=True),
    ],
    ids=lambda case: case.name,
)
async def test_every_page_is_read_and_no_limit_is_broken(case: Case, folder: Path) -> None:
    report = await measure(case, PAGES, folder)
    assert not report.violations, report.row()
    assert report.told["omie"] == PAGES, report.row()
    assert report.seconds >= report.shortest_seconds, report.row()
    assert bool(report.kills) == case.kills, report.row()
