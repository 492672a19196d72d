"""How everything stands: what works, what is degraded and since when, in words a person can act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from omie_control import __version__
from omie_control.domain.access import Right
from omie_control.domain.actors import Actor
from omie_control.errors import StorageDown
from omie_control.postgres import status as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.status import DatabaseStatus
from omie_control.services.access import Access
from omie_control.services.audit_trail import AuditState, AuditTrail
from omie_control.valkey.live import Live
from omie_control.valkey.sessions import Sessions

# Records are sealed within seconds; a minute means that nobody seals.
SEAL_LAG_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Degraded:
    """One thing that does not work as it should: a short name, since when, what it means."""

    mode: str
    since: datetime | None
    meaning: str


@dataclass(frozen=True, slots=True)
class SystemState:
    """The state of the installation as one process sees it. `database` is None while PostgreSQL is away.

    `active_sessions` spoke to us within 15 minutes; None while Valkey, which knows, is away.
    """

    version: str
    at: datetime
    is_ready: bool
    recorder_depth: int
    active_sessions: int | None
    database: DatabaseStatus | None
    degraded: list[Degraded] = field(default_factory=list)
    audit: AuditState | None = None


class System:
    """Reads the state; writes nothing."""

    def __init__(
        self,
        postgres: Postgres,
        recorder: Recorder,
        live: Live,
        sessions: Sessions,
        access: Access,
        trail: AuditTrail,
    ) -> None:
        self._postgres = postgres
        self._recorder = recorder
        self._live = live
        self._sessions = sessions
        self._access = access
        self._trail = trail

    async def state(self, actor: Actor) -> SystemState:
        """Return the state, for somebody who may see it. PostgreSQL away is part of the answer, not an error."""
        if self._recorder.health.is_up:
            await self._access.require(actor, Right.SYSTEM_READ)
        return await self.probe()

    async def probe(self) -> SystemState:
        """Return the state for the health pages: no names, no numbers of any company."""
        database = audit = None
        try:
            async with self._postgres.reading() as connection:
                database = await store.read(connection)
            audit = await self._trail.state()
        except StorageDown:
            database = None
        degraded = [*self._degraded(database), *_of_the_audit(audit)]
        active = await self._sessions.active() if self._live.is_up else None
        return SystemState(
            version=__version__,
            at=datetime.now(UTC),
            is_ready=database is not None,
            recorder_depth=self._recorder.depth,
            active_sessions=None if active is None else len(active),
            database=database,
            degraded=degraded,
            audit=audit,
        )

    def _degraded(self, database: DatabaseStatus | None) -> list[Degraded]:
        found: list[Degraded] = []
        if database is None:
            since = self._recorder.health.down_since or self._postgres.down_since
            found.append(
                Degraded("sem_postgresql", since, "O banco de dados não responde; nenhuma chamada sai até ele voltar.")
            )
        if not self._live.is_up:
            meaning = "O Valkey não responde; o painel se atualiza por consulta e o cache está desligado."
            found.append(Degraded("sem_valkey", self._live.down_since, meaning))
        return found


def _of_the_audit(audit: AuditState | None) -> list[Degraded]:
    found: list[Degraded] = []
    if audit is not None and audit.lag_seconds(datetime.now(UTC)) > SEAL_LAG_SECONDS:
        meaning = "Há registros esperando pelo selo da auditoria há mais de um minuto; confira se há um worker rodando."
        found.append(Degraded("selos_atrasados", audit.waits_since, meaning))
    if audit is not None and audit.verification is not None and audit.verification.findings:
        meaning = "A última verificação da auditoria encontrou diferenças; rode omie-control audit verify."
        found.append(Degraded("auditoria_violada", audit.verification.ended_at, meaning))
    return found
