"""A person is found by keyed hash, reported, held, erased for good, and erased again after a restore."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.conftest import Database
from tests.integration.services.conftest import APP_KEY, APP_SECRET, OWNER, STRANGER, audited

from omie_control.app import App, open_app
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.domain.erasures import PersonMark, documents_in
from omie_control.domain.executions import Origin, Status, uuid7
from omie_control.domain.sealing import canonical, seal
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound
from omie_control.omie.protocol import Payload
from omie_control.postgres import erasures as store
from omie_control.services.executions import Outcome, Request
from omie_control.services.seals_checkpoints import Checkpoints
from omie_control.services.seals_keys import SealKeys
from omie_control.services.seals_verifier import Verifier
from omie_control.services.write_keys import aad, open_part, seal_answer
from omie_control.settings import Settings

ANA, BIA = "529.982.247-25", "111.444.777-35"
FIRM = "11.222.333/0001-81"
WHY = "pedido da titular"


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(database.app_url),
        database_owner_url=SecretStr(database.owner_url),
        valkey_url=SecretStr(valkey_url),
    )
    async with open_app(settings, kind="serve") as opened:
        yield opened


@pytest.fixture
async def company(app: App) -> Company:
    return await app.companies.add(OWNER, "padaria", "Padaria do João", APP_KEY, APP_SECRET)


async def ran(app: App, company: Company | None, response: Any, *, input: Any = None, **more: Any) -> str:
    """Record an execution as a tool does."""
    request = Request("consultar_clientes", input or {}, OWNER, company=None if company is None else company.id, **more)
    handle = await app.executions.start(request)
    await app.executions.finish(handle, Outcome(Status.COMPLETED, response))
    return handle.execution_id


def client(document: str, **more: Any) -> dict[str, Any]:
    return {"clientes_cadastro": [{"cnpj_cpf": document, "razao_social": "Fulana", **more}]}


async def names(app: App, document: str, **more: Any) -> set[str]:
    report = await app.services.erasures.report(OWNER, document, **more)
    return {found.owner.execution_id for found in report.executions if found.owner is not None}


def tells_nothing_of_ana(text: str) -> bool:
    """Say that no recognisable part of the document stands in it.

    Never asked of few bare digits: a hash, an identifier or an instant holds any six once in a while.
    """
    return not any(part in text for part in ("529.982", "982.247", ".247-25", "529982247", "998224725"))


async def test_a_report_names_executions_and_fields_and_no_value(app: App, company: Company, conn: Any) -> None:
    of_ana = await ran(app, company, client(ANA, email="ana@exemplo.com.br"))
    in_text = await ran(app, None, {"obs": f"pagar a {ANA} hoje"}, input={"filtro": {"cnpj_cpf": "52998224725"}})
    await ran(app, company, client(BIA))
    report = await app.services.erasures.report(OWNER, ANA)
    assert {found.owner.execution_id: found.places for found in report.executions if found.owner} == {
        of_ana: ("response.clientes_cadastro[0].cnpj_cpf",),
        in_text: ("input.filtro.cnpj_cpf", "response.obs"),
    }
    assert tells_nothing_of_ana(repr(report))
    (row,) = await audited(conn, "person.reported")
    assert row["object_id"] == report.person
    assert await names(app, ANA, company=company.id) == {of_ana}


async def test_an_erasure_takes_the_bodies_and_leaves_the_seals_whole(app: App, company: Company, conn: Any) -> None:
    of_ana, of_both = await ran(app, company, client(ANA)), await ran(app, company, [client(ANA), client(BIA)])
    of_bia = await ran(app, company, client(BIA))
    while await app.services.seals.turn():
        pass
    done = await app.services.erasures.erase(OWNER, ANA, WHY)
    assert (done.executions, done.left, done.has_forgotten_answers) == (2, 0, True)
    assert await names(app, ANA) == set()
    for name in (of_ana, of_both):
        with pytest.raises(NotFound):
            await app.services.bodies.reveal(OWNER, name)
        kept = await app.executions.get(OWNER, name)
        assert "***.982.247-**" in str(kept.response_data)
    assert (await app.services.bodies.reveal(OWNER, of_bia))["response"] == client(BIA)
    (row,) = await audited(conn, "person.erased")
    assert row["detail"] == WHY
    assert tells_nothing_of_ana(str(dict(row)))
    seal_keys, checkpoints = SealKeys(app.db.postgres, app.services.keys), Checkpoints(app.settings.home)
    verifier = Verifier(app.db.postgres, seal_keys, checkpoints)
    assert [finding async for finding in verifier.findings()] == []


async def test_what_is_recorded_later_is_not_touched(app: App, company: Company) -> None:
    await ran(app, company, client(ANA))
    await app.services.erasures.erase(OWNER, ANA, WHY)
    later = await ran(app, company, client(ANA))
    again = await app.services.erasures.reapply()
    assert (again.executions, again.left) == (0, 0)
    assert await names(app, ANA) == {later}


async def test_bodies_of_before_are_found_by_their_longer_hashes(app: App, company: Company, conn: Any) -> None:
    names_of = [await ran(app, company, client(document)) for document in (ANA, BIA, FIRM)]
    hasher = app.services.keys.hasher
    for document, name in zip((ANA, BIA, FIRM), names_of, strict=True):
        bare = "".join(letter for letter in document if letter.isdecimal())
        await conn.execute(
            "update execution_bodies set document_hashes = $1 from process_executions e"
            " where e.id = execution_bodies.execution_id and e.execution_id = $2",
            hasher.digest("39053344705") + hasher.digest(bare),
            name,
        )
    assert await names(app, FIRM) == {names_of[2]}
    assert (await app.services.erasures.erase(OWNER, ANA, WHY)).executions == 1
    assert await names(app, BIA) == {names_of[1]}


async def test_a_hash_alone_deletes_nothing_that_opens(app: App, company: Company, conn: Any) -> None:
    name = await ran(app, company, client(BIA))
    mark = PersonMark.of(app.services.keys.hasher, "52998224725")
    await conn.execute("update execution_bodies set document_hashes = $1", mark.short)
    assert (await app.services.erasures.erase(OWNER, ANA, WHY)).executions == 0
    assert (await app.services.bodies.reveal(OWNER, name))["response"] == client(BIA)
    # What does not open any more is nobody's but the hash's.
    await conn.execute("update execution_bodies set sealed = sealed || 'x'")
    assert (await app.services.erasures.erase(OWNER, ANA, WHY)).executions == 1


async def write_key(app: App, conn: Any, company: Company, state: str, document: str) -> str:
    """Put a write's key into its table, as a write of some time ago has left it."""
    at = datetime.now(UTC)
    key = await app.services.keys.ensure(company.id, at)
    scope = (company.id, "incluir_cliente", f"pedido-{state}")
    record = {"cnpj_cpf": document, "codigo_cliente_integracao": "oc-1"}
    answer = seal_answer(key.key, Payload({"codigo_cliente_omie": 7, **record}, 200), scope)
    await conn.execute(
        "insert into idempotency_keys (id, company_id, process_type, key, is_derived, state, endpoint, digest,"
        " execution_id, execution_name, expires_at, key_id, request, before, answer) values"
        " ($1, $2, $3, $4, false, $5, 'geral/clientes/IncluirCliente', 'x', $1, 'e', now() + '1 day', $6, $7, $8, $9)",
        uuid7(int(at.timestamp() * 1000), os.urandom(10)),
        *scope,
        state,
        key.id,
        seal(key.key, canonical(record), aad(scope, "request")),
        seal(key.key, canonical(record), aad(scope, "before")),
        answer,
    )
    return scope[2]


async def test_a_write_keeps_its_key_and_its_masked_answer_only(app: App, company: Company, conn: Any) -> None:
    await write_key(app, conn, company, "answered", ANA)
    await write_key(app, conn, company, "uncertain", ANA)
    assert len((await app.services.erasures.report(OWNER, ANA)).writes) == 2
    done = await app.services.erasures.erase(OWNER, ANA, WHY)
    assert (done.writes, done.left) == (1, 1)
    rows = {row["state"]: row for row in await conn.fetch("select * from idempotency_keys")}
    row = rows["answered"]
    key, scope = await app.services.keys.by_id(row["key_id"]), (company.id, "incluir_cliente", "pedido-answered")
    answer = open_part(key.key, row["answer"], scope, "answer")
    assert answer["data"] == {
        "codigo_cliente_omie": 7,
        "cnpj_cpf": "***.982.247-**",
        "codigo_cliente_integracao": "oc-1",
    }
    for part in ("request", "before"):
        assert documents_in({"x": open_part(key.key, row[part], scope, part)}) == frozenset()
    # What was still needed goes once it is settled, without being asked for again.
    await conn.execute("update idempotency_keys set state = 'free' where state = 'uncertain'")
    again = await app.services.erasures.reapply(whole=False)
    assert (again.writes, again.left) == (1, 0)
    (listed,) = await app.services.erasures.list(OWNER)
    assert (listed.writes, listed.applied_at is not None) == (2, True)


async def test_an_execution_that_runs_is_left_until_it_has_ended(app: App, company: Company) -> None:
    request = Request("incluir_cliente", {"cnpj_cpf": ANA}, OWNER, company=company.id, writes=True)
    handle = await app.executions.start(request)
    done = await app.services.erasures.erase(OWNER, ANA, WHY)
    assert (done.executions, done.left) == (0, 1)
    await app.executions.finish(handle, Outcome(Status.COMPLETED, client(ANA)))
    assert (await app.services.erasures.reapply(whole=False)).executions == 1
    assert await names(app, ANA) == set()


async def test_a_body_sealed_after_its_erasure_ended_goes_the_next_day(app: App, company: Company) -> None:
    handle = await app.executions.start(Request("consultar_clientes", {}, OWNER, company=company.id))
    await app.services.erasures.erase(OWNER, ANA, WHY)
    await app.executions.finish(handle, Outcome(Status.COMPLETED, client(ANA)))
    assert await names(app, ANA) == {handle.execution_id}
    assert (await app.services.erasures.reapply(whole=False)).executions == 1


async def test_a_restore_brings_nobody_back(app: App, company: Company, conn: Any, owner_conn: Any) -> None:
    name = await ran(app, company, client(ANA))
    backup = await conn.fetch("select * from execution_bodies")
    await app.services.erasures.erase(OWNER, ANA, WHY)
    # The database as it was before the erasure: with the body, without the list.
    await owner_conn.execute("delete from erasures")
    await conn.executemany(
        "insert into execution_bodies values ($1, $2, $3, $4, $5, $6)", [tuple(row) for row in backup]
    )
    assert await names(app, ANA) == {name}
    again = await app.services.erasures.reapply(whole=False)
    assert (again.erasures, again.executions, again.left) == (1, 1, 0)
    assert await names(app, ANA) == set()
    assert len(await audited(conn, "person.restored_erased")) == 1
    assert len(await app.services.erasures.list(OWNER)) == 1


async def test_the_list_outside_holds_no_person_and_survives_a_torn_line(app: App, company: Company) -> None:
    await ran(app, company, client(ANA))
    await app.services.erasures.erase(OWNER, ANA, WHY)
    path = app.settings.home / "erasures.jsonl"
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert tells_nothing_of_ana(path.read_text())
    with path.open("ab") as file:
        file.write(b'{"id": "torn')
    await app.services.erasures.erase(OWNER, BIA, WHY)
    assert len(path.read_bytes().splitlines()) == 3
    assert (await app.services.erasures.reapply()).erasures == 2


async def test_a_hold_keeps_a_person_and_says_who_and_why(app: App, company: Company, conn: Any) -> None:
    name = await ran(app, company, client(ANA))
    hold = await app.services.legal_holds.place(OWNER, "processo 123", document=ANA)
    with pytest.raises(Conflict) as refused:
        await app.services.erasures.erase(OWNER, ANA, WHY)
    assert "processo 123" in refused.value.message
    assert str(hold.id) in refused.value.hint
    assert len(await audited(conn, "person.erased", "refused")) == 1
    assert await names(app, ANA) == {name}
    assert (await app.services.erasures.report(OWNER, ANA)).holds == [hold]
    await app.services.legal_holds.lift(OWNER, hold.id, "processo encerrado")
    assert (await app.services.erasures.erase(OWNER, ANA, WHY)).executions == 1
    assert await app.services.legal_holds.list(OWNER, live_only=True) == []
    with pytest.raises(NotFound):
        await app.services.legal_holds.lift(OWNER, hold.id, "outra vez")
    assert [len(await audited(conn, action)) for action in ("hold.placed", "hold.lifted")] == [1, 1]


@pytest.mark.parametrize(("back", "until", "is_held"), [(1, 1, True), (-1, 2, False), (3, -1, False)])
async def test_a_hold_keeps_a_span(app: App, company: Company, back: int, until: int, is_held: bool) -> None:
    await ran(app, company, client(ANA))
    now = datetime.now(UTC)
    since, until_at = now - timedelta(hours=back), now + timedelta(hours=until)
    await app.services.legal_holds.place(OWNER, "fiscalização", company=company.id, since=since, until=until_at)
    if is_held:
        with pytest.raises(Conflict, match="fiscalização"):
            await app.services.erasures.erase(OWNER, ANA, WHY)
    else:
        assert (await app.services.erasures.erase(OWNER, ANA, WHY)).executions == 1


async def test_a_hold_of_later_keeps_what_a_restore_brings_back(app: App, company: Company, conn: Any) -> None:
    await ran(app, company, client(ANA))
    backup = await conn.fetch("select * from execution_bodies")
    await app.services.erasures.erase(OWNER, ANA, WHY)
    await conn.executemany(
        "insert into execution_bodies values ($1, $2, $3, $4, $5, $6)", [tuple(row) for row in backup]
    )
    hold = await app.services.legal_holds.place(OWNER, "perícia", company=company.id)
    assert (await app.services.erasures.reapply()).left == 1
    await app.services.legal_holds.lift(OWNER, hold.id, "feita")
    assert (await app.services.erasures.reapply(whole=False)).executions == 1


async def test_who_may_and_within_which_companies(app: App, company: Company, conn: Any) -> None:
    other = await app.companies.add(OWNER, "oficina", "Oficina", "9876543210", APP_SECRET)
    here, there = await ran(app, company, client(ANA)), await ran(app, other, client(ANA))
    local = replace(OWNER, companies=frozenset({company.id}))
    auditor = Actor(ActorKind.USER, "auditora", Role.AUDITOR)
    for actor in (STRANGER, auditor):
        for verb in (
            app.services.erasures.report(actor, ANA),
            app.services.erasures.erase(actor, ANA, WHY),
            app.services.erasures.reapply(actor),
            app.services.legal_holds.place(actor, WHY, document=ANA),
        ):
            with pytest.raises(Forbidden):
                await verb
    with pytest.raises(Forbidden, match="todas as empresas"):
        await app.services.erasures.erase(local, ANA, WHY)
    with pytest.raises(Forbidden):
        await app.services.legal_holds.place(local, WHY, document=ANA)
    with pytest.raises(Forbidden):
        await app.services.erasures.erase(local, ANA, WHY, other.id)
    report = await app.services.erasures.report(local, ANA)
    assert [found.owner.execution_id for found in report.executions if found.owner] == [here]
    assert (await app.services.erasures.erase(local, ANA, WHY, company.id)).executions == 1
    assert await names(app, ANA) == {there}
    assert len(await audited(conn, "person.erase", "refused")) >= 4


@pytest.mark.parametrize("text", ["", "123", "529.982.247-26", "a" * 14, "١٢٣٤٥٦٧٨٩٠١", "529.982.247-25 e outra"])
async def test_what_is_no_document_is_refused_without_being_repeated(app: App, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await app.services.erasures.erase(OWNER, text, WHY)
    assert not text or text not in refused.value.for_people()
    with pytest.raises(InvalidInput, match="motivo"):
        await app.services.erasures.erase(OWNER, ANA, " ")


async def test_the_scan_goes_on_where_its_batch_ended(app: App, company: Company) -> None:
    for number in range(7):
        await ran(app, company, client(ANA if number % 3 == 0 else BIA))
    mark = PersonMark.of(app.services.keys.hasher, "52998224725")
    last = uuid7(int(datetime.now(UTC).timestamp() * 1000) + 1000, bytes(10))
    for batch in (1, 2, 3, 100):
        pages = store.scan(app.db.postgres, [mark], uuid7(0, bytes(10)), last, batch=batch)
        found = [hashes async for page in pages for _, hashes in page if mark.is_among(hashes)]
        assert len(found) == 3


async def test_kept_answers_go_too(app: App, company: Company) -> None:
    other = "00000000-0000-0000-0000-000000000001"
    keys = [f"cache:{{{company.id}}}:answer:a", f"export:{{{company.id}}}:part:e:1", f"cache:{{{other}}}:answer:a"]
    for key in keys:
        await app.db.redis.set(key, b"x", ex=60)
    await ran(app, company, client(ANA))
    await app.services.erasures.erase(OWNER, ANA, WHY, company.id)
    assert [bool(await app.db.redis.exists(key)) for key in keys] == [False, False, True]


async def brought(app: App, company: Company, document: str) -> str:
    """Take an event of a webhook in, as Omie brings it; returns its message."""
    made = await app.services.webhooks.open_trial(OWNER, company, timedelta(minutes=1))
    body = {
        "messageId": f"m-{os.urandom(4).hex()}",
        "topic": "ClienteFornecedor.Alterado",
        "appKey": APP_KEY,
        "event": {"cnpj_cpf": document, "razao_social": "Fulana"},
    }
    await app.services.webhook_inbox.take(made.address, canonical(body), Origin("web"))
    return str(body["messageId"])


async def test_events_of_webhooks_are_reported_held_and_erased(app: App, company: Company, conn: Any) -> None:
    of_ana, _ = await brought(app, company, ANA), await brought(app, company, BIA)
    [found] = (await app.services.erasures.report(OWNER, ANA)).events
    assert (found.places, found.event.topic) == (("body.event.cnpj_cpf",), "ClienteFornecedor.Alterado")
    hold = await app.services.legal_holds.place(OWNER, WHY, company=company.id)
    with pytest.raises(Conflict):
        await app.services.erasures.erase(OWNER, ANA, WHY)
    await app.services.legal_holds.lift(OWNER, hold.id, WHY)
    done = await app.services.erasures.erase(OWNER, ANA, WHY)
    assert (done.events, done.executions, done.left) == (1, 0, 0)
    assert (await app.services.erasures.report(OWNER, ANA)).events == []
    rows = {row["message_id"]: row for row in await conn.fetch("select * from webhook_events")}
    assert len(rows) == 2
    assert [row["sealed"] is None for name, row in rows.items() if name == of_ana] == [True]
    assert "***.982.247-**" in rows[of_ana]["body"]
    assert len((await app.services.erasures.report(OWNER, BIA)).events) == 1
    [erasure] = await app.services.erasures.list(OWNER)
    assert erasure.events == 1
    # Applied like any other: what an event makes old does not hang on whom it is about.
    assert await app.services.webhook_inbox.apply() == 2


async def test_an_event_that_a_restore_brings_back_is_erased_again(app: App, company: Company, conn: Any) -> None:
    await brought(app, company, ANA)
    kept = await conn.fetchrow("select sealed, key_id, document_hashes from webhook_events")
    await app.services.erasures.erase(OWNER, ANA, WHY)
    await conn.execute("update webhook_events set sealed = $1, key_id = $2, document_hashes = $3", *kept)
    assert (await app.services.erasures.reapply()).events == 1
    # What does not open any more is nobody's but the hash's.
    await conn.execute("update webhook_events set sealed = $1 || 'x'::bytea, key_id = $2, document_hashes = $3", *kept)
    [found] = (await app.services.erasures.report(OWNER, ANA)).events
    assert not found.is_open
