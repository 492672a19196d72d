"""`/executions`: what ran, newest first, and one execution with everything that is known of it; bodies masked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from omie_control.domain.executions import Call, Category, Complexity, Execution, Status
from omie_control.services.executions import PAGE_MAX
from omie_control.web.api.callers import Caller
from omie_control.web.api.listings import Listing
from omie_control.web.api.problems import PREFIX, documented
from omie_control.web.named import EXECUTION

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter(prefix=PREFIX, tags=["execuções"])
# The years that the key of an execution can say.
_TEXT = r"^[^\x00]+$"


class ExecutionRow(BaseModel):
    """Uma execução, com os nomes das colunas de process_executions; sem os corpos."""

    id: UUID
    process_type: str
    execution_id: str
    status: Status
    started_at: datetime
    completed_at: datetime | None
    duration_ms: int | None
    omie_endpoint: str | None
    response_status_code: int | None
    error_message: str | None
    error_code: str | None
    user_agent: str | None
    ip_address: str | None
    fastmcp_session_id: str | None
    company_id: UUID | None
    company: str | None
    actor: str | None
    parent_id: UUID | None
    writes: bool
    attempt: int
    instance_id: UUID | None
    is_cleaned: bool
    category: Category | None
    complexity: Complexity | None


class CallOut(BaseModel):
    """Uma chamada HTTP ao Omie, com os nomes das colunas de omie_api_metrics."""

    endpoint: str
    method: str
    timestamp: datetime
    response_time_ms: int
    status_code: int | None
    success: bool
    request_size_bytes: int
    response_size_bytes: int
    fault_code: str | None
    rate_limit_remaining: int | None
    rate_limit_reset_at: datetime | None


class ExecutionOut(ExecutionRow):
    """Uma execução com os corpos (dados pessoais mascarados), as chamadas ao Omie e as execuções que começou."""

    input_parameters: Any
    request_payload: Any
    response_data: Any
    is_slimmed: bool = Field(
        description="Execução antiga: o que era longo nos corpos foi resumido; cada corte está marcado com `_resumido` "
        "ou reticências."
    )
    parent: str | None
    calls: list[CallOut]
    children: list[str]


@router.get("/executions", summary="Lista execuções", responses=documented(401, 403, 404, 422, 429, 503))
async def list_(
    request: Request,
    actor: Caller,
    status: Status | None = None,
    process_type: Annotated[str | None, Query(min_length=1, max_length=100, pattern=_TEXT)] = None,
    company_id: UUID | None = None,
    fastmcp_session_id: Annotated[str | None, Query(min_length=1, max_length=200, pattern=_TEXT)] = None,
    since: Annotated[AwareDatetime | None, Query(description="A partir deste instante, com fuso horário.")] = None,
    before: Annotated[str | None, Query(max_length=100, description="`next` da página anterior.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> Listing[ExecutionRow]:
    """Devolve execuções das empresas do token, da mais nova à mais antiga. Direito: execution.read."""
    app: App = request.app.state.control
    page = await app.executions.list(
        actor,
        status=status,
        process_type=process_type,
        company=company_id,
        session=fastmcp_session_id,
        since=since,
        before=before,
        limit=limit,
    )
    return Listing[ExecutionRow](items=[ExecutionRow(**_row(each)) for each in page.items], next=page.next)


@router.get(f"/executions/{EXECUTION}", summary="Uma execução", responses=documented(401, 403, 404, 422, 429, 503))
async def show(
    request: Request, actor: Caller, execution_id: Annotated[str, Path(max_length=100, pattern=_TEXT)]
) -> ExecutionOut:
    """Devolve uma execução; de outra empresa, 404. Direito: execution.read."""
    app: App = request.app.state.control
    found = await app.executions.get(actor, execution_id)
    return ExecutionOut(
        **_row(found),
        input_parameters=found.input_parameters,
        request_payload=found.request_payload,
        response_data=found.response_data,
        is_slimmed=found.is_slimmed,
        parent=found.parent,
        calls=[_call(each) for each in found.calls],
        children=list(found.children),
    )


def _row(execution: Execution) -> dict[str, Any]:
    own = {name: getattr(execution, name) for name in ExecutionRow.model_fields if name != "fastmcp_session_id"}
    address = None if execution.ip_address is None else str(execution.ip_address)
    return {**own, "ip_address": address, "fastmcp_session_id": execution.session_id}


def _call(call: Call) -> CallOut:
    own = {name: getattr(call, name) for name in CallOut.model_fields if name != "timestamp"}
    return CallOut(**own, timestamp=call.at)
