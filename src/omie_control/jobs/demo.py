"""Gentle traffic on the demonstration company, so that a newcomer sees the system live at once.

It varies its questions, since Omie refuses the same one twice within a minute; and now and then it asks for a
customer that does not exist, since a system that never fails teaches nothing.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from omie_control.app import App
from omie_control.domain.actors import SYSTEM, Actor, ActorKind
from omie_control.domain.companies import Company
from omie_control.domain.executions import Category, Complexity, Origin, Status
from omie_control.errors import ControlError
from omie_control.omie.catalog import catalog
from omie_control.services.endings import outcome_of
from omie_control.services.executions import Outcome, Request
from omie_control.services.loops import Loop
from omie_control.services.write_keys import marked

EVERY = timedelta(seconds=4)
DEMO_ACTOR = Actor(ActorKind.SYSTEM, "demonstracao", SYSTEM.role)
_SESSION = "demonstracao"
# Customers that the simulator has from its start.
_FIRST_CUSTOMER = 5_500_000_001
_CUSTOMERS = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the demonstration, under the name of the tool that an agent would use."""

    process_type: str
    call: str
    param: dict[str, Any]
    writes: bool = False
    complexity: Complexity = Complexity.BASICA


class DemoTraffic(Loop):
    """One small call every few seconds on the demonstration company, while there is one."""

    name = "demo"

    def __init__(self, app: App) -> None:
        super().__init__(EVERY)
        self._app = app
        self._steps = steps(random.Random())  # noqa: S311 - variety, not secrecy

    async def turn(self) -> None:
        """Make the next call and record it like any other."""
        company = await self._app.companies.demo()
        if company is not None:
            await self._make(company, next(self._steps))

    async def _make(self, company: Company, step: Step) -> None:
        request = Request(
            step.process_type,
            {"empresa": company.slug, **step.param},
            DEMO_ACTOR,
            Origin("demo", user_agent="omie-control/demo", session_id=_SESSION),
            company=company.id,
            writes=step.writes,
            category=Category.COMERCIAL,
            complexity=step.complexity,
            idempotency_key=marked(None) if step.writes else None,
        )
        handle = await self._app.executions.start(request)
        try:
            method = catalog().method("geral/clientes/", step.call)
            payload = await self._app.calls.run(handle, company, method, step.param)
        except ControlError as error:
            await self._app.executions.finish(handle, outcome_of(handle, error))
        except BaseException as error:
            await self._app.executions.finish(handle, outcome_of(handle, error))
            raise
        else:
            await self._app.executions.finish(handle, Outcome(Status.COMPLETED, response=payload.data))


def steps(chance: random.Random) -> Iterator[Step]:
    """Yield the demonstration's calls, endlessly: mostly pages, some single customers, a rare miss and a rare write."""
    for number in itertools.count(chance.randrange(1000)):
        match number % 20:
            case 3 | 9 | 17:
                # Between two misses, so that the breaker never opens: it would refuse the newcomer's own questions.
                known = _FIRST_CUSTOMER + number % _CUSTOMERS
                yield Step("consultar_cliente_por_codigo", "ConsultarCliente", {"codigo_cliente_omie": known})
            case 7:
                code = f"NAO-EXISTE-{number}"
                yield Step("consultar_cliente_por_codigo", "ConsultarCliente", {"codigo_cliente_integracao": code})
            case 13:
                customer = _customer(number, chance)
                yield Step("incluir_cliente", "IncluirCliente", customer, True, Complexity.INTERMEDIARIA)
            case _:
                size = 5 + number % 40
                yield Step(
                    "consultar_clientes",
                    "ListarClientes",
                    {"pagina": 1 + number % 3, "registros_por_pagina": size},
                    complexity=Complexity.INTERMEDIARIA,
                )


def _customer(number: int, chance: random.Random) -> dict[str, Any]:
    code = f"DEMO-{number}-{chance.randrange(10**6)}"
    return {
        "codigo_cliente_integracao": code,
        "razao_social": f"Cliente de Demonstração {number} Ltda",
        "nome_fantasia": f"Demonstração {number}",
        "email": f"contato{number}@exemplo.com.br",
    }
