"""Sessions of people in the browser: opened by a login, carried by a cookie, known here only by their hash."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from omie_control.domain.actors import Actor, Login, User
from omie_control.domain.configuration import DEFAULTS, LOGIN_DAYS, LOGIN_HOURS, Values
from omie_control.domain.executions import Origin, uuid7
from omie_control.errors import NotFound, Unauthenticated
from omie_control.postgres import web_sessions as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.web_sessions import WebSession
from omie_control.services import audit
from omie_control.services.users import Users

_SECRET_BYTES = 32
_SECRET_LENGTH = 43
_USER_AGENT_MAX = 500


class Logins:
    """The verbs of browser sessions; `clock` None: PostgreSQL's own.

    One ends `login.hours` after its last use, and `login.days` after it began: an open page uses it without end.
    """

    def __init__(
        self,
        postgres: Postgres,
        users: Users,
        clock: Callable[[], datetime] | None = None,
        configuration: Values = DEFAULTS,
    ) -> None:
        self._configuration = configuration
        self._postgres = postgres
        self._users = users
        self._clock = clock

    @property
    def _lifetime(self) -> timedelta:
        return timedelta(hours=self._configuration.get(LOGIN_HOURS))

    @property
    def _longest(self) -> timedelta:
        return timedelta(days=self._configuration.get(LOGIN_DAYS))

    async def enter(self, username: str, password: str, origin: Origin) -> tuple[User, str]:
        """Check name and password and open a session; returns the person and the cookie's secret.

        Raises Unauthenticated for somebody who owes a code: their way in is the dashboard's own.
        """
        user = await self._users.authenticate(username, password, origin)
        if user.has_totp:
            raise Unauthenticated("Falta o código do segundo fator.", hint="Entre pelo painel.", code="falta_codigo")
        return user, await self.open(user, origin)

    async def open(self, user: User, origin: Origin) -> str:
        """Open a session for a person who was just authenticated; returns the cookie's secret, shown never again."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        agent = origin.user_agent
        async with self._postgres.transaction() as tx:
            await store.open_session(
                tx,
                id=uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
                token_hash=_hash(secret),
                user_id=user.id,
                csrf_token=secrets.token_urlsafe(_SECRET_BYTES),
                user_agent=None if agent is None else agent[:_USER_AGENT_MAX].replace("\x00", ""),
                ip_address=None if origin.ip_address is None else str(origin.ip_address),
                now=self._now(),
                lifetime=self._lifetime,
                longest=self._longest,
            )
        return secret

    async def verify(self, secret: str) -> Login | None:
        """Return the session of this secret while it holds and its person may enter; its end moves on with use."""
        if len(secret) != _SECRET_LENGTH or not secret.isascii():
            return None
        async with self._postgres.transaction() as tx:
            return await store.find(tx, _hash(secret), self._now(), self._lifetime, self._longest)

    async def end(self, secret: str) -> None:
        """End the session of this secret; one that has ended stays so."""
        async with self._postgres.transaction() as tx:
            login = await store.find(tx, _hash(secret), self._now(), self._lifetime, self._longest)
            if await store.end_by_token(tx, _hash(secret)) is not None and login is not None:
                await audit.append(tx, login.actor, "login.ended", object_type="web_session", object_id=str(login.id))

    async def of_person(self, actor: Actor, username: str) -> list[WebSession]:
        """Return somebody's sessions that hold, the last used first."""
        user = await self._users.reachable(actor, username)
        async with self._postgres.transaction() as tx:
            return await store.of_user(tx, user.id, self._now())

    async def list(self, actor: Actor) -> list[WebSession]:
        """Return one's own sessions that hold, the last used first."""
        async with self._postgres.transaction() as tx:
            return [] if actor.id is None else await store.of_user(tx, actor.id, self._now())

    async def end_other(self, actor: Actor, session_id: UUID) -> None:
        """End one of one's own sessions from another. Raises NotFound, also for somebody else's."""
        async with self._postgres.transaction() as tx:
            if actor.id is None or not await store.end_one(tx, session_id, actor.id):
                raise NotFound("Esta sessão não existe ou já terminou.")
            await audit.append(tx, actor, "login.ended", object_type="web_session", object_id=str(session_id))

    async def end_of_person(self, actor: Actor, username: str, session_id: UUID | None = None) -> int:
        """End one session of somebody's (None: all); returns how many. Raises NotFound for one that is not theirs."""
        user = await self._users.reachable(actor, username)
        async with self._postgres.transaction() as tx:
            if session_id is None:
                ended = await store.end_all(tx, user.id)
            else:
                ended = int(await store.end_one(tx, session_id, user.id))
            if session_id is not None and not ended:
                raise NotFound("Esta sessão não existe ou já terminou.")
            await audit.append(
                tx,
                actor,
                "login.ended",
                object_type="web_session",
                object_id=None if session_id is None else str(session_id),
                after={"username": user.username, "sessions_ended": ended},
            )
        return ended

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
