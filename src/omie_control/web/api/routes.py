"""The addresses of the API, and the document that describes them."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from omie_control import __version__
from omie_control.web.api import config, executions, system, webhooks
from omie_control.web.api.callers import Caller
from omie_control.web.api.problems import PREFIX, Problem

router = APIRouter()
ROUTERS = (config.router, executions.router, system.router, webhooks.router, router)


@router.get(f"{PREFIX}/openapi.json", include_in_schema=False)
async def document(actor: Caller) -> JSONResponse:
    """Return the OpenAPI document, to whoever has a token."""
    return JSONResponse(described())


@cache
def described() -> dict[str, Any]:
    """Describe the routes of the API, and those alone."""
    made = get_openapi(
        title="omie-control",
        version=__version__,
        summary="A API REST da torre de controle entre os agentes e o Omie.",
        routes=[route for each in ROUTERS for route in each.routes],
    )
    made["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    return made
