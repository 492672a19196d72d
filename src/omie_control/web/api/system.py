"""`/system`: how everything stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel

from omie_control.web.api.callers import Caller
from omie_control.web.api.problems import PREFIX, documented

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter(prefix=PREFIX, tags=["sistema"])


class DatabaseOut(BaseModel, from_attributes=True):
    """O PostgreSQL; tamanhos em bytes."""

    version: str
    now: datetime
    is_replica: bool
    timezone: str
    schema_version: str
    months_ahead: int
    database_bytes: int
    connections: int
    max_connections: int


class DegradedOut(BaseModel, from_attributes=True):
    """Algo que não está como deveria, desde quando e o que isso significa."""

    mode: str
    since: datetime | None
    meaning: str


class AuditOut(BaseModel):
    """A auditoria: quanto o registro mais antigo espera pelo selo, até onde ela vai, a última verificação."""

    seal_lag_seconds: float
    last_seal: int
    verified_at: datetime | None
    findings: int | None


class SystemOut(BaseModel, from_attributes=True):
    """O estado da instalação, como este processo o vê."""

    version: str
    at: datetime
    is_ready: bool
    recorder_depth: int
    active_sessions: int | None
    database: DatabaseOut | None
    degraded: list[DegradedOut]
    audit: AuditOut | None = None


@router.get("/system", summary="Estado do sistema", responses=documented(401, 403, 429, 503))
async def show(request: Request, actor: Caller) -> SystemOut:
    """Diz o que funciona, o que está degradado e desde quando. Direito: system.read."""
    app: App = request.app.state.control
    state = await app.system.state(actor)
    audit = None
    if state.audit is not None:
        last = state.audit.verification
        audit = AuditOut(
            seal_lag_seconds=round(state.audit.lag_seconds(datetime.now(UTC)), 1),
            last_seal=state.audit.last_seal,
            verified_at=None if last is None else last.ended_at,
            findings=None if last is None else last.findings,
        )
    return SystemOut(
        version=state.version,
        at=state.at,
        is_ready=state.is_ready,
        recorder_depth=state.recorder_depth,
        active_sessions=state.active_sessions,
        database=None if state.database is None else DatabaseOut.model_validate(state.database),
        degraded=[DegradedOut.model_validate(each) for each in state.degraded],
        audit=audit,
    )
