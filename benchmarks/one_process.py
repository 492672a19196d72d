"""One of several server processes: records for so long from so many callers, prints how many and how fast."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvloop
from benchmarks.ours import Full
from benchmarks.workload import under_load


async def main(callers: int, seconds: float) -> None:
    way = Full(os.environ["BENCH_DATABASE"], os.environ["BENCH_VALKEY"], Path(os.environ["BENCH_HOME"]))
    await way.open()
    sample = await under_load(way.run, callers, seconds)
    await way.close()
    print(sample.count, sample.rate)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
