"""Guesses at passwords and codes, counted in PostgreSQL so that all processes together slow a guesser down.

Each is counted three times: for the name from its address, for the name from anywhere, for the address whatever
the name. An attempt that goes well is taken out again, so that an office behind one address is not held up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Origin
from omie_control.errors import Overloaded
from omie_control.postgres import users as store
from omie_control.postgres.database import Postgres
from omie_control.services import audit
from omie_control.services.audit_samples import Samples
from omie_control.telemetry import Event, tell

FREE_ATTEMPTS = 5
FREE_FOR_ACCOUNT = 20
FREE_FOR_ADDRESS = 50
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# Short, for whoever knows a name could otherwise keep its owner out for long.
LONGEST_WAIT_OF_ACCOUNT = timedelta(minutes=2)
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Counter:
    subject: bytes
    free: int
    cap: timedelta


class Attempts:
    """Counts attempts. `clock` None: PostgreSQL's own."""

    def __init__(self, postgres: Postgres, clock: Callable[[], datetime] | None = None) -> None:
        self._postgres = postgres
        self._clock = clock
        self._samples = Samples(postgres)

    async def admit(self, name: str, origin: Origin) -> None:
        """Count an attempt before it is looked at. Raises Overloaded with the instant when to try again."""
        counters = _counters(name, origin)
        now = self._now()
        async with self._postgres.transaction() as tx:
            for counter in counters:
                until = await store.admit_attempt(
                    tx,
                    counter.subject,
                    now,
                    free=counter.free,
                    base=FIRST_WAIT,
                    cap=counter.cap,
                    window=FORGOTTEN_AFTER,
                )
                if until is not None:
                    break
        if until is None:
            return
        tell(Event.LOGIN_REFUSED, reason="throttled", ip_address=str(origin.ip_address))
        await self._samples.refused(
            counter.subject, _visitor(name), "login.throttled", object_type="user", object_id=name, origin=origin
        )
        raise Overloaded(
            "Muitas tentativas de entrar seguidas.",
            hint="Espere e tente de novo.",
            code="muitas_tentativas",
            until=until,
        )

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock()

    async def failed(self, name: str, origin: Origin, action: str, *, reason: str) -> None:
        """Keep that an attempt did not go well: `action` for the audit, `reason` for the event."""
        tell(Event.LOGIN_REFUSED, reason=reason, ip_address=str(origin.ip_address))
        async with self._postgres.transaction() as tx:
            await audit.append(
                tx, _visitor(name), action, outcome="refused", object_type="user", object_id=name, origin=origin
            )

    async def give_back(self, name: str, origin: Origin) -> None:
        """Take the last attempt out of the counts, and no other: it went well, but more is asked of whoever made it."""
        async with self._postgres.transaction() as tx:
            for counter in _counters(name, origin):
                await store.give_back_attempt(tx, counter.subject, free=counter.free)

    async def forgive(self, name: str, origin: Origin) -> None:
        """Take the last attempt out of the counts, and the failures before it from there: it went well."""
        own, *shared = _counters(name, origin)
        async with self._postgres.transaction() as tx:
            await store.clear_attempts(tx, own.subject, self._now())
            for counter in shared:
                await store.give_back_attempt(tx, counter.subject, free=counter.free)


def _counters(name: str, origin: Origin) -> tuple[_Counter, ...]:
    # In one order for everybody, so that two logins at once never wait for each other's rows crosswise.
    found = [
        _Counter(_subject(f"{name}\x00{origin.ip_address}"), FREE_ATTEMPTS, LONGEST_WAIT),
        _Counter(_subject(f"account\x00{name}"), FREE_FOR_ACCOUNT, LONGEST_WAIT_OF_ACCOUNT),
    ]
    if origin.ip_address is not None:
        found.append(_Counter(_subject(f"address\x00{origin.ip_address}"), FREE_FOR_ADDRESS, LONGEST_WAIT))
    return tuple(found)


def _visitor(name: str) -> Actor:
    """Return whoever says that this is their name."""
    return Actor(ActorKind.USER, name, Role.VIEWER)


def _subject(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
