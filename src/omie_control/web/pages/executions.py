"""`/execucoes/{execution_id}`: one execution, everything that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from omie_control.domain.access import Right, is_allowed
from omie_control.web.auth import Visitor, origin_of, require_csrf, require_visitor
from omie_control.web.charts import timeline
from omie_control.web.named import EXECUTION
from omie_control.web.rendering import render
from omie_control.web.trees import tree

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter()


@router.get(f"/execucoes/{EXECUTION}", include_in_schema=False)
async def show(request: Request, execution_id: str) -> Response:
    """Show one execution, or, to a live refresh, only what can have changed."""
    visitor = await require_visitor(request)
    return await _page(request, visitor, execution_id)


@router.post(f"/execucoes/{EXECUTION}/revelar", include_in_schema=False)
async def reveal(request: Request, execution_id: str, csrf_token: Annotated[str, Form()] = "") -> Response:
    """Show one execution with what is masked in the clear, to whoever may; it leaves its trace."""
    visitor = await require_visitor(request)
    require_csrf(visitor, csrf_token)
    app: App = request.app.state.control
    origin = origin_of(request, app.settings.trusted_proxies)
    clear = await app.services.bodies.reveal(visitor.actor, execution_id, origin)
    return await _page(request, visitor, execution_id, clear)


async def _page(
    request: Request, visitor: Visitor, execution_id: str, clear: Mapping[str, Any] | None = None
) -> Response:
    app: App = request.app.state.control
    execution = await app.executions.get(visitor.actor, execution_id)
    group = execution.session_id
    errand = None if group is None else await app.services.errands.find(visitor.actor, group)
    masked = {
        "input": execution.input_parameters,
        "request": execution.request_payload,
        "response": execution.response_data,
    }
    context = {
        "execution": execution,
        "errand": errand,
        "bodies": {part: tree(value) for part, value in (masked | dict(clear or {})).items()},
        "timeline_of": timeline,
        "is_revealed": clear is not None,
        "may_reveal": clear is None
        and execution.is_sealed
        and is_allowed(visitor.actor, Right.BODY_REVEAL, execution.company_id),
    }
    partial = "hx-request" in request.headers
    return render(request, "executions/_detail.html" if partial else "executions/show.html", context)
