"""`/webhooks`: the addresses that Omie posts to, what came, and a test of the way. A secret comes out once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

from omie_control.domain.companies import Company
from omie_control.domain.webhooks import DEFAULT_OVERLAP, LONGEST_OVERLAP, EventStatus, TopicCount, WebhookEvent
from omie_control.services.webhooks import PAGE_MAX
from omie_control.web.api.bodies import Body, declared, read
from omie_control.web.api.callers import Caller
from omie_control.web.api.listings import Listing
from omie_control.web.api.problems import PREFIX, documented

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter(prefix=PREFIX, tags=["webhooks"])
_READS = documented(401, 403, 404, 409, 422, 429, 503)
_TAKES = documented(401, 403, 404, 409, 413, 422, 429, 503)
_TEXT = r"^[^\x00]+$"
_HOURS = int(DEFAULT_OVERLAP.total_seconds()) // 3600
_MOST_HOURS = int(LONGEST_OVERLAP.total_seconds()) // 3600
Slug = Annotated[str | None, Query(min_length=1, max_length=60, pattern=_TEXT, description="Nome curto da empresa.")]


class AddressOut(BaseModel, from_attributes=True):
    """Um endereço que vale; o segredo dele não pode ser mostrado de novo."""

    prefix: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_ping_at: datetime | None = Field(description="Quando o Omie o testou pela última vez.")


@dataclass(frozen=True)
class CountOut(TopicCount):
    """Quantos eventos de um tópico vieram nas últimas 24 horas; `deliveries` conta também as repetições."""


class StatusOut(BaseModel):
    """Como estão os webhooks de uma empresa."""

    company: str
    addresses: list[AddressOut]
    last_ping_at: datetime | None
    last_event_at: datetime | None
    last_topic: str | None
    waiting: int
    lag_seconds: float | None
    failed: int
    counts: list[CountOut]


class MadeOut(BaseModel):
    """Um endereço novo: `url` vale como uma senha e aparece só aqui."""

    url: str
    prefix: str
    ending: list[str] = Field(description="Os endereços que ele substitui.")


@dataclass(frozen=True)
class EventOut(WebhookEvent):
    """Um evento recebido, com os nomes das colunas de webhook_events; sem o conteúdo."""


class TrialOut(BaseModel):
    """O que um teste achou, em milissegundos; `problem` nulo: tudo chegou. Não prova que o Omie alcança o endereço."""

    company: str
    base_url: str
    ping_ms: float | None
    event_ms: float | None
    applied_ms: float | None
    problem: str | None


class CompanyIn(Body):
    """De que empresa; sem ela, a única."""

    model_config = ConfigDict(json_schema_extra={"example": '{"company": "minha-empresa"}'})

    company: Annotated[str | None, Field(max_length=60)] = None


class AddressIn(CompanyIn):
    """De que empresa; `rotate`: no lugar do que vale, que ainda vale por `overlap_hours` (nulo: até ser revogado)."""

    model_config = ConfigDict(json_schema_extra={"example": '{"company": "minha-empresa", "rotate": false}'})

    rotate: bool = False
    overlap_hours: Annotated[int | None, Field(ge=0, le=_MOST_HOURS)] = _HOURS


Asked = TypeVar("Asked", bound=CompanyIn)


@router.get("/webhooks", summary="Estado dos webhooks", responses=_READS)
async def show(request: Request, actor: Caller, company: Slug = None) -> StatusOut:
    """Devolve os endereços que valem, o que veio, o que espera e o que falhou. Direitos: company.read e system.read."""
    app = _app(request)
    found = await app.services.webhooks.status(actor, await app.companies.resolve(actor, company))
    return StatusOut(
        company=found.company.slug,
        addresses=[AddressOut.model_validate(each) for each in found.addresses],
        last_ping_at=found.last_ping_at,
        counts=[CountOut(**asdict(each)) for each in found.counts],
        **asdict(found.standing),
    )


@router.post(
    "/webhooks",
    summary="Cria ou troca o endereço",
    responses=_TAKES,
    openapi_extra=declared(AddressIn),
)
async def create(request: Request, actor: Caller) -> MadeOut:
    """Cria o endereço de uma empresa e o devolve uma única vez. Direitos: company.read e company.manage."""
    given, company = await _asked(request, actor, AddressIn)
    overlap = None if given.overlap_hours is None else timedelta(hours=given.overlap_hours)
    webhooks = _app(request).services.webhooks
    made = await (webhooks.rotate(actor, company, overlap) if given.rotate else webhooks.create(actor, company))
    return MadeOut(url=made.url.reveal(), prefix=made.address.prefix, ending=list(made.ending))


@router.get("/webhooks/events", summary="Lista eventos", responses=_READS)
async def events(
    request: Request,
    actor: Caller,
    company: Slug = None,
    status: EventStatus | None = None,
    topic: Annotated[str | None, Query(min_length=1, max_length=200, pattern=_TEXT)] = None,
    before: Annotated[str | None, Query(max_length=100, description="`next` da página anterior.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> Listing[EventOut]:
    """Devolve os eventos das empresas do token, do mais novo ao mais antigo. Direito: system.read."""
    app = _app(request)
    chosen = None if company is None else await app.companies.resolve(actor, company)
    page = await app.services.webhooks.list(
        actor, company=chosen, status=status, topic=topic, before=before, limit=limit
    )
    return Listing[EventOut](items=[EventOut(**asdict(each)) for each in page.items], next=page.next)


@router.post(
    "/webhooks/test",
    summary="Testa o caminho",
    responses=_TAKES,
    openapi_extra=declared(CompanyIn),
)
async def test(request: Request, actor: Caller) -> TrialOut:
    """Envia um teste e um evento marcado ao endereço desta instalação. Direitos: company.read e company.manage."""
    _, company = await _asked(request, actor, CompanyIn)
    return TrialOut(**asdict(await _app(request).services.webhook_trials.run(actor, company)))


@router.delete("/webhooks/{prefix}", summary="Revoga um endereço", responses=_READS)
async def revoke(
    request: Request, actor: Caller, prefix: Annotated[str, Path(max_length=12, pattern=_TEXT)]
) -> AddressOut:
    """Encerra um endereço na hora. Direito: company.manage."""
    return AddressOut.model_validate(await _app(request).services.webhooks.revoke(actor, prefix))


def _app(request: Request) -> App:
    app: App = request.app.state.control
    return app


async def _asked(request: Request, actor: Caller, shape: type[Asked]) -> tuple[Asked, Company]:
    """Read what is asked for, and of which company."""
    given = await read(request, shape)
    return given, await _app(request).companies.resolve(actor, given.company)
