"""Webhooks of Omie: the secret address of each company, and how its inbox stands.

An address is shown once and kept as a hash, like a token. Omie has no API to be told of it: a person pastes it into
the portal, and only Omie's own ping proves that they did.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.companies import Company, Secret
from omie_control.domain.executions import uuid7
from omie_control.domain.webhooks import (
    DEFAULT_OVERLAP,
    LONGEST_OVERLAP,
    EventStatus,
    Standing,
    TopicCount,
    WebhookAddress,
    WebhookEvent,
)
from omie_control.errors import Conflict, InvalidInput, NotFound
from omie_control.postgres import webhooks as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.executions import cursor_id

PATH = "/webhooks/omie/"
PAGE_MAX = 100
# How many addresses of a company may hold at once: more are a mistake, and each is one more secret to lose.
_HOLDING_MAX = 5
_DAY = timedelta(days=1)
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
SECRET = re.compile(r"(omw_[a-z2-9]{8})_[A-Za-z0-9_-]{43}")
_HELD_ALREADY = "A empresa já tem um endereço de webhook."


@dataclass(frozen=True, slots=True)
class MadeAddress:
    """A new address with its one and only showing; `ending`: the prefixes that it takes the place of."""

    address: WebhookAddress
    url: Secret
    ending: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """How the webhooks of a company stand; `counts` are of the last 24 hours."""

    company: Company
    addresses: Sequence[WebhookAddress]
    standing: Standing
    counts: Sequence[TopicCount]

    @property
    def last_ping_at(self) -> datetime | None:
        """When Omie tried an address last: the proof that one of them was pasted into its portal."""
        return max((each.last_ping_at for each in self.addresses if each.last_ping_at), default=None)


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of events, newest first; `next` is the cursor of the following page."""

    items: Sequence[WebhookEvent]
    next: str | None


class Webhooks:
    """The verbs of a company's webhooks. `base_url`: where people and Omie reach this installation."""

    def __init__(self, postgres: Postgres, access: Access, base_url: str) -> None:
        self._postgres = postgres
        self._access = access
        self.base_url = base_url.rstrip("/")

    async def create(self, actor: Actor, company: Company) -> MadeAddress:
        """Make the first address of a company. Raises Conflict where one holds."""
        await self._require(actor, Right.COMPANY_MANAGE, company)
        async with self._postgres.transaction() as tx:
            holding = await self._holding(tx, company)
            if holding:
                raise Conflict(
                    f"{_HELD_ALREADY} ({holding[0].prefix}…)",
                    hint="Troque-o por um novo (rotate), ou revogue-o antes; ele não pode ser mostrado de novo.",
                    code="endereco_existente",
                )
            made = await self._made(tx, actor, company)
            await self._audited(tx, actor, "webhook.created", company, made.address)
        return made

    async def rotate(self, actor: Actor, company: Company, overlap: timedelta | None = DEFAULT_OVERLAP) -> MadeAddress:
        """Make an address in the place of those that hold; they go on for `overlap` (None: until they are revoked).

        Raises Conflict where there is none to replace, InvalidInput for an overlap below zero or over 30 days.
        """
        await self._require(actor, Right.COMPANY_MANAGE, company)
        if overlap is not None and not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InvalidInput(
                "O tempo em que o endereço antigo ainda vale precisa ser de 0 a 30 dias.", hint="Exemplo: 24 horas."
            )
        async with self._postgres.transaction() as tx:
            holding = await self._holding(tx, company)
            if not holding:
                raise Conflict("Não há endereço de webhook para trocar.", hint="Crie o primeiro (create).")
            if len(holding) >= _HOLDING_MAX:
                raise Conflict(
                    f"A empresa já tem {len(holding)} endereços valendo.", hint="Revogue os que não usa mais."
                )
            made = await self._made(tx, actor, company)
            ending = [each.prefix for each in holding]
            if overlap is not None:
                await store.expire_others(tx, made.address, datetime.now(UTC) + overlap)
            await self._audited(
                tx,
                actor,
                "webhook.rotated",
                company,
                made.address,
                ending=ending,
                overlap_seconds=None if overlap is None else int(overlap.total_seconds()),
            )
        return replace(made, ending=tuple(ending))

    async def revoke(self, actor: Actor, prefix: str, company: Company | None = None) -> WebhookAddress:
        """End an address at once, named by its prefix (`omw_…`); given a company, one of it.

        Raises NotFound, Conflict when it had ended.
        """
        await self._access.require(
            actor, Right.COMPANY_MANAGE, object_type="webhook_address", object_id=_public(prefix)
        )
        async with self._postgres.transaction() as tx:
            found = await store.address_by_prefix(tx, _public(prefix))
            is_other = found is not None and company is not None and found.company_id != company.id
            if found is None or is_other or found.is_trial or not actor.may_see(found.company_id):
                raise NotFound("Nenhum endereço de webhook tem este prefixo.", hint="Veja os que valem em status.")
            gone = await store.revoke_address(tx, found.id)
            if gone is None:
                raise Conflict("O endereço já tinha sido revogado.")
            await audit.append(
                tx,
                actor,
                "webhook.revoked",
                object_type="webhook_address",
                object_id=gone.prefix,
                company_id=gone.company_id,
            )
        return gone

    async def status(self, actor: Actor, company: Company) -> WebhookStatus:
        """Return the addresses of a company that hold, and how its inbox stands."""
        await self._require(actor, Right.SYSTEM_READ, company)
        now = datetime.now(UTC)
        async with self._postgres.transaction() as connection:
            addresses = [each for each in await store.addresses(connection, company.id) if each.holds(now)]
            standing = await store.standing(connection, company.id)
            counts = await store.counts(connection, company.id, now - _DAY)
        return WebhookStatus(company, addresses, standing, counts)

    async def list(
        self,
        actor: Actor,
        *,
        company: Company | None = None,
        status: EventStatus | None = None,
        topic: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> EventPage:
        """Return events of the companies that the actor sees, the newest first; bodies are left out."""
        await self._access.require(actor, Right.SYSTEM_READ, None if company is None else company.id)
        seen = actor.companies if company is None else frozenset({company.id})
        limit = max(1, min(limit, PAGE_MAX))
        async with self._postgres.reading() as connection:
            found = await store.list_events(
                connection,
                companies=None if seen is None else sorted(seen),
                status=status,
                topic=topic,
                before=cursor_id(before),
                limit=limit + 1,
            )
        return EventPage(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)

    async def open_trial(self, actor: Actor, company: Company, lasting: timedelta) -> MadeAddress:
        """Make an address for a test of ours, which ends by itself. Whoever tests keeps the trace."""
        await self._require(actor, Right.COMPANY_MANAGE, company)
        async with self._postgres.transaction() as tx:
            return await self._made(tx, actor, company, until=datetime.now(UTC) + lasting)

    async def close_trial(self, actor: Actor, company: Company, address: WebhookAddress, **facts: object) -> None:
        """End the address of a test, and keep that there was one and what came of it."""
        async with self._postgres.transaction() as tx:
            await store.revoke_address(tx, address.id)
            await self._audited(tx, actor, "webhook.tested", company, address, **facts)

    async def _require(self, actor: Actor, right: Right, company: Company) -> None:
        await self._access.require(actor, right, company.id, object_type="company", object_id=company.slug)

    async def _holding(self, tx: Connection, company: Company) -> Sequence[WebhookAddress]:
        await store.lock_company(tx, company.id)
        now = datetime.now(UTC)
        return [each for each in await store.addresses(tx, company.id) if each.holds(now)]

    async def _made(self, tx: Connection, actor: Actor, company: Company, until: datetime | None = None) -> MadeAddress:
        prefix = "omw_" + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))
        text = f"{prefix}_{secrets.token_urlsafe(32)}"
        address = await store.add_address(
            tx,
            id=uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
            company=company.id,
            prefix=prefix,
            secret_hash=hash_of(text),
            by=actor.label,
            is_trial=until is not None,
            expires_at=until,
        )
        return MadeAddress(address, Secret(f"{self.base_url}{PATH}{text}"))

    async def _audited(
        self, tx: Connection, actor: Actor, action: str, company: Company, address: WebhookAddress, **facts: object
    ) -> None:
        await audit.append(
            tx,
            actor,
            action,
            object_type="webhook_address",
            object_id=address.prefix,
            company_id=company.id,
            after={"company": company.slug, **facts},
        )


def hash_of(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def _public(prefix: str) -> str:
    """Cut a reference to what may be shown, should somebody have given the whole secret."""
    return prefix.strip().rpartition("/")[2][:12].replace("\x00", "").encode(errors="replace").decode()
