"""What it costs to ask whether somebody may: the one deciding function, and the verb's whole question around it.

    python -m benchmarks.permission [--rounds 20]

Actors of every kind (a built-in role, a token of one company, roles of the company's own with limits) ask for every
right on companies and kinds of tools, so that yes and no both occur; the verb's question is asked where the answer is
yes, for a no is put on record. That none of it is I/O is not measured but shown: the database behind it was never
opened, and the question never lets go of the loop.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import product
from statistics import median
from time import perf_counter
from uuid import UUID

from benchmarks.page import table

from omie_control.domain.access import Kind, Right, is_allowed
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.configuration import DEFAULTS
from omie_control.domain.executions import Category, Complexity
from omie_control.domain.roles import own_role
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access

GOAL_US = 20.0
COMPANIES = tuple(UUID(int=number) for number in range(1, 201))
# A company nobody was given.
_FOREIGN = UUID(int=999)
_KINDS: tuple[Kind | None, ...] = (None, *product(Category, Complexity))
Question = tuple[Actor, Right, UUID | None, Kind | None]


def actors() -> list[Actor]:
    """Make one actor of each kind."""
    everything = list(Right)
    limited = own_role(
        UUID(int=1), "financeiro", rights=everything, categories=["financeiro", "comercial"], complexities=["basica"]
    )
    reader = own_role(UUID(int=2), "leitor", rights=everything, is_read_only=True)
    many = frozenset(COMPANIES)
    return [
        *(Actor(ActorKind.USER, role.value, role) for role in Role),
        Actor(ActorKind.TOKEN, "agente", Role.AGENT, UUID(int=3), many, COMPANIES[0]),
        Actor(ActorKind.USER, "ana", limited, UUID(int=4), many),
        Actor(ActorKind.IDENTITY, "bia", reader, UUID(int=5), many),
        Actor(ActorKind.STDIO, "stdio", Role.AGENT, may_write=False),
    ]


def questions() -> list[Question]:
    """Return every actor's every question."""
    return list(product(actors(), Right, (None, COMPANIES[150], _FOREIGN), _KINDS))


def measure(rounds: int) -> tuple[list[float], list[float], int]:
    """Return the µs of each deciding, of each whole question that is answered yes, and how many were answered no."""
    access = Access(Postgres("postgresql://nobody@/nowhere?host=/nowhere", timezone="UTC"), DEFAULTS)
    asked = questions()
    allowed = [question for question in asked if is_allowed(*question)]
    deciding, requiring = [], []
    for _ in range(rounds):
        deciding += _timed(lambda question: is_allowed(*question), asked)
        requiring += _timed(lambda question: _require(access, question), allowed)
    return deciding, requiring, len(asked) - len(allowed)


def _require(access: Access, question: Question) -> None:
    actor, right, company, kind = question
    asking = access.require(actor, right, company, kind=kind)
    try:
        asking.send(None)
    except StopIteration:
        return
    raise AssertionError(f"{actor.label} had to wait to be allowed {right}")


def _timed(ask: Callable[[Question], object], asked: Sequence[Question]) -> list[float]:
    took = []
    for question in asked:
        began = perf_counter()
        ask(question)
        took.append((perf_counter() - began) * 1e6)
    return took


def report(deciding: list[float], requiring: list[float], refused: int, rounds: int) -> str:
    """Write the section."""
    lines = [
        [name, f"{len(took):,}", f"**{median(took):.2f}**", f"{_p99(took):.2f}", f"≤ {GOAL_US:g}", "none"]
        for name, took in (("`is_allowed`, yes and no", deciding), ("`Access.require`, the verb's question", requiring))
    ]
    return "\n".join(
        [
            "## May they?",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.permission`: {rounds} rounds of every "
            f"right for {len(actors())} actors (built-in roles, a token of {len(COMPANIES)} companies, roles of the "
            f"company's own with limits), {len(_KINDS)} kinds of tools and three companies; {refused:,} of a round's "
            "answers are no. Each is timed alone, the clock's own cost in it.",
            "",
            table(["question", "asked", "median µs", "p99 µs", "goal", "I/O"], lines),
            "",
        ]
    )


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    sys.stdout.write(report(*measure(rounds), rounds))


if __name__ == "__main__":
    main()
