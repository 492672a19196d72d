"""The one place that says no: every verb asks here, and every refusal of somebody known is kept."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

from omie_control.domain.access import DESCRIPTIONS, SHARED, Kind, Right, is_allowed, rights_of
from omie_control.domain.actors import Actor
from omie_control.domain.configuration import DEFAULTS, WRITES_ENABLED, Values
from omie_control.errors import ControlError, Forbidden
from omie_control.postgres.database import Postgres
from omie_control.services import audit
from omie_control.telemetry import Event, tell

# A refusal never waits for its record longer than this.
_PATIENCE_SECONDS = 1.0
_WRITES_ARE_OFF = "As escritas no Omie estão desligadas para todos (configuração writes.enabled)."


class Access:
    """Asks the rules of `domain/access.py` and keeps what they refuse."""

    def __init__(self, postgres: Postgres, configuration: Values = DEFAULTS) -> None:
        self._postgres = postgres
        self._configuration = configuration

    async def require(
        self,
        actor: Actor,
        right: Right,
        company: UUID | None = None,
        *,
        kind: Kind | None = None,
        object_type: str | None = None,
        object_id: str | None = None,
    ) -> None:
        """Return when the actor may; else raise Forbidden that says what is missing."""
        if not is_allowed(actor, right, company, kind):
            raise await self.refused(actor, right, _reason(actor, right, kind), company, object_type, object_id)
        if right is Right.OMIE_WRITE and not self._configuration.get(WRITES_ENABLED):
            raise await self.refused(actor, right, _WRITES_ARE_OFF, company, object_type, object_id)

    async def refused(
        self,
        actor: Actor,
        right: Right,
        reason: str,
        company: UUID | None = None,
        object_type: str | None = None,
        object_id: str | None = None,
    ) -> Forbidden:
        """Keep a refusal (as well as PostgreSQL lets us) and return the error to raise."""
        tell(Event.ACCESS_REFUSED, actor=actor.label, right=right.value, company=str(company) if company else None)
        with contextlib.suppress(ControlError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS), self._postgres.transaction() as tx:
                await audit.append(
                    tx,
                    actor,
                    right.value,
                    outcome="refused",
                    object_type=object_type,
                    object_id=object_id,
                    company_id=company,
                    detail=reason,
                )
        return Forbidden(reason)


def _reason(actor: Actor, right: Right, kind: Kind | None) -> str:
    if right not in rights_of(actor.role):
        return f"O papel '{actor.role}' não permite {DESCRIPTIONS[right]}."
    if right is Right.OMIE_WRITE and not actor.may_write:
        return f"Este acesso é só de leitura e não permite {DESCRIPTIONS[right]}."
    if right in SHARED and actor.companies is not None:
        return f"Este acesso não permite {DESCRIPTIONS[right]}: isso vale para todas as empresas, e ele só tem algumas."
    if not is_allowed(actor, right, None, kind):
        return f"O papel '{actor.role}' não inclui este tipo de ferramenta: {_named(kind)}."
    return "Este acesso não inclui a empresa pedida."


def _named(kind: Kind | None) -> str:
    category, complexity = kind or (None, None)
    return f"categoria {category or 'não declarada'}, complexidade {complexity or 'não declarada'}"
