"""`/`: what runs now, how it goes, the last executions. The same address answers the live refresh with its partial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from omie_control.domain.actors import Actor
from omie_control.domain.companies import Company
from omie_control.domain.executions import Status
from omie_control.errors import InvalidInput
from omie_control.web.auth import require_visitor
from omie_control.web.pulse import view as pulse_view
from omie_control.web.rendering import render
from omie_control.web.standing import view as standing_view
from omie_control.web.words import mark

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.executions import Page

PAGE_SIZE = 40
RUNNING_SHOWN = 12
_TYPE_MAX = 100

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for, checked; `before` is the cursor of an older page."""

    status: Status | None = None
    process_type: str | None = None
    company: str | None = None
    before: str | None = None

    @property
    def is_set(self) -> bool:
        """Say whether the list is narrowed (an older page alone is not)."""
        return bool(self.status or self.process_type or self.company)

    def address(self, *, before: str | None) -> str:
        """Return the address of the same list at another page."""
        given = {"situacao": self.status, "tipo": self.process_type, "empresa": self.company, "antes": before}
        query = urlencode({name: str(value) for name, value in given.items() if value})
        return f"/?{query}" if query else "/"


def filters_of(query: Mapping[str, str]) -> Filters:
    """Read the filters of an address. Raises InvalidInput for a status that does not exist."""
    return Filters(
        status=_status(query.get("situacao")),
        process_type=(query.get("tipo") or "").strip()[:_TYPE_MAX] or None,
        company=query.get("empresa") or None,
        before=query.get("antes") or None,
    )


def _status(text: str | None) -> Status | None:
    try:
        return Status(text) if text else None
    except ValueError:
        raise InvalidInput(
            mark("Essa situação não existe."), hint=mark("Escolha uma das situações da lista.")
        ) from None


@router.get("/", include_in_schema=False)
async def overview(request: Request) -> Response:
    """Show the live page, or, to a live refresh, its inside."""
    visitor = await require_visitor(request)
    app: App = request.app.state.control
    filters = filters_of(request.query_params)
    companies = list(await app.companies.list(visitor.actor))
    page = await _page(app, visitor.actor, filters, companies)
    running = await app.executions.running(visitor.actor)
    pulse = pulse_view(await request.app.state.pulse.read(visitor.actor))
    # The first page shows what runs in a place of its own, once.
    shown = [] if filters.is_set or filters.before else list(running[:RUNNING_SHOWN])
    shown_ids = {execution.id for execution in shown}
    context = {
        "filters": filters,
        "page": page,
        "ended": [execution for execution in page.items if execution.id not in shown_ids],
        "running": running,
        "shown_running": shown,
        "pulse": pulse,
        "blocks": await app.blocks.list(visitor.actor),
        "standing": standing_view(await app.system.state(visitor.actor)),
        "companies": {company.id: company.slug for company in companies},
        "company_slugs": [company.slug for company in companies],
        "process_types": pulse.process_types,
        "statuses": list(Status),
        "first_address": filters.address(before=None),
        "next_address": filters.address(before=page.next),
        "mcp_url": f"{app.settings.public_url or str(request.base_url)}".rstrip("/") + "/mcp",
    }
    partial = "hx-request" in request.headers
    return render(request, "overview/_panel.html" if partial else "overview/show.html", context)


async def _page(app: App, actor: Actor, filters: Filters, companies: list[Company]) -> Page:
    return await app.executions.list(
        actor,
        status=filters.status,
        process_type=filters.process_type,
        company=_company_id(filters.company, companies),
        before=filters.before,
        limit=PAGE_SIZE,
    )


def _company_id(slug: str | None, companies: list[Company]) -> UUID | None:
    if slug is None:
        return None
    for company in companies:
        if company.slug == slug:
            return company.id
    raise InvalidInput(mark("Essa empresa não existe."), hint=mark("Escolha uma das empresas da lista."))
