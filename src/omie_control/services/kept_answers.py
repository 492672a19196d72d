"""What is kept of Omie's answers, for those who run things: seen, discarded, or fetched before somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from omie_control.domain import freshness
from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.companies import Company
from omie_control.errors import ControlError
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.protocol import Payload
from omie_control.postgres.database import Postgres
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.answers import Answers, page_param
from omie_control.services.calls import OmieCalls
from omie_control.services.recording import Handle
from omie_control.valkey.live import Live


@dataclass(frozen=True, slots=True)
class KeptTable:
    """One of the small tables that nearly every task needs. `age_seconds` None: it is not at hand."""

    endpoint: str
    age_seconds: float | None
    life_seconds: int


@dataclass(frozen=True, slots=True)
class KeptState:
    """How the memory of answers stands for a company. Not up: every question goes to Omie."""

    is_up: bool
    down_since: datetime | None
    tables: Sequence[KeptTable]


@dataclass(frozen=True, slots=True)
class Preloaded:
    """What a preload did: pages at hand, how many of them Omie was asked for, and the tables that it refused."""

    pages: int
    asked: int
    refused: Mapping[str, str]


class KeptAnswers:
    """The verbs of a company's kept answers."""

    def __init__(self, postgres: Postgres, access: Access, answers: Answers, calls: OmieCalls, live: Live) -> None:
        self._postgres = postgres
        self._access = access
        self._answers = answers
        self._calls = calls
        self._live = live

    async def state(self, actor: Actor, company: Company) -> KeptState:
        """Return what is at hand of the small tables, and how old it is. Asks Omie nothing."""
        await self._access.require(actor, Right.SYSTEM_READ, company.id)
        tables = [await self._table(company, catalog().method(*each)) for each in freshness.WARM]
        return KeptState(self._live.is_up, self._live.down_since, tables)

    async def clear(self, actor: Actor, company: Company) -> None:
        """Make everything old that is kept of a company: the next question of each kind goes to Omie. Audited."""
        await self._access.require(actor, Right.CACHE_CLEAR, company.id, object_type="company", object_id=company.slug)
        await self._audited(actor, "cache.cleared", company)
        await self._answers.forget(company.id, catalog())

    async def preload(self, handle: Handle, company: Company) -> Preloaded:
        """Have a company's small tables at hand, within an open execution. Audited.

        Raises Omie's refusal when there is nothing but refusals, and whatever keeps a read from leaving.
        """
        actor = handle.request.actor
        await self._access.require(actor, Right.OMIE_READ, company.id, object_type="company", object_id=company.slug)
        refused: dict[str, ControlError] = {}
        asked = 0

        async def fetch(method: Method, param: Mapping[str, Any]) -> Payload:
            nonlocal asked
            asked += 1
            try:
                return await self._calls.look(handle, company, method, param)
            except ControlError as error:
                refused[method.endpoint] = error
                raise

        pages = await self._answers.warm(company, catalog(), fetch)
        if pages == 0 and refused:
            raise next(iter(refused.values()))
        await self._audited(actor, "cache.preloaded", company, pages=pages, refused=len(refused))
        return Preloaded(pages, asked, {endpoint: error.message for endpoint, error in refused.items()})

    async def _table(self, company: Company, method: Method) -> KeptTable:
        kept = await self._answers.kept(company, method, page_param(method))
        life = freshness.life_seconds(method.path, method.call, method.kind) or 0
        return KeptTable(method.endpoint, None if kept is None else kept.age_seconds, life)

    async def _audited(self, actor: Actor, action: str, company: Company, **facts: int) -> None:
        async with self._postgres.transaction() as tx:
            await audit.append(
                tx,
                actor,
                action,
                object_type="company",
                object_id=company.slug,
                company_id=company.id,
                after=facts or None,
            )
