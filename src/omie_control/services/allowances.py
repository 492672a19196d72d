"""What an actor may do and has left: rights, companies, calls of this minute, blocks and pauses, ages of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omie_control.domain.access import DESCRIPTIONS, Right, is_allowed
from omie_control.domain.actors import Actor
from omie_control.domain.companies import Company
from omie_control.domain.gate import Limits
from omie_control.postgres.gate import Paused, PostgresGate, Spent
from omie_control.services.blocks import Blocks, CompanyBlock
from omie_control.services.companies import Companies


@dataclass(frozen=True, slots=True)
class Allowance:
    """All of it. `spent` are calls that still count for the limits of the minute, by company and method."""

    actor: Actor
    rights: Sequence[str]
    companies: Sequence[Company]
    limits: Limits
    spent: Sequence[Spent]
    paused: Sequence[Paused]
    blocks: Sequence[CompanyBlock]

    def left(self, spent: Spent) -> int:
        """Return how many calls of a method are left in this minute, as far as its own limit goes."""
        return max(0, self.limits.per_method - spent.calls)


class Allowances:
    """Reads allowances; writes nothing."""

    def __init__(self, gate: PostgresGate, blocks: Blocks, companies: Companies) -> None:
        self._gate = gate
        self._blocks = blocks
        self._companies = companies

    async def of(self, actor: Actor) -> Allowance:
        """Return what an actor may do and has left. The calls are those of everybody, since the limits are."""
        companies = await self._companies.list(actor)
        ids = [str(company.id) for company in companies]
        spent, paused = await self._gate.spending(ids)
        return Allowance(
            actor=actor,
            rights=[DESCRIPTIONS[right] for right in Right if is_allowed(actor, right)],
            companies=companies,
            limits=self._gate.limits,
            spent=spent,
            paused=paused,
            blocks=await self._blocks.list(actor),
        )
