"""Blocks of Omie's (425) that last: which company, because of which method, until when. Seen, never shortened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from omie_control.domain.actors import Actor
from omie_control.domain.gate import span_words
from omie_control.services.companies import Companies
from omie_control.services.gate import DoubleGate


@dataclass(frozen=True, slots=True)
class CompanyBlock:
    """One company that Omie has shut out; `endpoint` is the method that brought it about."""

    company_id: UUID
    company: str
    endpoint: str
    until: datetime
    seconds_left: float

    @property
    def left(self) -> str:
        """Say for how much longer, in words."""
        return span_words(self.seconds_left)

    def sentence(self, zone: ZoneInfo) -> str:
        """Say it to people: who, until when, because of what, and what to do."""
        here = self.until.astimezone(zone)
        day = "" if here.date() == datetime.now(zone).date() else f"{here:%d/%m} "
        return (
            f"O Omie bloqueou as chamadas da empresa {self.company} até {day}{here:%H:%M:%S} (por mais {self.left}), "
            f"por consumo indevido em {self.endpoint}. Nenhuma chamada dela sai até lá; basta esperar."
        )


class Blocks:
    """Reads the gate's book of blocks for those who may see the companies."""

    def __init__(self, gate: DoubleGate, companies: Companies) -> None:
        self._gate = gate
        self._companies = companies

    async def list(self, actor: Actor) -> list[CompanyBlock]:
        """Return the blocks of this actor's companies that last, the longest first. Raises StorageDown."""
        found = await self._gate.blocks()
        if not found:
            return []
        slugs = {str(company.id): company.slug for company in await self._companies.list(actor)}
        now = datetime.now(UTC)
        # A company whose key was changed under a block has two: the longer one says what matters.
        lasting: dict[str, CompanyBlock] = {}
        for block in sorted(found, key=lambda each: each.blocked_for):
            if block.company in slugs:
                left = max(0.0, (block.blocked_until - now).total_seconds())
                lasting[block.company] = CompanyBlock(
                    UUID(block.company), slugs[block.company], block.endpoint, block.blocked_until, left
                )
        return sorted(lasting.values(), key=lambda each: each.seconds_left, reverse=True)
