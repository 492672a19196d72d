"""`/execucoes/{execution_id}`: one execution, everything that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from omie_control.web.auth import require_visitor
from omie_control.web.charts import timeline
from omie_control.web.rendering import render
from omie_control.web.trees import tree

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter()


@router.get("/execucoes/{execution_id}", include_in_schema=False)
async def show(request: Request, execution_id: str) -> Response:
    """Show one execution, or, to a live refresh, only what can have changed."""
    visitor = await require_visitor(request)
    app: App = request.app.state.control
    execution = await app.executions.get(visitor.actor, execution_id)
    group = execution.session_id
    errand = None if group is None else await app.services.errands.find(visitor.actor, group)
    bodies = {
        "input": tree(execution.input_parameters),
        "request": tree(execution.request_payload),
        "response": tree(execution.response_data),
    }
    context = {"execution": execution, "errand": errand, "bodies": bodies, "timeline_of": timeline}
    partial = "hx-request" in request.headers
    return render(request, "executions/_detail.html" if partial else "executions/show.html", context)
