"""Sealing one answer measured: by itself, with its masked form for a dictionary, and as what differs from it.

    python -m benchmarks.sealing [--rounds 40]

The answers are those of `benchmarks.workload`, in which no mask changes a length. Prints markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import NamedTuple

from benchmarks.page import table
from benchmarks.workload import INPUT, answers

from omie_control.domain.masking import mask
from omie_control.domain.sealing import canonical, new_key, seal_body
from omie_control.services.bodies import clear_end, masked_forms

_AAD = b"execution_bodies/sealing"


class Body(NamedTuple):
    """The clear form of an end, with its masked columns joined and in the shape of the clear form."""

    clear: bytes
    beside: bytes
    alike: bytes


def bodies() -> list[Body]:
    """Make the body of each answer as recording does."""
    given = mask(INPUT)
    column = canonical(given.value)
    found = []
    for answer in answers():
        masked = mask(answer)
        clear = clear_end(os.urandom(16), given.clear, given.clear, masked.clear)
        found.append(Body(clear, *masked_forms((column, column, canonical(masked.value)))))
    return found


def ways(key: bytes) -> dict[str, Callable[[Body], bytes]]:
    """Name the ways of sealing, as `seal_body` chooses between them."""
    return {
        "by itself": lambda body: seal_body(body.clear, key, _AAD),
        "with its masked form for a dictionary": lambda body: seal_body(body.clear, key, _AAD, body.beside),
        "what differs from its masked form": lambda body: seal_body(body.clear, key, _AAD, body.beside, body.alike),
    }


def report(rounds: int) -> str:
    """Measure the ways in turns and write the section."""
    found, known = bodies(), ways(new_key())
    times: dict[str, list[float]] = {name: [] for name in known}
    for number in range(rounds):
        order = list(known.items())
        for name, seal in order if number % 2 == 0 else reversed(order):
            began = perf_counter()
            for body in found:
                seal(body)
            times[name].append((perf_counter() - began) / len(found) * 1e6)
    by_itself = statistics.median(times["by itself"])
    rows = [
        [
            name,
            _spread(times[name]),
            f"**{statistics.median(times[name]) / by_itself:.2f}**",
            f"{statistics.mean(len(seal(body)) for body in found):,.0f}",
        ]
        for name, seal in known.items()
    ]
    return "\n".join(
        [
            "## Sealing one answer",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.sealing`: {rounds} interleaved rounds "
            f"of {len(found)} answers of 2 kB, medians (min-max); compressed, encrypted and bound to their place.",
            "",
            table(["sealed", "µs", "/ by itself", "bytes"], rows),
            "",
        ]
    )


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def main() -> None:
    """Measure and print the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sealing")
    parser.add_argument("--rounds", type=int, default=40)
    sys.stdout.write(report(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
