"""The campaign itself: load, a kill, recovery, again and again; then the books."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.campaign.books import compare, settle
from tests.campaign.house import QUICK, House
from tests.campaign.load import Load
from tests.fixtures_omie import start_omie

from omie_control.simulator.rules import Limits

VICTIMS = ("server", "postgres", "valkey")


@dataclass(frozen=True, slots=True)
class Report:
    """What a campaign saw."""

    cycles: int
    kills: dict[str, int]
    acknowledged: int
    silent: int
    broken: list[str]

    def __str__(self) -> str:
        kills = ", ".join(f"{count} × {whom}" for whom, count in self.kills.items())
        head = f"{self.cycles} cycles ({kills}), {self.acknowledged} acknowledged, {self.silent} without an answer"
        return "\n".join(
            [head, *(f"BROKEN {each}" for each in self.broken[:50]), f"{len(self.broken)} broken promises"]
        )


async def run(
    home: Path,
    *,
    cycles: int,
    callers: int = 12,
    seed: int = 1,
    program: Sequence[str] = QUICK,
    tell: Callable[[str], None] = lambda line: None,
) -> Report:
    """Run so many cycles on a fresh home, and compare the books at the end."""
    chance = random.Random(seed)
    kills = dict.fromkeys(VICTIMS, 0)
    async with start_omie(limits=Limits(is_enforced=False), latency_ms=(1.0, 15.0)) as omie:
        house = House(home, omie.base_url, program)
        try:
            await house.start()
            house.command(
                "company", "add", "campanha", "--app-key", omie.company.app_key, given=omie.company.app_secret + "\n"
            )
            # One token, at the pace of a hundred agents.
            house.command("config", "set", "token.per_second", "1000")
            load = Load(house, callers)
            load.start()
            for cycle in range(cycles):
                await load.more(callers * 6)
                whom = VICTIMS[cycle % 3] if cycle < 3 else chance.choice(VICTIMS)
                kills[whom] += 1
                killed_at = datetime.now(UTC)
                await house.kill(whom)
                await load.more(callers)
                await settle(lambda: house.owner_url, killed_at)
                tell(f"{cycle + 1:>4}/{cycles} {whom:<8} {len(load.answers)} acknowledged")
            await load.stop()
            await settle(lambda: house.owner_url, datetime.now(UTC))
            broken = await compare(house.owner_url, load.answers, omie.simulator.book)
            await house.stop()
        finally:
            house.end()
    return Report(cycles, kills, len(load.answers), load.silent, broken)
