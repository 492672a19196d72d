"""Legal holds: what must not be erased for now; set, listed, lifted, each audited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.erasures import REASON_MAX, Hold, PersonMark, bare_document
from omie_control.domain.masking import mask
from omie_control.errors import InvalidInput, NotFound
from omie_control.postgres import legal_holds as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.keys import Keys


class LegalHolds:
    """The verbs of holds."""

    def __init__(self, postgres: Postgres, keys: Keys, access: Access) -> None:
        self._postgres = postgres
        self._keys = keys
        self._access = access

    async def list(self, actor: Actor, *, live_only: bool = False) -> Sequence[Hold]:
        """Return holds, the newest first; whom one is about is a hash."""
        await self._access.require(actor, Right.AUDIT_READ)
        async with self._postgres.reading() as connection:
            holds = await store.everything(connection, live_only=live_only)
        return [hold for hold in holds if actor.may_see(hold.company_id)]

    async def place(
        self,
        actor: Actor,
        reason: str,
        *,
        document: str | None = None,
        company: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Hold:
        """Hold a person, a company, a span of time, or where all that is given meet. Raises InvalidInput, Forbidden."""
        await self._require(actor, company)
        person = None if document is None else PersonMark.of(self._keys.hasher, bare_document(document))
        if person is None and company is None and since is None and until is None:
            raise InvalidInput("Diga o que reter.", hint="Uma pessoa, uma empresa ou um período.")
        if since is not None and until is not None and since >= until:
            raise InvalidInput("O período termina antes de começar.", hint="Confira as duas datas.")
        async with self._postgres.transaction() as tx:
            await store.lock_holds(tx)
            hold = await store.place(
                tx,
                person=person,
                company_id=company,
                since=since,
                until=until,
                reason=plain_reason(reason),
                set_by=actor.label,
            )
            await self._note(tx, actor, "hold.placed", hold)
        return hold

    async def lift(self, actor: Actor, id: UUID, reason: str) -> Hold:
        """Let what a hold kept be erased again. Raises NotFound when it does not hold."""
        holds = {hold.id: hold for hold in await self._live()}
        found = holds.get(id)
        if found is None or not actor.may_see(found.company_id):
            raise NotFound("Esta retenção não existe, ou já foi liberada.", hint="Veja as que valem: hold list.")
        await self._require(actor, found.company_id)
        async with self._postgres.transaction() as tx:
            await store.lock_holds(tx)
            hold = await store.lift(tx, id, actor.label)
            if hold is None:
                raise NotFound("Esta retenção já foi liberada.")
            await self._note(tx, actor, "hold.lifted", hold, plain_reason(reason))
        return hold

    async def _live(self) -> Sequence[Hold]:
        async with self._postgres.transaction() as connection:
            return await store.everything(connection, live_only=True)

    async def _require(self, actor: Actor, company: UUID | None) -> None:
        await self._access.require(actor, Right.HOLD_MANAGE, company)
        if company is None and actor.companies is not None:
            raise await self._access.refused(actor, Right.HOLD_MANAGE, "Este acesso não inclui todas as empresas.")

    async def _note(self, tx: Connection, actor: Actor, action: str, hold: Hold, reason: str | None = None) -> None:
        await audit.append(
            tx,
            actor,
            action,
            object_type="legal_hold",
            object_id=str(hold.id),
            company_id=hold.company_id,
            after={
                "person": None if hold.person is None else hold.person.name,
                "since": hold.since,
                "until": hold.until,
                "reason": hold.reason,
            },
            detail=reason,
        )


def plain_reason(text: str) -> str:
    """Return a reason as it may be kept: masked, and not empty. Raises InvalidInput."""
    reason = str(mask(text.strip()[:REASON_MAX]).value)[:REASON_MAX]
    if not reason:
        raise InvalidInput("Diga o motivo.", hint="Ele fica na auditoria.")
    return reason
