"""Omie posts to a company's secret address: what is acknowledged is kept, what is not ours is turned away."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from tests.conftest import Database, eventually, secret_part
from tests.integration.web.conftest import PATIENCE_SECONDS, SYSTEM, House

from omie_control.domain.actors import Role
from omie_control.domain.companies import Company
from omie_control.domain.webhooks import EventStatus, WebhookEvent
from omie_control.omie.webhooks import BODY_MAX_BYTES
from omie_control.services import audit_samples, guesses, webhook_trials
from omie_control.services.webhook_inbox import WebhookInbox
from omie_control.services.webhooks import PATH
from omie_control.telemetry import Event, subscribe

pytestmark = pytest.mark.asyncio(loop_scope="session")
APP_KEY = "1234567890"
ANA = "529.982.247-25"


@pytest_asyncio.fixture(loop_scope="session")
async def company(fresh_house: House) -> Company:
    return await fresh_house.app.companies.add(SYSTEM, "padaria", "Padaria", APP_KEY, "a" * 32)


@pytest_asyncio.fixture(loop_scope="session")
async def path(fresh_house: House, company: Company) -> str:
    made = await fresh_house.app.services.webhooks.create(SYSTEM, company)
    return PATH + made.url.reveal().rpartition("/")[2]


def event(**more: Any) -> dict[str, Any]:
    """An event as Omie's documentation shows it, with made-up values."""
    return {
        "messageId": str(uuid4()),
        "topic": "ClienteFornecedor.Alterado",
        "event": {"codigo_cliente_omie": 5500000001, "cnpj_cpf": ANA, "email": "ana@exemplo.com.br"},
        "author": {"email": "pessoa@example.com", "name": "Pessoa Teste", "userId": 1},
        "appKey": APP_KEY,
        "appHash": "acme-abc123",
        "origin": "omie-connect-2.0",
        **more,
    }


async def post(house: House, path: str, body: Any, **more: Any) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx2.AsyncClient(base_url=house.url, timeout=PATIENCE_SECONDS) as omie:
        return await omie.post(path, content=content, headers={"Content-Type": "application/json"}, **more)


async def events(house: House) -> list[WebhookEvent]:
    return list((await house.app.services.webhooks.list(SYSTEM)).items)


async def settled(house: House) -> list[WebhookEvent]:
    """Wait until nothing waits any more."""
    found: list[WebhookEvent] = []

    async def is_done() -> bool:
        found[:] = await events(house)
        return bool(found) and all(each.status is not EventStatus.RECEIVED for each in found)

    await eventually(is_done)
    return found


async def row(database: Database, query: str) -> asyncpg.Record:
    connection = await asyncpg.connect(database.owner_url)
    try:
        found = await connection.fetchrow(query)
        assert found is not None
        return found
    finally:
        await connection.close()


async def test_an_event_is_kept_masked_and_sealed_and_applied(
    fresh_house: House, path: str, database: Database
) -> None:
    answer = await post(fresh_house, path, event())
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    [kept] = await settled(fresh_house)
    assert (kept.topic, kept.status, kept.company) == ("ClienteFornecedor.Alterado", EventStatus.APPLIED, "padaria")
    assert kept.author is not None
    assert "pessoa@" not in kept.author
    stored = await row(database, "select *, body::text as text from webhook_events")
    # Whole, or with its dots: the body holds identifiers, where any three digits stand once in a while.
    for secret in (ANA, "529.", "52998224725", "ana@", "pessoa@", APP_KEY):
        assert secret not in stored["text"], stored["text"]
    assert stored["sealed"] is not None
    assert len(stored["document_hashes"]) == 8


async def test_a_message_that_comes_again_counts_once(fresh_house: House, path: str) -> None:
    same = event(messageId="m-1")
    answers = await asyncio.gather(*(post(fresh_house, path, same) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    [kept] = await settled(fresh_house)
    assert (kept.message_id, kept.deliveries) == ("m-1", 8)


async def test_without_a_message_id_the_same_body_counts_once(fresh_house: House, path: str) -> None:
    nameless = event()
    del nameless["messageId"]
    for body in (nameless, nameless, {**nameless, "topic": "ClienteFornecedor.Excluido"}):
        assert (await post(fresh_house, path, body)).status_code == 200
    assert sorted(each.deliveries for each in await settled(fresh_house)) == [1, 2]


async def test_a_ping_is_answered_and_noted(fresh_house: House, path: str, company: Company) -> None:
    status = await fresh_house.app.services.webhooks.status(SYSTEM, company)
    assert status.last_ping_at is None
    assert (await post(fresh_house, path, {"ping": "omie"})).status_code == 200
    status = await fresh_house.app.services.webhooks.status(SYSTEM, company)
    assert status.last_ping_at is not None
    assert await events(fresh_house) == []


async def test_an_array_of_settlements_and_an_unknown_topic_are_kept(fresh_house: House, path: str) -> None:
    settlement = {"codigo_baixa": 7, "conta_a_receber": [{"codigo_lancamento_omie": 1}], "valor": 10.5}
    topic = "Financas.ContaReceber.BaixaRealizada"
    assert (await post(fresh_house, path, event(topic=topic, event=[settlement]))).status_code == 200
    assert (await post(fresh_house, path, event(topic="Assunto.Novo"))).status_code == 200
    assert {each.topic: each.status for each in await settled(fresh_house)} == {
        topic: EventStatus.APPLIED,
        "Assunto.Novo": EventStatus.IGNORED,
    }


MALFORMED = (
    b"",
    b"{",
    b"[]",
    b"nada",
    b'{"a":' * 100 + b"1" + b"}" * 100,
    b'{"topic":"ClienteFornecedor.Alterado"}',
    b'{"topic":7,"appKey":"1234567890"}',
    b'{"topic":" ","appKey":"1234567890"}',
    b'{"topic":"A.B","appKey":null}',
    b'{"ping":"outro"}',
    b"\xff\xfe\x00",
)
ODD: tuple[dict[str, Any], ...] = (
    {"messageId": "a\x00b"},
    {"messageId": "\ud800"},
    {"messageId": "m" * 5000},
    {"messageId": 10**30},
    {"topic": "Cliente\x00Fornecedor." + "x" * 5000},
    {"origin": {"a": [1]}},
    {"author": "alguém"},
    {"author": {"email": 7}},
    {"event": None},
    {"event": {"v": 10**400}},
    {"event": {"a\x00b": "\ud800"}},
)


async def test_what_is_no_event_is_refused_and_repeated_nowhere(fresh_house: House, path: str) -> None:
    for body in MALFORMED:
        answer = await post(fresh_house, path, body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]["message"] == "O corpo não é um evento de webhook do Omie."
    assert await events(fresh_house) == []


async def test_an_odd_event_is_kept_nevertheless_for_omie_would_bring_it_for_ever(
    fresh_house: House, path: str
) -> None:
    for odd in ODD:
        assert (await post(fresh_house, path, event(**odd))).status_code == 200, odd
    assert len(await settled(fresh_house)) == len(ODD)


async def test_a_body_beyond_the_cap_is_refused_announced_or_not(fresh_house: House, path: str) -> None:
    big = event(event={"texto": "a" * (BODY_MAX_BYTES // 2)})
    assert (await post(fresh_house, path, big)).status_code == 200
    assert (await post(fresh_house, path, b"a" * (BODY_MAX_BYTES + 1))).status_code == 413

    async def drip() -> Any:
        for _ in range(20):
            yield b"a" * (BODY_MAX_BYTES // 16)

    async with httpx2.AsyncClient(base_url=fresh_house.url, timeout=PATIENCE_SECONDS) as omie:
        assert (await omie.post(path, content=drip())).status_code == 413
    assert len(await events(fresh_house)) == 1


async def test_an_event_of_another_application_is_refused_and_kept_in_the_audit(
    fresh_house: House, path: str, company: Company, database: Database
) -> None:
    answer = await post(fresh_house, path, event(appKey="9999999999"))
    assert answer.status_code == 403
    assert await events(fresh_house) == []
    kept = await row(database, "select * from audit_events where action = 'webhook.refused'")
    assert (kept["outcome"], kept["company_id"]) == ("refused", company.id)
    assert path.rpartition("/")[2] not in str(dict(kept))


async def test_an_unknown_address_is_no_page_at_all_and_guessing_is_slowed_down(
    fresh_house: House, path: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may take more than a minute over so many.
    monkeypatch.setattr(guesses, "_MINUTE", 3600.0)
    monkeypatch.setattr(audit_samples, "_SPAN_SECONDS", 3600.0)
    nowhere = await post(fresh_house, "/nada", event())
    for wrong in ("x", "omw_aaaaaaaa_" + "a" * 43, path.rpartition("/")[2][:-1]):
        answer = await post(fresh_house, PATH + wrong, event())
        assert (answer.status_code, answer.content) == (404, nowhere.content)
    assert (await post(fresh_house, path, event())).status_code == 200
    statuses = [(await post(fresh_house, PATH + "x", event())).status_code for _ in range(70)]
    assert statuses[-1] == 429
    # Whoever has the right secret is not slowed down by others behind the same address.
    assert (await post(fresh_house, path, event())).status_code == 200
    kept = await row(database, "select count(*) from audit_events where action = 'webhook.refused'")
    assert kept["count"] == 1


async def test_a_foreign_host_or_origin_is_refused(fresh_house: House, path: str) -> None:
    async with httpx2.AsyncClient(base_url=fresh_house.url, timeout=PATIENCE_SECONDS) as omie:
        assert (await omie.post(path, json=event(), headers={"Host": "evil.example"})).status_code == 421
        assert (await omie.post(path, json=event(), headers={"Origin": "http://evil.example"})).status_code == 403
        assert (await omie.get(path)).status_code == 405
    assert await events(fresh_house) == []


async def test_an_address_ends_with_its_company_its_revocation_and_its_overlap(
    fresh_house: House, path: str, company: Company
) -> None:
    webhooks = fresh_house.app.services.webhooks
    second = await webhooks.rotate(SYSTEM, company)
    newer = PATH + second.url.reveal().rpartition("/")[2]
    for each in (path, newer):
        assert (await post(fresh_house, each, event())).status_code == 200
    await webhooks.revoke(SYSTEM, path.rpartition("/")[2][:12])
    assert (await post(fresh_house, path, event())).status_code == 404
    await fresh_house.app.companies.deactivate(SYSTEM, company.slug)
    assert (await post(fresh_house, newer, event())).status_code == 404


async def test_a_program_makes_tests_and_ends_an_address(
    fresh_house: House, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh_house.app.services.webhooks, "base_url", fresh_house.url)
    for patience in ("_ANSWER_SECONDS", "_APPLY_SECONDS"):
        monkeypatch.setattr(webhook_trials, patience, PATIENCE_SECONDS)
    _, text = await fresh_house.app.tokens.create(SYSTEM, "programa", Role.ADMIN)
    base, headers = fresh_house.url + "/api/v1", {"Authorization": f"Bearer {text}"}
    async with httpx2.AsyncClient(base_url=base, headers=headers, timeout=PATIENCE_SECONDS) as program:
        made = (await program.post("/webhooks", json={"company": "padaria"})).json()
        assert made["url"].startswith(f"{fresh_house.url}{PATH}{made['prefix']}_")
        assert (await program.post("/webhooks", json={"company": "padaria"})).status_code == 409
        assert (await post(fresh_house, made["url"], event())).status_code == 200
        tested = (await program.post("/webhooks/test", json={})).json()
        assert tested["problem"] is None
        listed = (await program.get("/webhooks/events", params={"limit": 1})).json()
        assert [each["topic"] for each in listed["items"]] == ["OmieControl.Teste"]
        older = (await program.get("/webhooks/events", params={"before": listed["next"]})).json()
        assert [each["topic"] for each in older["items"]] == ["ClienteFornecedor.Alterado"]
        swapped = (await program.post("/webhooks", json={"rotate": True, "overlap_hours": None})).json()
        assert swapped["ending"] == [made["prefix"]]
        status = (await program.get("/webhooks")).json()
        assert {each["prefix"] for each in status["addresses"]} == {made["prefix"], swapped["prefix"]}
        assert all(secret_part(made["url"]) not in each for each in (str(status), str(listed)))
        assert (await program.delete(f"/webhooks/{made['prefix']}")).status_code == 200
        assert (await program.delete(f"/webhooks/{made['prefix']}")).status_code == 409
    assert (await post(fresh_house, made["url"], event())).status_code == 404


async def test_what_nobody_foresaw_is_told_without_the_secret(
    fresh_house: House, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    told: list[dict[str, Any]] = []
    leave = subscribe(lambda what, facts: told.append({"event": what, **facts}))
    monkeypatch.setattr(WebhookInbox, "take", explode)
    try:
        assert (await post(fresh_house, path, event())).status_code == 500
    finally:
        leave()
    [failed] = [each for each in told if each["event"] is Event.REQUEST_FAILED]
    assert failed["path"] == f"{PATH}•••"
    assert secret_part(path) not in str(told) + caplog.text
