"""Alerts: what a person should look at, for those who may see what it is about."""

from __future__ import annotations

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.postgres import alerts as store
from omie_control.postgres.alerts import Alert
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access

SHOWN_MAX = 100


class Alerts:
    """The verbs of an alert."""

    def __init__(self, postgres: Postgres, access: Access) -> None:
        self._postgres = postgres
        self._access = access

    async def active(self, actor: Actor, *, limit: int = SHOWN_MAX) -> list[Alert]:
        """Return the alerts that nobody has resolved, newest first.

        Somebody who sees some companies only gets those about executions of these companies.
        """
        await self._access.require(actor, Right.SYSTEM_READ)
        scope = None if actor.companies is None else list(actor.companies)
        async with self._postgres.reading() as connection:
            return await store.active(connection, scope, limit=min(limit, SHOWN_MAX))
