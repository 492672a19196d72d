"""Which person somebody of the identity provider is here. A person is there first: the provider opens no accounts.

An administrator says who is who by the subject; or, where the operator allows it, the first login is recognised by
an e-mail address that the provider vouches for.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor, ActorKind, Role, User
from omie_control.domain.executions import Origin, uuid7
from omie_control.domain.identities import IdentityRole
from omie_control.errors import Conflict, InvalidInput, NotFound
from omie_control.postgres import user_identities as store
from omie_control.postgres import users as people
from omie_control.postgres import web_sessions
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.postgres.user_identities import UserIdentity
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.identities import Identities
from omie_control.services.identity_provider import Refused
from omie_control.services.users import Users, standing

_EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+")
_EMAIL_MAX = 254
_SUBJECT_MAX = 255


@dataclass(frozen=True, slots=True)
class Recognition:
    """By what people are recognised: also by a verified e-mail at the first login? And do groups give the role?"""

    by_email: bool = False
    takes_roles: bool = False


class UserIdentities:
    """The verbs of who is who. `issuer` None: there is no identity provider."""

    def __init__(
        self,
        postgres: Postgres,
        access: Access,
        users: Users,
        identities: Identities,
        issuer: str | None,
        recognition: Recognition,
    ) -> None:
        self._postgres = postgres
        self._access = access
        self._users = users
        self._identities = identities
        self._issuer = issuer
        self._recognition = recognition

    async def list(self, actor: Actor) -> list[UserIdentity]:
        """Return everybody who has an address or an identity."""
        await self._access.require(actor, Right.USER_MANAGE)
        async with self._postgres.transaction() as tx:
            return await store.everything(tx)

    async def link(self, actor: Actor, username: str, subject: str) -> None:
        """Say which subject of the provider a person is. Raises Conflict for one that is somebody's already."""
        user = await self._users.reachable(actor, username)
        if self._issuer is None:
            raise Conflict("Nenhum provedor de identidade está configurado.", hint="Defina OMIE_CONTROL_OIDC_ISSUER.")
        plain = subject.strip()
        if not 0 < len(plain) <= _SUBJECT_MAX or not plain.isprintable():
            raise InvalidInput("O identificador (sub) não é válido.", hint="Use-o como o provedor o escreve.")
        async with self._postgres.transaction() as tx:
            if not await self._add(tx, user, plain, actor.label):
                raise Conflict(
                    "Esta pessoa já está ligada ao provedor, ou este identificador já é de outra.",
                    hint="Veja: omie-control user identities.",
                )
            await self._tell_linked(tx, actor, user, plain, "administrator")

    async def unlink(self, actor: Actor, username: str) -> None:
        """Forget who a person is at the provider, and end their sessions: some were opened by it."""
        user = await self._users.reachable(actor, username)
        async with self._postgres.transaction() as tx:
            if not await store.remove(tx, user.id):
                raise NotFound("Esta pessoa não está ligada ao provedor de identidade.")
            ended = await web_sessions.end_all(tx, user.id)
            await audit.append(
                tx,
                actor,
                "user.identity_unlinked",
                object_type="user",
                object_id=user.username,
                after={"sessions_ended": ended},
            )

    async def set_email(self, actor: Actor, username: str, email: str | None) -> None:
        """Keep a person's e-mail address (None: none)."""
        user = await self._users.reachable(actor, username)
        plain = None if email is None else email.strip().lower()
        if plain is not None and (len(plain) > _EMAIL_MAX or _EMAIL.fullmatch(plain) is None):
            raise InvalidInput("O e-mail não é válido.", hint="Exemplo: ana@empresa.com.br.")
        async with self._postgres.transaction() as tx:
            if not await store.set_email(tx, user.id, plain):
                raise Conflict("Este e-mail já é de outra pessoa.")
            await audit.append(
                tx,
                actor,
                "user.email_set",
                object_type="user",
                object_id=user.username,
                after={"has_email": plain is not None},
            )

    async def recognise(self, claims: Mapping[str, Any], origin: Origin) -> User:
        """Return the person of verified claims, with the role that their groups give where that is wanted.

        Raises Refused with the reason when it is nobody who may enter.
        """
        issuer, subject = str(claims["iss"]), str(claims["sub"])
        known = await self._identities.role_of(claims) if self._recognition.takes_roles else None
        async with self._postgres.transaction() as tx:
            user = await store.find(tx, issuer, subject)
            if user is None:
                user = await self._recognise_anew(tx, claims, origin)
            if not user.is_active:
                raise Refused("A pessoa desta identidade está desativada.")
            if known is not None:
                user = await self._give(tx, user, known, subject)
            await store.note_login(tx, issuer, subject)
        return user

    async def _recognise_anew(self, tx: Connection, claims: Mapping[str, Any], origin: Origin) -> User:
        """Link the person of a verified address. `email_verified` counts as true only when it is just that."""
        email = claims.get("email")
        if not self._recognition.by_email:
            raise Refused("Ninguém está ligado a esta identidade.")
        if claims.get("email_verified") is not True or not isinstance(email, str) or len(email) > _EMAIL_MAX:
            raise Refused("Ninguém está ligado a esta identidade, e ela não tem e-mail verificado.")
        plain = email.lower()
        is_address = plain.isascii() and _EMAIL.fullmatch(plain) is not None
        user = await store.find_unlinked(tx, plain, str(claims["iss"])) if is_address else None
        if user is None or not user.is_active:
            raise Refused("Ninguém está ligado a esta identidade, e o e-mail dela não é de ninguém que se possa ligar.")
        subject = str(claims["sub"])
        if not await self._add(tx, user, subject, "oidc"):
            raise Refused("Outra entrada ligou esta identidade ao mesmo tempo.")
        await self._tell_linked(tx, visitor(subject), user, subject, "email", origin)
        return user

    async def _give(self, tx: Connection, user: User, known: IdentityRole, subject: str) -> User:
        """Put the role of the groups in force, if it is another."""
        if (user.role, user.companies) == (known.role, known.companies):
            return user
        after = replace(user, role=known.role, companies=known.companies)
        await people.set_role(tx, user.id, known.role, known.companies)
        await audit.append(
            tx,
            visitor(subject),
            "user.role_changed",
            object_type="user",
            object_id=user.username,
            before=standing(user),
            after=standing(after),
        )
        return after

    async def _add(self, tx: Connection, user: User, subject: str, by: str) -> bool:
        id = uuid7(time.time_ns() // 1_000_000, os.urandom(10))
        assert self._issuer is not None
        return await store.add(tx, id=id, user_id=user.id, issuer=self._issuer, subject=subject, by=by)

    @staticmethod
    async def _tell_linked(
        tx: Connection, actor: Actor, user: User, subject: str, by: str, origin: Origin | None = None
    ) -> None:
        await audit.append(
            tx,
            actor,
            "user.identity_linked",
            object_type="user",
            object_id=user.username,
            after={"subject": subject, "by": by},
            origin=origin,
        )


def visitor(subject: str) -> Actor:
    """Name somebody of the provider who is nobody here yet."""
    return Actor(ActorKind.IDENTITY, subject[:90], Role.VIEWER)
