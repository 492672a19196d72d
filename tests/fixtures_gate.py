"""Gates for tests: over real servers, on Omie's limits scaled, and callers that send to the simulator through one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import redis.asyncio
from tests.conftest import TIMEZONE
from tests.fixtures_omie import OmieServer

from omie_control.domain.gate import Ask, Limits, Ticket, Verdict
from omie_control.errors import ControlError
from omie_control.omie.catalog import catalog
from omie_control.omie.client import OmieClient
from omie_control.omie.facts import FaultKind, facts_of
from omie_control.postgres.database import Postgres
from omie_control.postgres.gate import PostgresGate
from omie_control.services.gate import DoubleGate, Pace
from omie_control.valkey.connection import connect
from omie_control.valkey.gate import ValkeyGate

READ = "geral/clientes/ListarClientes"
WRITE = "geral/clientes/IncluirCliente"
KINDS = {
    FaultKind.REDUNDANT: Verdict.REFUSED_REDUNDANT,
    FaultKind.LOCKED: Verdict.REFUSED_BUSY,
    FaultKind.RATE: Verdict.REFUSED_RATE,
    FaultKind.MISUSE: Verdict.BLOCKED,
}


def ask(number: object = 0, **given: Any) -> Ask:
    """Make a read of a page of customers, another page for another number."""
    facts: dict[str, Any] = {
        "egress": "default",
        "app_key": "a1b2c3d4e5f60718",
        "endpoint": READ,
        "writes": False,
        "params_digest": hashlib.sha256(str(number).encode()).hexdigest(),
        "caller": "agent",
        "company": "acme",
    }
    return Ask(**{**facts, **given})


@dataclass
class House:
    """One process's gate, with its doors to both servers."""

    gate: DoubleGate
    postgres: Postgres
    redis: redis.asyncio.Redis


@asynccontextmanager
async def open_gate(
    app_url: str, valkey_url: str, limits: Limits | None = None, pace: Pace | None = None
) -> AsyncIterator[House]:
    """Open a gate as a process of ours does."""
    postgres = Postgres(app_url, timezone=TIMEZONE)
    await postgres.open()
    client = connect(valkey_url)
    gate = DoubleGate(ValkeyGate(client, limits), PostgresGate(postgres, limits), pace=pace)
    try:
        yield House(gate, postgres, client)
    finally:
        await gate.close()
        await client.aclose()
        await postgres.close()


async def pass_through(gate: DoubleGate, asked: Ask, verdict: Verdict = Verdict.DONE) -> Ticket:
    """Enter and leave at once."""
    ticket = await gate.enter(asked)
    await gate.leave(ticket, verdict)
    return ticket


async def send(gate: DoubleGate, server: OmieServer, client: OmieClient, asked: Ask, param: dict[str, Any]) -> Verdict:
    """Send one call as the way to Omie does: with a ticket, and its verdict given back."""
    ticket = await gate.enter(asked)
    verdict, seconds = Verdict.UNKNOWN, None
    service, _, call = asked.endpoint.rpartition("/")
    try:
        payload = await client.call(server.credentials, catalog().method(f"{service}/", call), param)
        verdict = Verdict.DONE if payload.fault_code is None else Verdict.FAULT
    except ControlError as error:
        facts = facts_of(error)
        if facts is not None:
            verdict, seconds = KINDS.get(facts.kind, Verdict.FAULT), facts.seconds
    finally:
        await gate.leave(ticket, verdict, seconds)
    return verdict


def page(number: int) -> dict[str, Any]:
    """Give the parameters of a page that exists; each number is another call for the redundancy rule."""
    days, size = divmod(number, 100)
    since = date(2020, 1, 1) + timedelta(days=days)
    return {"pagina": 1, "registros_por_pagina": size + 1, "filtrar_por_data_de": f"{since:%d/%m/%Y}"}


async def read_pages(
    gate: DoubleGate, server: OmieServer, client: OmieClient, numbers: range, workers: int, **given: Any
) -> list[Verdict]:
    """Read pages with so many workers at once."""
    todo = iter(numbers)
    seen: list[Verdict] = []

    async def work() -> None:
        for number in todo:
            seen.append(await send(gate, server, client, ask(number, **given), page(number)))

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    return seen
