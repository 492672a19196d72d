"""Callers with a token of the company's identity provider, and what its groups may do here."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from omie_control.domain.access import Right, may_grant
from omie_control.domain.actors import Actor, ActorKind, AnyRole, Role
from omie_control.domain.executions import Origin, uuid7
from omie_control.domain.identities import IdentityRole, actor_of, groups_of
from omie_control.errors import InvalidInput, NotFound
from omie_control.postgres import identity_roles as store
from omie_control.postgres.database import Postgres
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.audit_samples import Samples
from omie_control.services.guesses import Guesses
from omie_control.services.identity_provider import IdentityProvider, Issuer, Refused

# How long an answer is used again: a mapping that goes, stops everywhere within this.
SEEN_FOR_SECONDS = 2.0
_SEEN_MAX = 4096
_VALUE_MAX = 200


@dataclass(frozen=True, slots=True)
class _Seen:
    actor: Actor
    until: float


class Identities:
    """The verbs of identities. Without an issuer nobody comes in by it; the mapping can be kept all the same."""

    def __init__(
        self,
        postgres: Postgres,
        access: Access,
        provider: IdentityProvider | None,
        guesses: Guesses,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._postgres = postgres
        self._access = access
        self._provider = provider
        self._guesses = guesses
        self._clock = clock
        self._samples = Samples(postgres)
        self._seen: dict[bytes, _Seen] = {}

    @property
    def issuer(self) -> Issuer | None:
        """Whose tokens callers may come with, or None."""
        known = None if self._provider is None else self._provider.issuer
        return None if known is None or known.audience is None else known

    async def verify(self, text: str, origin: Origin | None = None) -> Actor | None:
        """Return whom the provider vouches for by this token, or None.

        Raises StorageDown when nobody can tell, Overloaded where one address has guessed too often.
        """
        address = None if origin is None else origin.ip_address
        digest = hashlib.sha256(text.encode(errors="replace")).digest()
        seen = self._seen.get(digest)
        if seen is not None and seen.until > time.monotonic():
            return seen.actor
        if seen is None:
            self._guesses.require_patience(address)
        try:
            actor, lasts = await self._look_at(text)
        except Refused as refused:
            self._seen.pop(digest, None)
            stranger = Actor(ActorKind.IDENTITY, "desconhecido", Role.VIEWER)
            await self._samples.refused(
                str(refused), stranger, "identity.refused", object_type="identity", detail=str(refused), origin=origin
            )
            self._guesses.count(address)
            return None
        self._seen.pop(digest, None)
        while len(self._seen) >= _SEEN_MAX:
            self._seen.pop(next(iter(self._seen)))
        self._seen[digest] = _Seen(actor, time.monotonic() + min(SEEN_FOR_SECONDS, lasts))
        return actor

    async def list(self, actor: Actor) -> list[IdentityRole]:
        """Return what the provider's groups are here; of several that somebody has, the first holds."""
        await self._access.require(actor, Right.USER_MANAGE)
        async with self._postgres.transaction() as tx:
            return await store.everything(tx)

    async def put(self, actor: Actor, claim_value: str, role: AnyRole, companies: Iterable[UUID] | None = None) -> None:
        """Say what a group of the provider is here. Nobody gives more than they hold."""
        scope = None if companies is None else frozenset(companies)
        value = _require_value(claim_value)
        await self._access.require(actor, Right.USER_MANAGE, object_type="identity_role", object_id=value)
        if not may_grant(actor, role, scope):
            reason = "Ninguém pode dar mais acesso do que tem."
            raise await self._access.refused(actor, Right.USER_MANAGE, reason, None, "identity_role", value)
        async with self._postgres.transaction() as tx:
            id = uuid7(time.time_ns() // 1_000_000, os.urandom(10))
            await store.put(tx, id=id, claim_value=value, role=role, companies=scope, by=actor.label)
            await audit.append(
                tx,
                actor,
                "identity_role.set",
                object_type="identity_role",
                object_id=value,
                after={"role": role.value, "companies": None if scope is None else sorted(map(str, scope))},
            )
        self._seen.clear()

    async def remove(self, actor: Actor, claim_value: str) -> None:
        """Forget what a group of the provider was here."""
        value = _require_value(claim_value)
        await self._access.require(actor, Right.USER_MANAGE, object_type="identity_role", object_id=value)
        async with self._postgres.transaction() as tx:
            if not await store.remove(tx, value):
                raise NotFound("Este grupo não tem papel aqui.", hint="Veja: omie-control role groups.")
            await audit.append(tx, actor, "identity_role.removed", object_type="identity_role", object_id=value)
        self._seen.clear()

    async def role_of(self, claims: Mapping[str, Any]) -> IdentityRole:
        """Return what the groups of somebody's claims are here. Raises Refused when they are nothing."""
        groups = [] if self._provider is None else groups_of(claims, self._provider.issuer.role_claim)
        async with self._postgres.transaction() as tx:
            known = await store.first_of(tx, groups) if groups else None
        if known is None:
            raise Refused("Nenhum grupo do token tem papel aqui.")
        return known

    async def _look_at(self, text: str) -> tuple[Actor, float]:
        if self._provider is None:
            raise Refused("Nenhum provedor de identidade está configurado.")
        now = self._clock()
        claims = await self._provider.claims_of(text, now)
        known = await self.role_of(claims)
        return actor_of(claims, known), float(claims["exp"]) - now


def _require_value(text: str) -> str:
    plain = text.strip()
    if not 0 < len(plain) <= _VALUE_MAX or not plain.isprintable():
        raise InvalidInput("O nome do grupo não é válido.", hint="Use-o como o provedor de identidade o escreve.")
    return plain
