"""The second factor of people (TOTP): a secret shared with their phone, and recovery codes for the day it is lost.

The secret is sealed and bound to its person; a code that was used is worth nothing any more, nor any before it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pyotp

from omie_control.domain.access import Right, may_grant
from omie_control.domain.actors import Actor, ActorKind, User
from omie_control.domain.executions import Origin
from omie_control.domain.passwords import require_username
from omie_control.domain.sealing import open_sealed, seal
from omie_control.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from omie_control.postgres import second_factors as store
from omie_control.postgres import users as people
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.attempts import Attempts
from omie_control.services.keys import Keys

ISSUER = "omie-control"
STEP_SECONDS = 30
RECOVERY_CODES = 10
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_CODE = re.compile(r"\d{6}")
_RECOVERY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What somebody's phone has to learn, shown once: the secret, and the same as an address for a QR code."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "Enrolment(•••)"


class SecondFactors:
    """The verbs of second factors. `clock` None: this machine's own."""

    def __init__(
        self,
        postgres: Postgres,
        keys: Keys,
        access: Access,
        attempts: Attempts,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access
        self._attempts = attempts
        self._clock = clock or (lambda: datetime.now(UTC))

    async def begin(self, actor: Actor, username: str) -> Enrolment:
        """Make a secret that waits for its first code. Raises Conflict while one is in force."""
        name = await self._require(actor, username)
        secret = pyotp.random_base32()
        key = await self._keys.ensure(None, self._clock())
        async with self._postgres.transaction() as tx:
            user = await self._lock(tx, actor, name)
            sealed = seal(key.key, secret.encode(), _aad(user.id))
            if not await store.set_secret(tx, user.id, sealed, key.id):
                raise Conflict("O segundo fator já está ligado.", hint="Desligue-o antes de ligar outro.")
            await audit.append(tx, actor, "second_factor.begun", object_type="user", object_id=name)
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))

    async def confirm(self, actor: Actor, username: str, code: str, origin: Origin) -> list[str]:
        """Put the waiting secret in force by its first code; returns the recovery codes, shown never again."""
        name = await self._require(actor, username)
        await self._attempts.admit(name, origin)
        fresh = ["".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
        async with self._postgres.transaction() as tx:
            user = await self._lock(tx, actor, name)
            factor = await store.of_user(tx, user.id)
            if factor is None or factor.is_confirmed:
                raise Conflict("Nenhum segundo fator espera confirmação.", hint="Comece de novo.")
            step = await self._step_of(user, factor, code)
            if step is None or not await store.spend_step(tx, user.id, step):
                raise InvalidInput("O código não confere.", hint="Confira o relógio do celular e tente de novo.")
            await store.confirm(tx, user.id, [_hash(user.id, each) for each in fresh])
            await audit.append(tx, actor, "second_factor.enabled", object_type="user", object_id=name, origin=origin)
        await self._attempts.forgive(name, origin)
        return ["-".join(re.findall("....", each)) for each in fresh]

    async def remove(self, actor: Actor, username: str) -> None:
        """Ask a person for codes no more."""
        name = await self._require(actor, username)
        async with self._postgres.transaction() as tx:
            user = await self._lock(tx, actor, name)
            if await store.of_user(tx, user.id) is None:
                raise Conflict("O segundo fator não está ligado.")
            await store.remove(tx, user.id)
            await audit.append(tx, actor, "second_factor.removed", object_type="user", object_id=name)

    async def verify(self, username: str, code: str, origin: Origin) -> User:
        """Take a code of a person whose password was right.

        Raises Unauthenticated, the same whatever was wrong; Overloaded with the instant when to try again.
        """
        await self._attempts.admit(username, origin)
        async with self._postgres.transaction() as tx:
            found = await people.find(tx, username)
            user = None if found is None else found.user
            is_right = user is not None and user.is_active and await self._spend(tx, user, code, origin)
        if user is None or not is_right:
            await self._attempts.failed(username, origin, "login.code_refused", reason="code")
            raise Unauthenticated(
                "O código não confere.", hint="Use o código que o celular mostra agora.", code="codigo_recusado"
            )
        await self._attempts.forgive(username, origin)
        return user

    async def recovery_left(self, user_id: UUID) -> int:
        """Count the recovery codes that a person has left."""
        async with self._postgres.transaction() as tx:
            return await store.recovery_left(tx, user_id)

    async def _spend(self, tx: Connection, user: User, code: str, origin: Origin) -> bool:
        factor = await store.of_user(tx, user.id)
        if factor is None or not factor.is_confirmed:
            return False
        step = await self._step_of(user, factor, code)
        if step is not None:
            return await store.spend_step(tx, user.id, step)
        plain = re.sub(r"[\s-]", "", code).lower()
        if len(plain) != _RECOVERY_LENGTH or not await store.spend_recovery(tx, user.id, _hash(user.id, plain)):
            return False
        left = await store.recovery_left(tx, user.id)
        await audit.append(
            tx,
            user.actor,
            "second_factor.recovered",
            object_type="user",
            object_id=user.username,
            after={"codes_left": left},
            origin=origin,
        )
        return True

    async def _step_of(self, user: User, factor: store.StoredFactor, code: str) -> int | None:
        """Return the step of 30 seconds whose code this is: this one, or a neighbour for clocks that differ."""
        plain = re.sub(r"\s", "", code)
        if _CODE.fullmatch(plain) is None or not plain.isascii():
            return None
        key = await self._keys.by_id(factor.key_id)
        totp = pyotp.TOTP(open_sealed(key.key, factor.sealed, _aad(user.id)).decode())
        now = int(self._clock().timestamp()) // STEP_SECONDS
        matching = [step for step in (now, now - 1, now + 1) if hmac.compare_digest(totp.generate_otp(step), plain)]
        return matching[0] if matching else None

    async def _require(self, actor: Actor, username: str) -> str:
        name = require_username(username)
        if actor.kind is not ActorKind.USER or actor.name != name:
            await self._access.require(actor, Right.USER_MANAGE, object_type="user", object_id=name)
        return name

    async def _lock(self, tx: Connection, actor: Actor, name: str) -> User:
        """Hold a person's row; somebody with more rights than the actor is out of the actor's reach."""
        user = await people.lock(tx, name)
        if user is None:
            raise NotFound(f"O usuário '{name}' não existe.")
        if actor.id != user.id and not may_grant(actor, user.role, user.companies):
            reason = "Este usuário tem mais acesso do que você."
            raise await self._access.refused(actor, Right.USER_MANAGE, reason, None, "user", name)
        return user


def _aad(user_id: UUID) -> bytes:
    return f"users/{user_id}/totp".encode()


def _hash(user_id: UUID, code: str) -> bytes:
    return hashlib.sha256(user_id.bytes + code.encode(errors="replace")).digest()
