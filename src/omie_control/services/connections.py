"""Does a company's Omie answer? One cheap read, recorded like any other call."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

from omie_control.domain.actors import Actor
from omie_control.domain.companies import Company
from omie_control.domain.executions import Category, Complexity, Origin, Status
from omie_control.domain.gate import Why
from omie_control.errors import ControlError, OmieBusy
from omie_control.omie.catalog import catalog
from omie_control.services.calls import OmieCalls
from omie_control.services.companies import Companies
from omie_control.services.endings import outcome_of
from omie_control.services.executions import Executions, Handle, Outcome, Request

PROCESS_TYPE = "testar_conexao"
_FROM_HERE = Origin("cli")
_SIZES = 50
_TRIES = 5


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What a test of a company's credentials found; `message` says what to do when it failed, `error` what kept it."""

    company: str
    is_connected: bool
    message: str
    execution_id: str
    error: ControlError | None = None


class Connections:
    """Tests companies' connections."""

    def __init__(self, companies: Companies, executions: Executions, calls: OmieCalls) -> None:
        self._companies = companies
        self._executions = executions
        self._calls = calls
        # Omie answers the same question once a minute, and whoever mends a wrong secret tests again at once.
        first = random.randrange(_SIZES)  # noqa: S311 - so that two processes rarely ask alike, not secrecy
        self._sizes = itertools.cycle([*range(first + 1, _SIZES + 1), *range(1, first + 1)])

    async def test(self, actor: Actor, slug: str | None, origin: Origin = _FROM_HERE) -> ConnectionTest:
        """Read some customers of the company, from Omie itself. Raises only when the test itself could not be made."""
        company = await self._companies.resolve(actor, slug)
        request = Request(
            PROCESS_TYPE,
            {"empresa": company.slug},
            actor,
            origin,
            company=company.id,
            writes=False,
            category=Category.SISTEMA,
            complexity=Complexity.BASICA,
        )
        handle = await self._executions.start(request)
        try:
            await self._ask(handle, company)
        except ControlError as error:
            await self._executions.finish(handle, outcome_of(handle, error))
            return ConnectionTest(company.slug, False, error.for_people(), handle.execution_id, error)
        except BaseException as error:
            await self._executions.finish(handle, outcome_of(handle, error))
            raise
        await self._executions.finish(handle, Outcome(Status.COMPLETED, response={"conectada": True}))
        return ConnectionTest(company.slug, True, "O Omie respondeu e aceitou as credenciais.", handle.execution_id)

    async def _ask(self, handle: Handle, company: Company) -> None:
        """Read a page of customers. Where somebody has just asked the very same, another size is another question."""
        method = catalog().method("geral/clientes/", "ListarClientes")
        for left in reversed(range(_TRIES)):
            try:
                await self._calls.look(
                    handle, company, method, {"pagina": 1, "registros_por_pagina": next(self._sizes)}
                )
                return
            except OmieBusy as error:
                if error.code != Why.REDUNDANT.error_code or not left:
                    raise
