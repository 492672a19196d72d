"""`/healthz`: this process answers. `/readyz`: it can serve, and what is degraded, since when. No login, no secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from omie_control import __version__

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.audit_trail import AuditState
    from omie_control.services.system import SystemState

router = APIRouter()
_METHODS = ["GET", "HEAD"]


@router.api_route("/healthz", methods=_METHODS, include_in_schema=False)
async def alive() -> JSONResponse:
    """Say that the process is alive; asks nobody else, so that a lost database never gets it killed."""
    return JSONResponse({"status": "ok", "version": __version__})


@router.api_route("/readyz", methods=_METHODS, include_in_schema=False)
async def ready(request: Request) -> JSONResponse:
    """Say whether calls can be served. Without PostgreSQL they cannot; without Valkey they can, degraded."""
    app: App = request.app.state.control
    state = readiness(await app.system.probe())
    return JSONResponse(state, 200 if state["ready"] else 503)


def readiness(state: SystemState) -> dict[str, Any]:
    """Shape the state for a machine that decides whether to send requests here."""
    return {
        "ready": state.is_ready,
        "status": "down" if not state.is_ready else "degraded" if state.degraded else "ok",
        "version": state.version,
        "degraded": {
            degraded.mode: {
                "since": degraded.since.isoformat() if degraded.since else None,
                "meaning": degraded.meaning,
            }
            for degraded in state.degraded
        },
        "audit": None if state.audit is None else _audit(state.audit),
    }


def _audit(audit: AuditState) -> dict[str, Any]:
    last = audit.verification
    return {
        "seal_lag_seconds": round(audit.lag_seconds(datetime.now(UTC)), 1),
        "last_seal": audit.last_seal,
        "verified_at": last.ended_at.isoformat() if last is not None else None,
        "findings": last.findings if last is not None else None,
    }
