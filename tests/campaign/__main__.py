"""`python -m tests.campaign --cycles 200`: the long campaign, then its saboteur, which must be caught."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.campaign.kills import Report, run

SABOTEUR = ("-m", "tests.campaign.saboteur", "up", "--port", "0")


def main() -> int:
    """Run both; 0 when the product kept every promise and the saboteur was caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    choices = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="octl-campaign-"))
    try:
        report = asyncio.run(run(folder / "h", cycles=choices.cycles, seed=choices.seed, tell=_tell))
        _tell(f"seed {choices.seed}\n{report}")
        sabotage = asyncio.run(run(folder / "s", cycles=6, seed=choices.seed, program=SABOTEUR))
        _tell(f"saboteur (answers before the commit): {_verdict(sabotage)}")
        return 0 if not report.broken and sabotage.broken else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _verdict(report: Report) -> str:
    return f"caught, {len(report.broken)} broken promises" if report.broken else "NOT CAUGHT"


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
