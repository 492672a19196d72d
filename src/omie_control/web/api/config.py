"""`/config`: the configuration as the command line has it. Secrets go in and never come out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from omie_control.domain.configuration import KEYS
from omie_control.services.configuration import PAGE_MAX, Setting
from omie_control.web.api.bodies import Body, declared, read
from omie_control.web.api.callers import Caller
from omie_control.web.api.listings import Listing
from omie_control.web.api.problems import PREFIX, documented

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.configuration import Configurations

router = APIRouter(prefix=PREFIX, tags=["configuração"])
# A revision is a bigint of the database.
_MOST = 2**63 - 1
Revision = Annotated[int, Query(ge=0, le=_MOST)]
KeyName = Annotated[str, Path(min_length=1, max_length=100, examples=["omie.patience_seconds"])]


class SettingOut(BaseModel):
    """Uma chave e o que ela vale. De um segredo, `value` é ••• quando há um."""

    config_key: str
    config_type: str
    value: Any
    default: Any
    is_default: bool
    description: str
    description_en: str | None
    unit: str
    updated_at: datetime | None
    problem: str | None = Field(description="Por que o que está gravado não é usado.")


class ChangeOut(BaseModel):
    """Uma mudança; nulo antes ou depois: nada valia além do padrão."""

    revision: int
    config_key: str
    at: datetime
    changed_by: str
    before: Any
    after: Any


class DifferenceOut(BaseModel):
    """O que uma chave valia antes e depois; nulo: nada além do padrão."""

    config_key: str
    before: Any
    after: Any


class ValueIn(Body):
    """O valor novo de uma chave, como JSON ou como texto."""

    model_config = ConfigDict(json_schema_extra={"example": '{"value": 30}'})

    value: bool | int | float | Annotated[str, Field(max_length=4000)]


class RollbackIn(Body):
    """A revisão a que voltar; sem `key`, todas as chaves voltam."""

    model_config = ConfigDict(json_schema_extra={"example": '{"revision": 12, "key": "writes.enabled"}'})

    revision: Annotated[int, Field(ge=0, le=_MOST)]
    key: Annotated[str | None, Field(max_length=100)] = None


@router.get("/config", summary="Lista as chaves", responses=documented(401, 403, 429, 503))
async def list_(request: Request, actor: Caller) -> Listing[SettingOut]:
    """Devolve todas as chaves, com valor e padrão. Direito: config.read."""
    return Listing[SettingOut](items=[_out(each) for each in await _verbs(request).list(actor)])


@router.get("/config/history", summary="Histórico", responses=documented(401, 403, 404, 422, 429, 503))
async def history(
    request: Request,
    actor: Caller,
    key: Annotated[str | None, Query(min_length=1, max_length=100, description="Só esta chave.")] = None,
    before: Annotated[str | None, Query(max_length=20, description="`next` da página anterior.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> Listing[ChangeOut]:
    """Devolve quem mudou o quê e quando, da mudança mais nova à mais antiga. Direito: config.read."""
    found, cursor = await _verbs(request).history(actor, key, before=before, limit=limit)
    return Listing[ChangeOut](items=[ChangeOut(**asdict(each)) for each in found], next=cursor)


@router.get("/config/diff", summary="Diferença", responses=documented(401, 403, 404, 422, 429, 503))
async def diff(
    request: Request,
    actor: Caller,
    since: Revision,
    until: Annotated[int | None, Query(ge=0, le=_MOST, description="Sem ela: até agora.")] = None,
) -> Listing[DifferenceOut]:
    """Devolve o que mudou de uma revisão a outra; 0 é antes da primeira. Direito: config.read."""
    found = await _verbs(request).diff(actor, since, until)
    return Listing[DifferenceOut](items=[DifferenceOut(**asdict(each)) for each in found])


@router.post(
    "/config/rollback",
    summary="Volta a uma revisão",
    responses=documented(401, 403, 404, 409, 413, 422, 429, 503),
    openapi_extra=declared(RollbackIn),
)
async def roll_back(request: Request, actor: Caller) -> Listing[DifferenceOut]:
    """Volta ao que valia logo depois de uma revisão e devolve o que isso mudou. Direito: config.manage."""
    given = await read(request, RollbackIn)
    found = await _verbs(request).roll_back(actor, given.revision, given.key)
    return Listing[DifferenceOut](items=[DifferenceOut(**asdict(each)) for each in found])


@router.get("/config/{key}", summary="Uma chave", responses=documented(401, 403, 404, 422, 429, 503))
async def show(request: Request, actor: Caller, key: KeyName) -> SettingOut:
    """Devolve uma chave. Direito: config.read."""
    return _out(await _verbs(request).get(actor, key))


@router.put(
    "/config/{key}",
    summary="Muda uma chave",
    responses=documented(401, 403, 404, 409, 413, 422, 429, 503),
    openapi_extra=declared(ValueIn),
)
async def put(request: Request, actor: Caller, key: KeyName) -> SettingOut:
    """Põe um valor em vigor; em até 2 segundos todos os processos o usam. Direito: config.manage."""
    given = await read(request, ValueIn)
    return _out(await _verbs(request).set(actor, key, given.value))


@router.delete("/config/{key}", summary="Volta ao padrão", responses=documented(401, 403, 404, 409, 422, 429, 503))
async def unset(request: Request, actor: Caller, key: KeyName) -> SettingOut:
    """Tira o valor de vigor; o padrão volta a valer. Direito: config.manage."""
    return _out(await _verbs(request).unset(actor, key))


def _verbs(request: Request) -> Configurations:
    app: App = request.app.state.control
    return app.services.configurations


def _out(setting: Setting) -> SettingOut:
    key = KEYS.get(setting.config_key)
    return SettingOut(**asdict(setting), description_en=None if key is None else key.description_en)
