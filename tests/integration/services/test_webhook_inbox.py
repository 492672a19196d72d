"""The inbox applies what was taken: in order, once, by whoever is free, also after Valkey was away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.conftest import Database, secret_part
from tests.integration.services.conftest import APP_KEY, APP_SECRET, OWNER, STRANGER, audited
from tests.mcp_serving import settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.domain.executions import Origin
from omie_control.domain.webhooks import LONGEST_OVERLAP, EventStatus
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound
from omie_control.services import webhook_inbox
from omie_control.services.webhook_inbox import WebhookInbox
from omie_control.services.webhooks import MadeAddress

HERE = Origin("web")


class Cache:
    """Hears what is old, unless it is away; holds whoever tells it until it is let go."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.is_away = False
        self.is_asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def changed(self, company: Any, services: Any) -> bool:
        self.is_asked.set()
        await self.gate.wait()
        if not self.is_away:
            self.heard.append(tuple(services))
        return not self.is_away


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as opened:
        yield opened


@pytest.fixture
async def company(app: App) -> Company:
    return await app.companies.add(OWNER, "padaria", "Padaria do João", APP_KEY, APP_SECRET)


@pytest.fixture
def cache() -> Cache:
    return Cache()


@pytest.fixture
def inbox(app: App, cache: Cache) -> WebhookInbox:
    return WebhookInbox(app.db.postgres, app.services.keys, app.companies, cache)  # type: ignore[arg-type]


@pytest.fixture
async def made(app: App, company: Company) -> MadeAddress:
    return await app.services.webhooks.create(OWNER, company)


async def bring(inbox: WebhookInbox, made: MadeAddress, topic: str, message_id: str, key: str = APP_KEY) -> None:
    body = {"messageId": message_id, "topic": topic, "appKey": key, "event": {}}
    await inbox.take(made.address, json.dumps(body).encode(), HERE)


async def stands(conn: asyncpg.Connection) -> list[tuple[str, str, int]]:
    rows = await conn.fetch("select message_id, status, attempts from webhook_events order by received_at, id")
    return [tuple(row) for row in rows]


async def test_what_waits_is_applied_together_and_once(
    inbox: WebhookInbox, made: MadeAddress, cache: Cache, conn: asyncpg.Connection
) -> None:
    for number, topic in enumerate(("Projeto.Incluido", "Assunto.Novo", "Vendedor.Alterado", "Projeto.Alterado")):
        await bring(inbox, made, topic, f"m-{number}")
    assert await inbox.apply() == 4
    assert cache.heard == [("geral/projetos/", "geral/vendedores/")]
    assert [row[1] for row in await stands(conn)] == ["applied", "ignored", "applied", "applied"]
    assert await inbox.apply() == 0
    assert len(cache.heard) == 1


async def test_a_company_is_worked_on_by_one_at_a_time_and_others_are_not_held_up(
    app: App, inbox: WebhookInbox, made: MadeAddress, cache: Cache
) -> None:
    other = await app.companies.add(OWNER, "oficina", "Oficina", "9876543210", APP_SECRET)
    theirs = await app.services.webhooks.create(OWNER, other)
    await bring(inbox, made, "Projeto.Incluido", "m-1")
    cache.gate.clear()
    first = asyncio.create_task(inbox.apply())
    async with asyncio.timeout(60):
        # It holds the company, and has read what it will apply.
        await cache.is_asked.wait()
    await bring(inbox, made, "Vendedor.Alterado", "m-2")
    await bring(inbox, theirs, "Departamento.Alterado", "m-3", "9876543210")
    free = Cache()
    second = WebhookInbox(app.db.postgres, app.services.keys, app.companies, free)  # type: ignore[arg-type]
    assert await second.apply() == 1
    assert free.heard == [("geral/departamentos/",)]
    cache.gate.set()
    # Whoever held the company finds what came meanwhile.
    assert await first == 2
    assert cache.heard == [("geral/projetos/",), ("geral/vendedores/",)]


async def test_while_the_cache_is_away_events_wait_and_after_a_day_there_is_nothing_left_to_make_old(
    inbox: WebhookInbox,
    made: MadeAddress,
    cache: Cache,
    conn: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert webhook_inbox._REST_SECONDS < 60
    monkeypatch.setattr(webhook_inbox, "_REST_SECONDS", 3600.0)
    cache.is_away = True
    for message in ("m-old", "m-new"):
        await bring(inbox, made, "Projeto.Incluido", message)
    await conn.execute(
        "update webhook_events set received_at = received_at - interval '25 hours' where message_id = 'm-old'"
    )
    assert await inbox.apply() == 0
    assert await stands(conn) == [("m-old", "failed", 1), ("m-new", "received", 1)]
    error = await conn.fetchval("select error from webhook_events where message_id = 'm-new'")
    assert "Valkey" in error
    # Not again before it has rested.
    assert await inbox.apply() == 0
    assert (await stands(conn))[1] == ("m-new", "received", 1)
    cache.is_away = False
    await conn.execute("update webhook_events set tried_at = tried_at - interval '1 hour'")
    assert await inbox.apply() == 1
    assert (await stands(conn))[1] == ("m-new", "applied", 2)


async def test_the_status_counts_what_came_and_what_waits(
    app: App, inbox: WebhookInbox, made: MadeAddress, company: Company
) -> None:
    await bring(inbox, made, "Projeto.Incluido", "m-1")
    await bring(inbox, made, "Projeto.Incluido", "m-1")
    status = await app.services.webhooks.status(OWNER, company)
    assert (status.standing.waiting, status.standing.failed, status.standing.last_topic) == (1, 0, "Projeto.Incluido")
    assert status.standing.lag_seconds is not None
    [count] = status.counts
    assert (count.topic, count.status, count.events, count.deliveries) == (
        "Projeto.Incluido",
        EventStatus.RECEIVED,
        1,
        2,
    )
    await inbox.apply()
    assert (await app.services.webhooks.status(OWNER, company)).standing.lag_seconds is None


async def test_events_are_listed_by_pages_and_filters_and_only_to_whom_may_see_them(
    app: App, inbox: WebhookInbox, made: MadeAddress, company: Company
) -> None:
    for number in range(5):
        await bring(inbox, made, "Projeto.Incluido" if number % 2 else "Assunto.Novo", f"m-{number}")
        # Ids of one millisecond have no order.
        await asyncio.sleep(0.002)
    await inbox.apply()
    webhooks = app.services.webhooks
    seen, cursor = [], None
    while True:
        page = await webhooks.list(OWNER, before=cursor, limit=2)
        seen += [each.message_id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["m-4", "m-3", "m-2", "m-1", "m-0"]
    ignored = await webhooks.list(OWNER, company=company, status=EventStatus.IGNORED)
    assert {each.topic for each in ignored.items} == {"Assunto.Novo"}
    assert len((await webhooks.list(OWNER, topic="Projeto.Incluido")).items) == 2
    with pytest.raises(NotFound):
        await webhooks.list(OWNER, before="nada")
    nobody = Actor(ActorKind.TOKEN, "de-fora", Role.VIEWER, companies=frozenset())
    assert (await webhooks.list(nobody)).items == []


async def test_a_stranger_is_refused_everything_and_the_audit_says_so(
    app: App, company: Company, made: MadeAddress, conn: asyncpg.Connection
) -> None:
    webhooks, helper = app.services.webhooks, Actor(ActorKind.TOKEN, "ajudante", Role.AGENT)
    for actor in (STRANGER, helper):
        for verb in (webhooks.create, webhooks.rotate, app.services.webhook_trials.run):
            with pytest.raises(Forbidden):
                await verb(actor, company)
        with pytest.raises(Forbidden):
            await webhooks.revoke(actor, made.address.prefix)
    with pytest.raises(Forbidden):
        await webhooks.status(STRANGER, company)
    assert len(await audited(conn, "company.manage", "refused")) == 8


async def test_an_address_of_another_company_is_not_there(app: App, company: Company, made: MadeAddress) -> None:
    other = await app.companies.add(OWNER, "oficina", "Oficina", "9876543210", APP_SECRET)
    theirs = Actor(ActorKind.TOKEN, "dela", Role.ADMIN, companies=frozenset({other.id}))
    with pytest.raises(NotFound):
        await app.services.webhooks.revoke(theirs, made.address.prefix)
    with pytest.raises(NotFound):
        await app.services.webhooks.revoke(OWNER, made.address.prefix, other)


async def test_addresses_are_made_replaced_and_revoked_with_their_traces(
    app: App, company: Company, made: MadeAddress, conn: asyncpg.Connection
) -> None:
    webhooks = app.services.webhooks
    with pytest.raises(Conflict, match="já tem"):
        await webhooks.create(OWNER, company)
    for wrong in (-timedelta(seconds=1), LONGEST_OVERLAP + timedelta(seconds=1)):
        with pytest.raises(InvalidInput):
            await webhooks.rotate(OWNER, company, wrong)
    # Addresses of one millisecond have no order.
    await asyncio.sleep(0.002)
    second = await webhooks.rotate(OWNER, company, None)
    assert second.ending == (made.address.prefix,)
    await asyncio.sleep(0.002)
    third = await webhooks.rotate(OWNER, company)
    held = (await webhooks.status(OWNER, company)).addresses
    assert [each.prefix for each in held] == [third.address.prefix, second.address.prefix, made.address.prefix]
    until = held[1].expires_at
    assert until is not None
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
    for each in held:
        # Whoever gives the whole secret names it by its beginning all the same, and no trace holds more.
        await webhooks.revoke(OWNER, second.url.reveal() if each.prefix == second.address.prefix else each.prefix)
    with pytest.raises(Conflict, match="revogado"):
        await webhooks.revoke(OWNER, made.address.prefix)
    with pytest.raises(Conflict, match="Não há"):
        await webhooks.rotate(OWNER, company)
    rows = await conn.fetch("select * from audit_events where object_type = 'webhook_address' order by at, id")
    assert [row["action"] for row in rows] == ["webhook.created", *["webhook.rotated"] * 2, *["webhook.revoked"] * 3]
    text = str([dict(row) for row in rows]) + str(await conn.fetch("select * from webhook_addresses"))
    assert not any(secret_part(each.url.reveal()) in text for each in (made, second, third))


async def test_a_company_keeps_few_addresses_at_once(app: App, company: Company, made: MadeAddress) -> None:
    for _ in range(4):
        await app.services.webhooks.rotate(OWNER, company, None)
    with pytest.raises(Conflict, match="5 endereços"):
        await app.services.webhooks.rotate(OWNER, company, None)


async def test_two_who_create_at_once_make_one_address(app: App, company: Company) -> None:
    results = await asyncio.gather(
        *(app.services.webhooks.create(OWNER, company) for _ in range(6)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in results) == ["Conflict"] * 5 + ["MadeAddress"]
