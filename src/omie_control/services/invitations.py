"""One-time secrets of people: links by which they set a password themselves, and logins that wait for a code.

An administrator never learns or chooses anybody's password: the link works once, for a day, and is kept as a hash.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from omie_control.domain.actors import Actor, AnyRole, User
from omie_control.domain.executions import Origin, uuid7
from omie_control.errors import NotFound, Unauthenticated
from omie_control.postgres import user_links as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.postgres.user_links import INVITATION, LOGIN, RESET, UserLink
from omie_control.services import audit
from omie_control.services.users import Users

LINK_LIFETIME = timedelta(hours=24)
LOGIN_LIFETIME = timedelta(minutes=5)
_SECRET_BYTES = 32
_SECRET_LENGTH = 43
_PASSWORD_LINKS = (INVITATION, RESET)


class Invitations:
    """The verbs of one-time secrets. `clock` None: PostgreSQL's own."""

    def __init__(self, postgres: Postgres, users: Users, clock: Callable[[], datetime] | None = None) -> None:
        self._postgres = postgres
        self._users = users
        self._clock = clock

    async def invite(
        self, actor: Actor, username: str, role: AnyRole, companies: Iterable[UUID] | None = None
    ) -> tuple[User, str]:
        """Let a person in who sets the password by a link; returns the person and the link's secret."""
        user = await self._users.invite(actor, username, role, companies)
        return user, await self._give(actor, user, INVITATION)

    async def reset(self, actor: Actor, username: str) -> tuple[User, str]:
        """Give a person a link by which they set a new password; what they have holds until then."""
        user = await self._users.reachable(actor, username)
        return user, await self._give(actor, user, RESET)

    async def named(self, secret: str) -> str:
        """Return whose link this is. Raises NotFound when it does not hold."""
        return (await self._find(secret, _PASSWORD_LINKS)).username

    async def accept(self, secret: str, password: str, origin: Origin) -> User:
        """Set the password of whoever has this link, which works no more. Raises NotFound, InvalidInput."""
        link = await self._find(secret, _PASSWORD_LINKS)
        return await self._users.set_by_link(link, password, origin)

    async def begin_login(self, user: User) -> str:
        """Keep for five minutes that somebody's password was right; returns the secret for their cookie."""
        async with self._postgres.transaction() as tx:
            return await self._add(tx, user, LOGIN, user.actor.label, LOGIN_LIFETIME)

    async def waiting_login(self, secret: str) -> UserLink:
        """Return the login that waits for its code. Raises Unauthenticated when it waits no more."""
        try:
            return await self._find(secret, (LOGIN,))
        except NotFound:
            raise Unauthenticated("A entrada expirou.", hint="Entre de novo.", code="login_expirado") from None

    async def finish_login(self, link: UserLink) -> None:
        """Use a waiting login up. Raises Unauthenticated when somebody was faster."""
        async with self._postgres.transaction() as tx:
            if not await store.spend(tx, link.id):
                raise Unauthenticated("A entrada expirou.", hint="Entre de novo.", code="login_expirado")

    async def _give(self, actor: Actor, user: User, purpose: str) -> str:
        async with self._postgres.transaction() as tx:
            # A new link makes the ones before it worthless.
            await store.spend_all(tx, user.id, _PASSWORD_LINKS)
            secret = await self._add(tx, user, purpose, actor.label, LINK_LIFETIME)
            if purpose == INVITATION:
                await audit.append(tx, actor, "user.invited", object_type="user", object_id=user.username)
            else:
                await audit.append(tx, actor, "user.reset_offered", object_type="user", object_id=user.username)
        return secret

    async def _add(self, tx: Connection, user: User, purpose: str, by: str, lifetime: timedelta) -> str:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        await store.add(
            tx,
            id=uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
            user_id=user.id,
            purpose=purpose,
            token_hash=_hash(secret),
            by=by,
            now=self._now(),
            lifetime=lifetime,
        )
        return secret

    async def _find(self, secret: str, purposes: Collection[str]) -> UserLink:
        found = None
        if len(secret) == _SECRET_LENGTH and secret.isascii():
            async with self._postgres.transaction() as tx:
                found = await store.find(tx, _hash(secret), purposes, self._now())
        if found is None:
            raise NotFound("Este endereço não vale mais.", hint="Peça outro a quem administra o sistema.")
        return found

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
