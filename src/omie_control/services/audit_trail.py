"""The audit for people: read with filters, verified, taken along as a file. Each verb asks for the right to read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.domain.damages import Finding, differences
from omie_control.errors import InvalidInput, NotFound
from omie_control.postgres import audit as store
from omie_control.postgres import seals
from omie_control.postgres.audit import AuditEvent
from omie_control.postgres.database import Postgres
from omie_control.postgres.seals import Verification
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.seals_checkpoints import Checkpoints
from omie_control.services.seals_keys import SealKeys
from omie_control.services.seals_verifier import Reckoning, Verifier
from omie_control.telemetry import Event, tell

PAGE_MAX = 500
_KEPT_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class AuditState:
    """How the audit stands: since when something waits for its seal, how far the chain goes, the last verification."""

    waits_since: datetime | None
    last_seal: int
    verification: Verification | None

    def lag_seconds(self, now: datetime) -> float:
        """Return how long the oldest record has been waiting for its seal."""
        return 0.0 if self.waits_since is None else max((now - self.waits_since).total_seconds(), 0.0)


class AuditTrail:
    """The verbs of the audit."""

    def __init__(self, postgres: Postgres, keys: SealKeys, checkpoints: Checkpoints, access: Access) -> None:
        self._postgres = postgres
        self._keys = keys
        self._checkpoints = checkpoints
        self._access = access

    async def list(
        self,
        actor: Actor,
        *,
        by: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        object_id: str | None = None,
        since: datetime | None = None,
        before: UUID | None = None,
        limit: int = 50,
    ) -> list[AuditEvent]:
        """Return events of the actor's companies, newest first, older than `before`.

        `by` and `action` may end in `*`, which stands for anything.
        """
        await self._access.require(actor, Right.AUDIT_READ)
        if outcome is not None and outcome not in audit.OUTCOMES:
            raise InvalidInput(f"O resultado '{outcome[:20]}' não existe.", hint=f"Use {', '.join(audit.OUTCOMES)}.")
        async with self._postgres.reading() as connection:
            return await store.page(
                connection,
                by=by,
                action=action,
                outcome=outcome,
                object_id=object_id,
                since=since,
                before=before,
                companies=None if actor.companies is None else list(actor.companies),
                limit=max(1, min(limit, PAGE_MAX)),
            )

    async def show(self, actor: Actor, id: UUID) -> AuditEvent:
        """Return one event. Raises NotFound, also for one of a company out of the actor's scope."""
        await self._access.require(actor, Right.AUDIT_READ)
        async with self._postgres.reading() as connection:
            found = await store.find(connection, id)
        if found is None or not actor.may_see(found.company_id):
            raise NotFound(f"O evento de auditoria {id} não existe.")
        return found

    async def state(self) -> AuditState:
        """Return how the audit stands, for health pages: no names."""
        async with self._postgres.reading() as connection:
            return AuditState(
                await seals.waits_since(connection),
                await seals.newest(connection),
                await seals.last_verification(connection),
            )

    async def verify(
        self, actor: Actor, on_finding: Callable[[Finding], Awaitable[None] | None], since: datetime | None = None
    ) -> Reckoning:
        """Verify the whole chain, or from an instant on; hear each finding as it comes. Kept, and itself audited."""
        await self._access.require(actor, Right.AUDIT_READ)
        verifier = Verifier(self._postgres, self._keys, self._checkpoints, since=since)
        done = await self._go_through(verifier, on_finding, is_full=since is None)
        async with self._postgres.transaction() as tx:
            await audit.append(
                tx,
                actor,
                "audit.verified",
                outcome="failed" if done.findings else "done",
                after={"first": done.first, "last": done.last, "records": done.records, "findings": done.findings},
            )
        return done

    async def keep_verified(self, *, full_every: timedelta) -> Reckoning | None:
        """Verify what came since the last clean verification, everything when the last of all is too old.

        Findings raise an alert. None: another process is at it.
        """
        async with self._postgres.pool.acquire() as connection:
            if not await seals.try_verifying(connection):
                return None
            try:
                last = await seals.last_full(connection)
                is_full = last is None or datetime.now(UTC) - last >= full_every
                return await self._verify_in_background(is_full=is_full)
            finally:
                await seals.end_verifying(connection)

    async def _verify_in_background(self, *, is_full: bool) -> Reckoning:
        after = None
        if not is_full:
            async with self._postgres.transaction() as tx:
                after = await seals.verified_to(tx) or None
        kept: list[Finding] = []

        def keep(finding: Finding) -> None:
            if len(kept) < _KEPT_FINDINGS:
                kept.append(finding)

        verifier = Verifier(self._postgres, self._keys, self._checkpoints, after=after)
        done = await self._go_through(verifier, keep, is_full=after is None)
        if done.findings:
            async with self._postgres.transaction() as tx:
                await seals.raise_alert(
                    tx,
                    "audit_tampered",
                    "A auditoria não confere",
                    f"{differences(done.findings)}. A primeira: {kept[0].message} Rode: omie-control audit verify.",
                    {"findings": [finding.as_fields() for finding in kept]},
                )
        return done

    async def _go_through(
        self, verifier: Verifier, on_finding: Callable[[Finding], Awaitable[None] | None], *, is_full: bool
    ) -> Reckoning:
        kept: list[dict[str, Any]] = []
        async for finding in verifier.findings():
            if len(kept) < _KEPT_FINDINGS:
                kept.append(finding.as_fields())
                tell(Event.AUDIT_DAMAGED, **finding.as_fields())
            heard = on_finding(finding)
            if heard is not None:
                await heard
        done = verifier.reckoning
        async with self._postgres.transaction() as tx:
            await seals.note_verification(
                tx,
                is_full=is_full,
                started_at=done.started_at,
                first=done.first,
                last=done.last,
                records=done.records,
                findings=done.findings,
                details=kept,
            )
        seconds = (datetime.now(UTC) - done.started_at).total_seconds()
        tell(Event.AUDIT_VERIFIED, is_full=is_full, records=done.records, findings=done.findings, seconds=seconds)
        return done
