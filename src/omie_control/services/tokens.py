"""Tokens: the keys of agents and scripts. Shown once, stored hashed, scoped, expiring, revoked within two seconds.

Whoever comes with one that does not hold learns nothing but that; why it does not is for the audit alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from omie_control.domain.access import Right, may_grant
from omie_control.domain.actors import Actor, ActorKind, AnyRole, Role, Token
from omie_control.domain.executions import Origin, uuid7
from omie_control.domain.networks import Address, Network, is_inside
from omie_control.errors import Conflict, InvalidInput, NotFound
from omie_control.postgres import tokens as store
from omie_control.postgres.database import Postgres
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.audit_samples import Samples
from omie_control.services.guesses import Guesses

# How long a revoked token may still pass in another process, and how many answers are kept.
SEEN_FOR_SECONDS = 2.0
SEEN_MAX = 4096
_TEXT = re.compile(r"(omc_[a-z2-9]{8})_[A-Za-z0-9_-]{43}")
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_NAME_MAX = 100
# Records say `token:<name>`, in 100 letters.
_NAME_KEPT = 94


@dataclass(frozen=True, slots=True)
class _Seen:
    token: Token | None
    actor: Actor | None
    until: float
    # It holds from anywhere and without end, unless somebody revokes it.
    is_plain: bool = False


class Tokens:
    """The verbs of tokens; remembers each answer for two seconds, since every request asks."""

    def __init__(self, postgres: Postgres, access: Access) -> None:
        self._postgres = postgres
        self._access = access
        self._seen: dict[bytes, _Seen] = {}
        self._asking: dict[bytes, asyncio.Task[_Seen]] = {}
        self._samples = Samples(postgres)
        self.guesses = Guesses()

    async def create(
        self,
        actor: Actor,
        name: str,
        role: AnyRole,
        *,
        companies: Iterable[UUID] | None = None,
        default_company: UUID | None = None,
        networks: Iterable[Network] = (),
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[Token, str]:
        """Make a token for these companies (None: all), usable from these networks (none: anywhere).

        Returns it and its text, which nobody can show again. Raises Conflict for the name of a token that may see
        other companies: what either does for no company, the other would take for its own.
        """
        scope = None if companies is None else frozenset(companies)
        await self._access.require(actor, Right.TOKEN_MANAGE, object_type="token", object_id=name)
        if not may_grant(actor, role, scope):
            reason = "Ninguém pode criar um token com mais acesso do que tem."
            raise await self._access.refused(actor, Right.TOKEN_MANAGE, reason, None, "token", name)
        plain = _require_name(name)
        _require_sensible(scope, default_company, not_before, expires_at)
        prefix = "omc_" + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))
        text = f"{prefix}_{secrets.token_urlsafe(32)}"
        async with self._postgres.transaction() as tx:
            if any(_would_be_taken_for(scope, other) for other in await store.called(tx, plain, _NAME_KEPT)):
                raise Conflict("Este nome já é de outro token.", hint="Escolha outro: o nome diz quem fez o quê.")
            token = await store.add(
                tx,
                id=uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
                name=plain,
                prefix=prefix,
                token_hash=_hash(text),
                role=role,
                companies=scope,
                default_company=default_company,
                networks=networks,
                not_before=not_before,
                by=actor.label,
                expires_at=expires_at,
            )
            await audit.append(
                tx, actor, "token.created", object_type="token", object_id=str(token.id), after=_facts(token)
            )
        return token, text

    async def list(self, actor: Actor) -> list[Token]:
        """Return the tokens whose scope lies within the actor's own, the newest first."""
        await self._access.require(actor, Right.TOKEN_READ)
        async with self._postgres.transaction() as tx:
            return [token for token in await store.everything(tx) if _is_within(actor, token)]

    async def revoke(self, actor: Actor, reference: str) -> Token:
        """End a token, named by id, name or prefix. It stops everywhere within two seconds."""
        await self._access.require(actor, Right.TOKEN_MANAGE, object_type="token", object_id=reference)
        async with self._postgres.transaction() as tx:
            found = [token for token in await store.named(tx, _storable(reference)) if _is_within(actor, token)]
            if not found:
                raise NotFound(
                    "Nenhum token ativo tem este id, nome ou prefixo.", hint="Veja: omie-control token list."
                )
            if len(found) > 1:
                raise Conflict(
                    f"Há {len(found)} tokens ativos com este nome.",
                    hint=f"Use o prefixo de um deles: {', '.join(token.prefix for token in found[:10])}.",
                )
            gone = await store.revoke(tx, found[0].id)
            if gone is None:
                raise Conflict("O token já tinha sido revogado.")
            await audit.append(
                tx,
                actor,
                "token.revoked",
                object_type="token",
                object_id=str(gone.id),
                before=_facts(found[0]),
                after=_facts(gone),
            )
        self._seen.clear()
        return gone

    async def verify(self, text: str, origin: Origin | None = None) -> Actor | None:
        """Return whose token this is, or None.

        Raises StorageDown when nobody can tell, Overloaded where one address has guessed too often.
        """
        address = None if origin is None else origin.ip_address
        if _TEXT.fullmatch(text) is None:
            self.guesses.count(address)
            await self._refuse(None, None, origin)
            return None
        digest = _hash(text)
        seen = self._seen.get(digest)
        if seen is None or seen.until < time.monotonic():
            if seen is None or seen.token is None:
                self.guesses.require_patience(address)
            seen = await self._ask(digest)
        if seen.is_plain:
            return seen.actor
        why = None if seen.token is None else _trouble(seen.token, address)
        if seen.token is None or why is not None:
            self.guesses.count(address)
            await self._refuse(seen.token, why, origin)
            return None
        return seen.actor

    async def _refuse(self, token: Token | None, why: str | None, origin: Origin | None) -> None:
        """Keep that somebody came with a token that does not hold, or that never was."""
        if token is None:
            stranger = Actor(ActorKind.TOKEN, "desconhecido", Role.VIEWER)
            await self._samples.refused("unknown", stranger, "token.refused", object_type="token", origin=origin)
            return
        id = str(token.id)
        await self._samples.refused(
            (id, why), token.actor, "token.refused", object_type="token", object_id=id, detail=why, origin=origin
        )

    async def _ask(self, digest: bytes) -> _Seen:
        """Look a token up once for all who ask at this moment; one of them leaving disturbs nobody."""
        task = self._asking.get(digest)
        if task is None:
            task = self._asking[digest] = asyncio.create_task(self._look_up(digest))
            task.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(task)

    async def _look_up(self, digest: bytes) -> _Seen:
        # The answer counts from before the question: a revocation in between is not missed for longer.
        until = time.monotonic() + SEEN_FOR_SECONDS
        async with self._postgres.transaction() as tx:
            found = await store.by_hash(tx, digest)
            if found is not None and found.is_unseen and _trouble(found.token, None, asks_where=False) is None:
                await store.note_use(tx, found.token.id)
        if found is None or not hmac.compare_digest(found.token_hash, digest):
            seen = _Seen(None, None, until)
        else:
            token = found.token
            is_plain = token.revoked_at is token.expires_at is token.not_before is None and not token.networks
            seen = _Seen(token, token.actor, until, is_plain)
        self._seen.pop(digest, None)
        while len(self._seen) >= SEEN_MAX:
            self._seen.pop(next(iter(self._seen)))
        self._seen[digest] = seen
        return seen


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _require_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > _NAME_MAX or not plain.isprintable():
        raise InvalidInput("O nome do token não é válido.", hint="Diga para quem é, por exemplo: claude-financeiro.")
    return plain


def _trouble(token: Token, address: Address | None, *, asks_where: bool = True) -> str | None:
    """Say why a token does not hold now, from there; None: it does."""
    if token.revoked_at is not None:
        return "O token foi revogado."
    now = datetime.now(UTC)
    if token.expires_at is not None and token.expires_at <= now:
        return "O token expirou."
    if token.not_before is not None and token.not_before > now:
        return "O token ainda não vale."
    if asks_where and token.networks and not is_inside(address, token.networks):
        return "O token não pode ser usado deste endereço."
    return None


def _require_sensible(
    scope: frozenset[UUID] | None,
    default_company: UUID | None,
    not_before: datetime | None,
    expires_at: datetime | None,
) -> None:
    if scope is not None and not scope:
        raise InvalidInput(
            "O token precisa de pelo menos uma empresa.", hint="Ou deixe sem empresas para valer em todas."
        )
    if scope is not None and default_company is not None and default_company not in scope:
        raise InvalidInput("A empresa padrão precisa ser uma das empresas do token.")
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= datetime.now(UTC)):
        raise InvalidInput("A expiração já passou.", hint="Escolha um instante no futuro.")
    if not_before is not None and expires_at is not None and not_before >= expires_at:
        raise InvalidInput(
            "O token expiraria antes de começar a valer.", hint="Escolha uma expiração depois do início."
        )


def _is_within(actor: Actor, token: Token) -> bool:
    return _holds(actor.companies, token.companies)


def _holds(outer: frozenset[UUID] | None, inner: frozenset[UUID] | None) -> bool:
    return outer is None or (inner is not None and inner <= outer)


def _would_be_taken_for(scope: frozenset[UUID] | None, other: Token) -> bool:
    """Say whether a new token of another's name would see what is not for it, or show what is not for the other."""
    return not _holds(scope, other.companies) or (other.revoked_at is None and not _holds(other.companies, scope))


def _storable(reference: str) -> str:
    return reference.strip().replace("\x00", "")[:_NAME_MAX].encode(errors="replace").decode()


def _facts(token: Token) -> dict[str, object]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "role": token.role.value,
        "companies": None if token.companies is None else sorted(map(str, token.companies)),
        "default_company": None if token.default_company is None else str(token.default_company),
        "networks": [str(network) for network in token.networks],
        "not_before": None if token.not_before is None else token.not_before.isoformat(),
        "expires_at": None if token.expires_at is None else token.expires_at.isoformat(),
        "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
    }
