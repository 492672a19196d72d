"""What the web asks every server for at a fixed address: which identity provider's tokens are taken (RFC 9728)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from omie_control.domain.protected_resource import API, MCP, WELL_KNOWN, metadata
from omie_control.errors import NotFound
from omie_control.web.roots import root_of
from omie_control.web.words import mark

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter()


@router.get(WELL_KNOWN, include_in_schema=False)
@router.get(WELL_KNOWN + MCP, include_in_schema=False)
@router.get(WELL_KNOWN + API, include_in_schema=False)
async def protected_resource(request: Request) -> Response:
    """Describe the resource that this address is about, where a provider's tokens are taken."""
    app: App = request.app.state.control
    issuer = app.services.bearers.issuer
    if issuer is None:
        raise NotFound(mark("Esta página não existe."), hint=mark("Confira o endereço."))
    resource = request.url.path.removeprefix(WELL_KNOWN)
    return JSONResponse(dict(metadata(root_of(request), resource, issuer)))
