"""Companies: which Omie may be called, for whom, and with which credentials.

Credentials are sealed before they reach the database and opened only by `door()`. A company outside an
actor's scope answers exactly as one that does not exist.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from uuid import UUID

from omie_control.domain.access import Right
from omie_control.domain.actors import SYSTEM, Actor
from omie_control.domain.companies import Company, Credentials, Secret, require_credentials, require_slug
from omie_control.domain.executions import uuid7
from omie_control.errors import Conflict, InvalidInput, NotFound
from omie_control.postgres import companies as store
from omie_control.postgres.companies import StoredCompany
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.keys import Keys

DEMO_SLUG = "demonstracao"
# How long another process's change may stay unseen here.
SEEN_FOR_SECONDS = 2.0
_NAME_MAX = 200
_HINT_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Door:
    """What opens one company's Omie. `base_url` None: the one of the settings."""

    credentials: Credentials
    base_url: str | None


class Companies:
    """The verbs of companies; keeps what it read for two seconds, since every tool call asks."""

    def __init__(self, postgres: Postgres, keys: Keys, access: Access) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access
        self._seen: list[StoredCompany] = []
        self._seen_at = float("-inf")
        self._reading = asyncio.Lock()
        self._used: dict[UUID, date] = {}

    async def add(
        self,
        actor: Actor,
        slug: str,
        name: str,
        app_key: str,
        app_secret: str,
        *,
        is_demo: bool = False,
        base_url: str | None = None,
    ) -> Company:
        """Connect a company. The first real one ends the demonstration."""
        await self._access.require(actor, Right.COMPANY_MANAGE, object_type="company", object_id=slug)
        credentials = require_credentials(app_key.strip(), app_secret.strip())
        id = uuid7(time.time_ns() // 1_000_000, os.urandom(10))
        company = Company(
            id, require_slug(slug), _require_name(name), _hint(credentials), is_demo, True, datetime.now(UTC)
        )
        async with self._postgres.transaction() as tx:
            stored = await store.add(tx, self._sealed(company, credentials, base_url), actor.label)
            if stored is None:
                raise Conflict(f"Já existe uma empresa '{slug}'.", hint="Escolha outro nome curto.")
            await _audited(tx, actor, "company.added", None, stored)
            if not is_demo:
                for ended in await store.end_demo(tx):
                    await audit.append(tx, actor, "company.demo_ended", object_type="company", object_id=ended)
        self._forget()
        return stored.company

    async def list(self, actor: Actor) -> list[Company]:
        """Return the companies of the actor's scope, the real ones first."""
        await self._access.require(actor, Right.COMPANY_READ)
        return [stored.company for stored in await self._all() if actor.may_see(stored.company.id)]

    async def get(self, actor: Actor, slug: str) -> Company:
        """Return one company, also a deactivated one. Raises NotFound with what is near."""
        await self._access.require(actor, Right.COMPANY_READ)
        return (await self._find(actor, slug)).company

    async def resolve(self, actor: Actor, slug: str | None) -> Company:
        """Return the active company that a call is for: the named one, the actor's default, or the only one."""
        await self._access.require(actor, Right.COMPANY_READ)
        if slug is not None:
            found = (await self._find(actor, slug)).company
            if not found.is_active:
                raise Conflict(f"A empresa '{found.slug}' está desativada.", hint="Escolha outra ou peça a reativação.")
            return found
        within = [
            each.company for each in await self._all() if each.company.is_active and actor.may_see(each.company.id)
        ]
        default = next((company for company in within if company.id == actor.default_company), None)
        if default is not None:
            return default
        candidates = [company for company in within if not company.is_demo] or within
        if len(candidates) == 1:
            return candidates[0]
        raise _which(candidates)

    async def door(self, company_id: UUID) -> Door:
        """Open a company's credentials: for the one way to Omie only."""
        stored = _by_id(await self._all(), company_id) or _by_id(await self._all(fresh=True), company_id)
        if stored is None:
            raise NotFound("A empresa não existe.")
        if not stored.company.is_active:
            raise Conflict(f"A empresa '{stored.company.slug}' está desativada.")
        secrets = self._keys.open_secrets(stored.credentials_key, stored.credentials, _aad(company_id))
        await self._note_use(stored.company)
        return Door(Credentials(secrets["app_key"], secrets["app_secret"]), stored.base_url)

    async def _note_use(self, company: Company) -> None:
        """Keep that this process opens a company's secrets: once a day, for every call of it is an execution anyway."""
        today = datetime.now(UTC).date()
        if self._used.get(company.id) == today:
            return
        async with self._postgres.transaction() as tx:
            await audit.append(
                tx,
                SYSTEM,
                "company.credentials_used",
                object_type="company",
                object_id=company.slug,
                company_id=company.id,
                after={"date": today.isoformat(), "pid": os.getpid()},
            )
        self._used[company.id] = today

    async def credentials(self, company_id: UUID) -> Credentials:
        """Return a company's app_key and app_secret: for the one way to Omie only."""
        return (await self.door(company_id)).credentials

    async def has_app_key(self, company_id: UUID, app_key: Secret) -> bool:
        """Say whether an app_key is a company's own; nothing is learnt from how long that takes."""
        own = (await self.credentials(company_id)).app_key
        return hmac.compare_digest(own.reveal().encode(), app_key.reveal().encode(errors="replace"))

    async def rename(self, actor: Actor, slug: str, name: str) -> Company:
        """Change the name that people read; the slug stays."""
        async with self._postgres.transaction() as tx:
            before = await self._lock(tx, actor, slug)
            after = replace(before, company=replace(before.company, name=_require_name(name)))
            return await self._change(tx, actor, "company.renamed", before, after)

    async def replace_credentials(self, actor: Actor, slug: str, app_key: str, app_secret: str) -> Company:
        """Store a new app_key and app_secret of a company."""
        credentials = require_credentials(app_key.strip(), app_secret.strip())
        async with self._postgres.transaction() as tx:
            before = await self._lock(tx, actor, slug)
            company = replace(before.company, app_key_hint=_hint(credentials))
            after = self._sealed(company, credentials, before.base_url)
            old = self._keys.open_secrets(before.credentials_key, before.credentials, _aad(company.id))
            # What was in doubt at another application cannot be looked up at this one.
            is_other = old["app_key"].reveal() != credentials.app_key.reveal()
            return await self._change(tx, actor, "company.credentials_replaced", before, after, other_app=is_other)

    async def deactivate(self, actor: Actor, slug: str) -> Company:
        """Stop every call to a company's Omie, everywhere within two seconds; its records stay."""
        return await self._set_active(actor, slug, "company.deactivated", is_active=False)

    async def activate(self, actor: Actor, slug: str) -> Company:
        """Let calls to a company's Omie leave again."""
        return await self._set_active(actor, slug, "company.activated", is_active=True)

    async def demo(self) -> Company | None:
        """Return the demonstration company while it is active."""
        companies = [stored.company for stored in await self._all()]
        return next((company for company in companies if company.is_demo and company.is_active), None)

    async def ensure_demo(
        self, actor: Actor, name: str, app_key: str, app_secret: str, base_url: str | None
    ) -> Company:
        """Make the demonstration company, or point the one that exists at today's simulator."""
        await self._access.require(actor, Right.COMPANY_MANAGE, object_type="company", object_id=DEMO_SLUG)
        credentials = Credentials(Secret(app_key), Secret(app_secret))
        id = uuid7(time.time_ns() // 1_000_000, os.urandom(10))
        fresh = Company(id, DEMO_SLUG, _require_name(name), _hint(credentials), True, True, datetime.now(UTC))
        async with self._postgres.transaction() as tx:
            stored = await store.add(tx, self._sealed(fresh, credentials, base_url), actor.label)
            if stored is not None:
                await _audited(tx, actor, "company.added", None, stored)
            else:
                stored = await self._renew_demo(tx, actor, credentials, base_url)
        self._forget()
        return stored.company

    async def _renew_demo(
        self, tx: Connection, actor: Actor, credentials: Credentials, base_url: str | None
    ) -> StoredCompany:
        before = await store.lock(tx, DEMO_SLUG)
        if before is None or not before.company.is_demo:
            raise Conflict(f"'{DEMO_SLUG}' é o nome da empresa de demonstração, mas já é o de uma empresa real.")
        company = replace(before.company, is_active=True, app_key_hint=_hint(credentials))
        after = await store.change(tx, self._sealed(company, credentials, base_url))
        await _audited(tx, actor, "company.demo_renewed", before, after)
        return after

    async def _set_active(self, actor: Actor, slug: str, action: str, *, is_active: bool) -> Company:
        async with self._postgres.transaction() as tx:
            before = await self._lock(tx, actor, slug)
            after = replace(before, company=replace(before.company, is_active=is_active))
            return await self._change(tx, actor, action, before, after)

    async def _lock(self, tx: Connection, actor: Actor, slug: str) -> StoredCompany:
        found = await store.lock(tx, slug)
        if found is not None and actor.may_see(found.company.id):
            await self._access.require(
                actor, Right.COMPANY_MANAGE, found.company.id, object_type="company", object_id=slug
            )
            return found
        await self._access.require(actor, Right.COMPANY_MANAGE, object_type="company", object_id=slug)
        raise _unknown(slug, [])

    async def _change(
        self, tx: Connection, actor: Actor, action: str, before: StoredCompany, after: StoredCompany, **facts: bool
    ) -> Company:
        stored = await store.change(tx, after)
        await _audited(tx, actor, action, before, stored, **facts)
        self._forget()
        return stored.company

    async def _find(self, actor: Actor, slug: str) -> StoredCompany:
        for fresh in (False, True):
            within = [each for each in await self._all(fresh=fresh) if actor.may_see(each.company.id)]
            found = next((each for each in within if each.company.slug == slug), None)
            if found is not None:
                return found
        raise _unknown(slug, [each.company.slug for each in within])

    async def _all(self, *, fresh: bool = False) -> Sequence[StoredCompany]:
        if fresh or self._is_stale():
            async with self._reading:
                if fresh or self._is_stale():
                    await self._read()
        return self._seen

    async def _read(self) -> None:
        asked_at = time.monotonic()
        async with self._postgres.transaction() as tx:
            self._seen = await store.everything(tx)
        self._seen_at = asked_at

    def _is_stale(self) -> bool:
        return time.monotonic() - self._seen_at > SEEN_FOR_SECONDS

    def _forget(self) -> None:
        self._seen_at = float("-inf")

    def _sealed(self, company: Company, credentials: Credentials, base_url: str | None) -> StoredCompany:
        master = self._keys.master
        sealed = master.seal_secrets(
            {"app_key": credentials.app_key, "app_secret": credentials.app_secret}, _aad(company.id)
        )
        return StoredCompany(company, sealed, master.key_id, base_url)


async def _audited(
    tx: Connection, actor: Actor, action: str, before: StoredCompany | None, after: StoredCompany, **facts: bool
) -> None:
    await audit.append(
        tx,
        actor,
        action,
        object_type="company",
        object_id=after.company.slug,
        company_id=after.company.id,
        before=None if before is None else _facts(before),
        after=_facts(after) | facts,
    )


def _facts(stored: StoredCompany) -> dict[str, object]:
    company = stored.company
    return {
        "slug": company.slug,
        "name": company.name,
        "hint": company.app_key_hint,
        "is_demo": company.is_demo,
        "is_active": company.is_active,
        "base_url": stored.base_url,
    }


def _aad(company_id: UUID) -> bytes:
    return f"companies.credentials/{company_id}".encode()


def _hint(credentials: Credentials) -> str:
    return "…" + credentials.app_key.reveal()[-_HINT_LETTERS:]


def _require_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > _NAME_MAX or not plain.isprintable():
        raise InvalidInput("O nome da empresa não é válido.", hint=f"Use de 1 a {_NAME_MAX} caracteres.")
    return plain


def _by_id(companies: Sequence[StoredCompany], id: UUID) -> StoredCompany | None:
    return next((stored for stored in companies if stored.company.id == id), None)


def _unknown(slug: str, within: Sequence[str]) -> NotFound:
    near = get_close_matches(slug, within, n=1)
    hint = f"Você quis dizer '{near[0]}'?" if near else _choices(within)
    return NotFound(f"A empresa '{slug[:60]}' não existe.", hint=hint)


def _which(candidates: Sequence[Company]) -> InvalidInput:
    slugs = [company.slug for company in candidates]
    if not slugs:
        return InvalidInput(
            "Nenhuma empresa está conectada para este acesso.",
            hint="Conecte uma com: omie-control company add <nome> --app-key …, ou peça acesso a uma.",
            code="sem_empresa",
        )
    return InvalidInput("Diga de qual empresa se trata.", hint=_choices(slugs), code="empresa_indefinida")


def _choices(slugs: Sequence[str]) -> str:
    return f"Informe empresa com um destes: {', '.join(slugs[:50])}." if slugs else "Confira o nome curto da empresa."
