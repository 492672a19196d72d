"""The warmer: the small tables that every form needs are at hand before somebody asks."""

from __future__ import annotations

from omie_control.app import App
from omie_control.domain.actors import SYSTEM
from omie_control.domain.companies import Company
from omie_control.domain.executions import Category, Complexity, Origin, Status
from omie_control.omie.catalog import catalog
from omie_control.services.endings import outcome_of
from omie_control.services.executions import Outcome, Request

PROCESS_TYPE = "aquecer_tabelas"


async def warm(app: App) -> None:
    """Read the small tables of every real company; the demonstration's Omie knows few of them."""
    for company in await app.companies.list(SYSTEM):
        if company.is_active and not company.is_demo:
            await _warm(app, company)


async def _warm(app: App, company: Company) -> None:
    request = Request(
        PROCESS_TYPE,
        {"empresa": company.slug},
        SYSTEM,
        Origin("job"),
        company=company.id,
        writes=False,
        category=Category.SISTEMA,
        complexity=Complexity.BASICA,
    )
    handle = await app.executions.start(request)
    try:
        pages = await app.services.answers.warm(
            company, catalog(), lambda method, param: app.calls.look(handle, company, method, param)
        )
    except BaseException as error:
        await app.executions.finish(handle, outcome_of(handle, error))
        raise
    await app.executions.finish(handle, Outcome(Status.COMPLETED, response={"paginas": pages}))
