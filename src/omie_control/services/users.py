"""People: who may enter the dashboard, and the proof that it is they.

Passwords are kept as Argon2id. An unknown name costs as much time as a wrong password, and every attempt is
counted (`attempts.py`) before it is looked at.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from omie_control.domain.access import Right, may_grant
from omie_control.domain.actors import SYSTEM, Actor, ActorKind, AnyRole, Role, User
from omie_control.domain.executions import Origin, uuid7
from omie_control.domain.passwords import require_password, require_username
from omie_control.errors import Conflict, Forbidden, NotFound, Unauthenticated
from omie_control.postgres import user_links, web_sessions
from omie_control.postgres import users as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.postgres.user_links import UserLink
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.attempts import Attempts
from omie_control.telemetry import Event, tell

ADMIN = "admin"
# The hash of somebody who was invited and has set no password yet.
NO_PASSWORD = "!"
# Each hash takes tens of megabytes and tens of milliseconds of a core.
_HASHES_AT_ONCE = 2
_USERNAME_MAX = 100
_hasher = PasswordHash((Argon2Hasher(),))


class Users:
    """The verbs of people. `clock` None: PostgreSQL's own."""

    def __init__(self, postgres: Postgres, access: Access, clock: Callable[[], datetime] | None = None) -> None:
        self._postgres = postgres
        self._access = access
        self.attempts = Attempts(postgres, clock)
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    async def create(
        self,
        actor: Actor,
        username: str,
        password: str,
        role: AnyRole,
        companies: Iterable[UUID] | None = None,
    ) -> User:
        """Let a person in, for these companies (None: all). Nobody gives more than they hold."""
        return await self._create(actor, username, password, role, companies)

    async def _create(
        self, actor: Actor, username: str, password: str | None, role: AnyRole, companies: Iterable[UUID] | None
    ) -> User:
        scope = None if companies is None else frozenset(companies)
        await self._access.require(actor, Right.USER_MANAGE, object_type="user", object_id=username)
        if not may_grant(actor, role, scope):
            reason = "Ninguém pode dar mais acesso do que tem."
            raise await self._access.refused(actor, Right.USER_MANAGE, reason, None, "user", username)
        name = require_username(username)
        hashed = NO_PASSWORD if password is None else await self._hash(require_password(password, name))
        async with self._postgres.transaction() as tx:
            made = await self._add(tx, actor, name, hashed, role, scope)
        if made is None:
            raise Conflict(f"Já existe um usuário '{name}'.", hint="Escolha outro nome.")
        return made

    async def invite(self, actor: Actor, username: str, role: AnyRole, companies: Iterable[UUID] | None = None) -> User:
        """Let a person in who has no password yet; nobody can enter as them until they have set one."""
        return await self._create(actor, username, None, role, companies)

    async def reachable(self, actor: Actor, username: str) -> User:
        """Return a person whom the actor may manage."""
        name = require_username(username)
        await self._access.require(actor, Right.USER_MANAGE, object_type="user", object_id=name)
        async with self._postgres.transaction() as tx:
            return await self._lock(tx, actor, name)

    async def set_by_link(self, link: UserLink, password: str, origin: Origin) -> User:
        """Store the password that the holder of a one-time link chose. Raises NotFound when somebody was faster."""
        hashed = await self._hash(require_password(password, link.username))
        async with self._postgres.transaction() as tx:
            user = await store.lock(tx, link.username)
            if user is None or not user.is_active or not await user_links.spend(tx, link.id):
                raise NotFound("Este endereço não vale mais.", hint="Peça outro a quem administra o sistema.")
            await store.set_password(tx, user.id, hashed)
            await user_links.spend_all(tx, user.id, (user_links.INVITATION, user_links.RESET, user_links.LOGIN))
            ended = await web_sessions.end_all(tx, user.id)
            await audit.append(
                tx,
                user.actor,
                "user.password_set_by_link",
                object_type="user",
                object_id=user.username,
                after={"link": link.purpose, "sessions_ended": ended},
                origin=origin,
            )
        return user

    async def list(self, actor: Actor) -> list[User]:
        """Return everybody."""
        await self._access.require(actor, Right.USER_MANAGE)
        async with self._postgres.transaction() as tx:
            return await store.everything(tx)

    async def change_role(
        self, actor: Actor, username: str, role: AnyRole, companies: Iterable[UUID] | None = None
    ) -> User:
        """Give a person another role, for these companies (None: all). Nobody gives more than they hold."""
        name = require_username(username)
        scope = None if companies is None else frozenset(companies)
        await self._access.require(actor, Right.USER_MANAGE, object_type="user", object_id=name)
        if not may_grant(actor, role, scope):
            reason = "Ninguém pode dar mais acesso do que tem."
            raise await self._access.refused(actor, Right.USER_MANAGE, reason, None, "user", name)
        if actor.kind is ActorKind.USER and actor.name == name:
            raise Conflict("Ninguém pode mudar o próprio papel.", hint="Peça a outro administrador.")
        async with self._postgres.transaction() as tx:
            before = await self._lock(tx, actor, name)
            await store.set_role(tx, before.id, role, scope)
            after = replace(before, role=role, companies=scope)
            await audit.append(
                tx,
                actor,
                "user.role_changed",
                object_type="user",
                object_id=name,
                before=standing(before),
                after=standing(after),
            )
        return after

    async def change_password(self, actor: Actor, username: str, password: str) -> User:
        """Store a new password, one's own or as an administrator another's, and end that person's sessions."""
        name = require_username(username)
        if actor.kind is not ActorKind.USER or actor.name != name:
            await self._access.require(actor, Right.USER_MANAGE, object_type="user", object_id=name)
        hashed = await self._hash(require_password(password, name))
        async with self._postgres.transaction() as tx:
            user = await self._lock(tx, actor, name)
            await store.set_password(tx, user.id, hashed)
            ended = await web_sessions.end_all(tx, user.id)
            await user_links.spend_all(tx, user.id, (user_links.INVITATION, user_links.RESET, user_links.LOGIN))
            await audit.append(
                tx,
                actor,
                "user.password_changed",
                object_type="user",
                object_id=name,
                after={"sessions_ended": ended},
            )
        return user

    async def change_own_password(self, actor: Actor, current: str, password: str, origin: Origin) -> User:
        """Store a new password for whoever knows the current one, and end all their sessions."""
        await self.require_password_of(actor, current, origin)
        return await self.change_password(actor, actor.name, password)

    async def require_password_of(self, actor: Actor, password: str, origin: Origin) -> None:
        """Return when this is the actor's password. Raises Unauthenticated, or Overloaded after too many tries."""
        if actor.kind is not ActorKind.USER:
            raise Forbidden("Só uma pessoa tem senha.")
        await self._prove(actor.name, password, origin)

    async def deactivate(self, actor: Actor, username: str) -> None:
        """Keep a person out from now on; their records stay."""
        await self._set_active(actor, username, "user.deactivated", is_active=False)

    async def activate(self, actor: Actor, username: str) -> None:
        """Let a person in again."""
        await self._set_active(actor, username, "user.activated", is_active=True)

    async def ensure_admin(self, password: str | None) -> str | None:
        """Make the administrator at the first start; returns the password if one had to be made up."""
        async with self._postgres.transaction() as tx:
            if await store.has_admin(tx):
                return None
        chosen = require_password(password, ADMIN) if password is not None else secrets.token_urlsafe(12)
        hashed = await self._hash(chosen)
        async with self._postgres.transaction() as tx:
            made = await self._add(tx, SYSTEM, ADMIN, hashed, Role.ADMIN, None)
        return chosen if made is not None and password is None else None

    async def authenticate(self, username: str, password: str, origin: Origin) -> User:
        """Return whose name and password these are; with `has_totp`, they still owe a code.

        Raises Unauthenticated, the same whatever was wrong; Overloaded with the instant when to try again.
        """
        user = await self._prove(_storable(username.strip().lower()), password, origin)
        if not user.has_totp:
            await self.entered(user, origin)
        return user

    async def _prove(self, name: str, password: str, origin: Origin) -> User:
        await self.attempts.admit(name, origin)
        async with self._postgres.transaction() as tx:
            found = await store.find(tx, name)
        has_password = found is not None and found.password_hash != NO_PASSWORD
        is_right = await self._verify(password, found.password_hash if found and has_password else _nobody())
        if found is None or not is_right or not found.user.is_active:
            await self.attempts.failed(name, origin, "login.refused", reason="wrong")
            raise Unauthenticated(
                "Usuário ou senha não conferem.", hint="Confira os dois e tente de novo.", code="login_recusado"
            )
        # Else whoever knows the password would guess at the code as often as they like, saying it in between.
        done = self.attempts.give_back if found.user.has_totp else self.attempts.forgive
        await done(name, origin)
        return found.user

    async def entered(self, user: User, origin: Origin, *, issuer: str | None = None) -> None:
        """Keep that somebody has shown all that was asked of them, here or to an identity provider."""
        async with self._postgres.transaction() as tx:
            await store.note_login(tx, user.id)
            await audit.append(
                tx,
                user.actor,
                "login.succeeded",
                object_type="user",
                object_id=user.username,
                after=None if issuer is None else {"issuer": issuer},
                origin=origin,
            )
        tell(Event.LOGIN_SUCCEEDED, username=user.username)

    async def _set_active(self, actor: Actor, username: str, action: str, *, is_active: bool) -> None:
        name = require_username(username)
        await self._access.require(actor, Right.USER_MANAGE, object_type="user", object_id=name)
        if actor.kind is ActorKind.USER and actor.name == name:
            raise Conflict("Ninguém pode desativar a si mesmo.", hint="Peça a outro administrador.")
        async with self._postgres.transaction() as tx:
            user = await self._lock(tx, actor, name)
            await store.set_active(tx, user.id, is_active=is_active)
            if not is_active:
                await web_sessions.end_all(tx, user.id)
            await audit.append(
                tx,
                actor,
                action,
                object_type="user",
                object_id=name,
                before={"is_active": user.is_active},
                after={"is_active": is_active},
            )

    async def _lock(self, tx: Connection, actor: Actor, name: str) -> User:
        """Hold a person's row; somebody with more rights than the actor is out of the actor's reach."""
        user = await store.lock(tx, name)
        if user is None:
            raise NotFound(f"O usuário '{name}' não existe.")
        is_self = actor.kind is ActorKind.USER and actor.id == user.id
        if not is_self and not may_grant(actor, user.role, user.companies):
            reason = "Este usuário tem mais acesso do que você."
            raise await self._access.refused(actor, Right.USER_MANAGE, reason, None, "user", name)
        return user

    async def _add(
        self, tx: Connection, actor: Actor, name: str, hashed: str, role: AnyRole, scope: frozenset[UUID] | None
    ) -> User | None:
        made = await store.add(
            tx, id=_new_id(), username=name, password_hash=hashed, role=role, companies=scope, by=actor.label
        )
        if made is not None:
            await audit.append(
                tx,
                actor,
                "user.created",
                object_type="user",
                object_id=name,
                after=standing(made),
            )
        return made

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(_hasher.hash, password)

    async def _verify(self, password: str, hashed: str) -> bool:
        async with self._hashing:
            return await asyncio.to_thread(_matches, password, hashed)


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password has, verified for names that do not exist."""
    return _hasher.hash(secrets.token_urlsafe(32))


def _matches(password: str, hashed: str) -> bool:
    try:
        return _hasher.verify(password, hashed)
    except (PwdlibError, UnicodeError):
        return False


def standing(user: User) -> dict[str, object]:
    """Return what a person may do, as the audit keeps it."""
    companies = None if user.companies is None else sorted(map(str, user.companies))
    return {"role": user.role.value, "companies": companies}


def _storable(name: str) -> str:
    """Return a name, whatever was typed, so that it can be looked up and kept."""
    return name[:_USERNAME_MAX].replace("\x00", "").encode(errors="replace").decode() or "-"


def _new_id() -> UUID:
    return uuid7(time.time_ns() // 1_000_000, os.urandom(10))
