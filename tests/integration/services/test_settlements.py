"""Uncertain writes get their end: looked up in a simulated Omie, or settled by an operator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import pytest
from tests.conftest import eventually
from tests.fixtures_omie import OmieServer, start_omie
from tests.integration.services.conftest import STRANGER
from tests.writing import CLIENTES, OWNER, QUICK, SLUG, Told, WritingHouse, writing_house

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Status
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound, OmieFault, Uncertain
from omie_control.omie.catalog import catalog
from omie_control.omie.protocol import Payload
from omie_control.services.answers import FROM_OMIE
from omie_control.settings import Settings
from omie_control.simulator.rules import Limits
from omie_control.simulator.seed import DEMO_COMPANIES

CLIENT: dict[str, Any] = {"razao_social": "Padaria Sol Nascente", "email": "contato@exemplo.com.br"}
OPERATOR = Actor(ActorKind.USER, "olga", Role.OPERATOR)
CATEGORIES = "geral/categorias/"
T = TypeVar("T")


@pytest.fixture
async def calm(installation: Settings) -> AsyncIterator[WritingHouse]:
    """Give a house beside an Omie whose clock is ours, so that the instants of its records mean something."""
    async with start_omie(limits=Limits(is_enforced=False)) as omie:
        settings = installation.model_copy(update={"omie_base_url": omie.base_url})
        async with writing_house(settings, omie, pace=replace(QUICK, again=timedelta(seconds=0.2))) as opened:
            yield opened


async def doubtful(house: WritingHouse, move: str, param: Mapping[str, Any] = CLIENT, **choices: Any) -> Told:
    """Make a write whose answer gets lost."""
    house.omie.plan(move, call=choices.get("call", "IncluirCliente"), **choices.pop("plan", {}))
    told = await house.write(param, **choices)
    assert isinstance(told.error, Uncertain), told
    return told


async def settled(house: WritingHouse, told: Told, *, within: float = 60.0) -> Status:
    """Look up until an execution has its end."""

    async def has_ended() -> bool:
        await house.verifications.turn()
        return (await house.shown(told.execution_id)).status.has_ended

    await eventually(has_ended, within=within)
    return (await house.shown(told.execution_id)).status


async def alerts(conn: asyncpg.Connection, *, unresolved: bool = True) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await conn.fetch(
        "select * from integration_alerts where alert_type = 'execution_uncertain' and is_resolved <> $1", unresolved
    )
    return rows


@pytest.mark.parametrize(("move", "plan"), [("timeout_after", {}), ("broken", {"executes": True}), ("cut_json", {})])
async def test_a_write_that_was_carried_out_is_found_and_completed(
    writing: WritingHouse,
    conn: asyncpg.Connection,
    move: str,
    plan: dict[str, Any],
) -> None:
    told = await doubtful(writing, move, key="pedido-1", plan=plan)
    assert await settled(writing, told) is Status.COMPLETED
    shown = await writing.shown(told.execution_id)
    assert shown.response_data["_verificado"] is True
    assert shown.response_data["registro"]["razao_social"] == CLIENT["razao_social"]
    assert shown.error_code is None
    assert await alerts(conn) == []
    again = await writing.write(CLIENT, key="pedido-1")
    assert again.written is not None
    assert again.written.repeated_of == told.execution_id
    assert again.payload.data["codigo_cliente_omie"] == shown.response_data["codigo_cliente_omie"]
    assert writing.records(CLIENT["razao_social"]) == 1


@pytest.mark.parametrize("move", ["timeout_before", "8020", "broken", "html"])
async def test_a_write_that_was_not_carried_out_fails_after_two_looks_and_frees_its_key(
    writing: WritingHouse,
    move: str,
) -> None:
    told = await doubtful(writing, move, key="pedido-1")
    assert await settled(writing, told) is Status.FAILED
    shown = await writing.shown(told.execution_id)
    assert shown.error_code == "nao_executada"
    assert "seguro tentar de novo" in (shown.error_message or "")
    assert writing.sent("ConsultarCliente") == 2
    assert [each.rule for each in writing.omie.simulator.book.violations] == []
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None
    assert writing.records(CLIENT["razao_social"]) == 1


async def test_every_uncertain_execution_has_exactly_one_alert_while_it_is_uncertain(
    writing: WritingHouse,
    conn: asyncpg.Connection,
) -> None:
    told = await doubtful(writing, "timeout_before")
    await asyncio.gather(*(writing.verifications.turn() for _ in range(4)))
    (alert,) = await alerts(conn)
    assert alert["process_execution_id"] == (await writing.shown(told.execution_id)).id
    await settled(writing, told)
    assert await alerts(conn) == []
    assert len(await alerts(conn, unresolved=False)) == 1


async def test_several_look_at_once_and_ask_once(
    writing: WritingHouse,
    conn: asyncpg.Connection,
) -> None:
    told = await doubtful(writing, "timeout_after")
    async with writing_house(writing.app.settings, writing.omie) as other:
        await asyncio.gather(*(each.verifications.turn() for each in (writing, other) * 3))
    assert await settled(writing, told) is Status.COMPLETED
    assert writing.sent("ConsultarCliente") == 1
    assert await conn.fetchval("select count(*) from audit_events where action = 'execution.settled'") == 1
    assert await conn.fetchval("select sum(success_count) from rollup_deltas where name = 'escrever'") == 1
    assert [each.status for each in writing.changes] in ([Status.COMPLETED], [])


async def test_omie_away_is_asked_again_later(writing: WritingHouse) -> None:
    told = await doubtful(writing, "timeout_after")
    writing.omie.plan("html", call="ConsultarCliente")
    await writing.verifications.turn()
    assert (await writing.shown(told.execution_id)).status is Status.UNCERTAIN
    assert await settled(writing, told) is Status.COMPLETED


async def test_many_misses_never_stand_in_a_row(
    writing: WritingHouse,
    conn: asyncpg.Connection,
) -> None:
    for number in range(4):
        await writing.write(CLIENT | {"razao_social": f"Certa {number}"}, key=f"certa-{number}")
    told = [
        await doubtful(writing, "timeout_before", CLIENT | {"razao_social": f"Perdida {number}"}, key=f"p-{number}")
        for number in range(6)
    ]
    for each in told:
        assert await settled(writing, each, within=60.0) is Status.FAILED
    answers = [
        entry.outcome for entry in writing.omie.simulator.book.entries if entry.endpoint.endswith("/ConsultarCliente")
    ]
    runs = "".join("x" if outcome == "fault" else " " for outcome in answers).split()
    assert max(len(run) for run in runs) <= 2
    assert [each.rule for each in writing.omie.simulator.book.violations] == []


async def test_every_question_is_an_execution_of_its_own_under_the_one_it_is_about(
    writing: WritingHouse,
) -> None:
    told = await doubtful(writing, "timeout_after")
    await settled(writing, told)
    (child,) = (await writing.shown(told.execution_id)).children
    question = await writing.shown(child)
    assert question.process_type == "conferir_escrita_incerta"
    assert question.omie_endpoint == "geral/clientes/ConsultarCliente"
    assert not question.writes


async def test_an_answer_that_was_kept_ends_its_execution_without_a_question(
    writing: WritingHouse,
    conn: asyncpg.Connection,
) -> None:
    told = await writing.write(CLIENT, key="pedido-1")
    # As if the process had died between keeping the answer and writing the end.
    await conn.execute("update process_executions set status = 'uncertain', response_data = null")
    assert await settled(writing, told) is Status.COMPLETED
    assert writing.sent("ConsultarCliente") == 0
    assert (await writing.shown(told.execution_id)).response_data["codigo_cliente_omie"]


async def test_a_refusal_that_was_kept_ends_its_execution_without_a_question_or_a_person(
    writing: WritingHouse,
    conn: asyncpg.Connection,
) -> None:
    told = await writing.write(CLIENT | {"cnpj_cpf": "11111111111"}, key="pedido-1")
    assert isinstance(told.error, OmieFault)
    # As if the process had died between freeing the key and writing the end.
    await conn.execute("update process_executions set status = 'uncertain', error_code = null, error_message = null")
    await writing.verifications.turn()
    shown = await writing.shown(told.execution_id)
    assert (shown.status, shown.error_code) == (Status.FAILED, "nao_executada")
    assert await alerts(conn) == []
    assert writing.sent("ConsultarCliente") == 0


@pytest.mark.parametrize("is_keyed", [True, False])
async def test_an_execution_without_a_key_sent_nothing_if_it_sends_under_keys_only(
    writing: WritingHouse, conn: asyncpg.Connection, is_keyed: bool
) -> None:
    told = await doubtful(writing, "timeout_before")
    await conn.execute("delete from idempotency_keys")
    if not is_keyed:
        await conn.execute("update process_executions set idempotency_key = 'chave de outra parte'")
    await writing.verifications.turn()
    shown = await writing.shown(told.execution_id)
    assert shown.status is (Status.FAILED if is_keyed else Status.UNCERTAIN)
    assert len(await alerts(conn)) == (0 if is_keyed else 1)
    assert writing.sent("ConsultarCliente") == 0


async def test_a_change_is_found_in_the_record(calm: WritingHouse) -> None:
    first = await calm.write(CLIENT)
    key = {"codigo_cliente_omie": first.payload.data["codigo_cliente_omie"]}
    told = await doubtful(calm, "timeout_after", key | {"email": "NOVO@exemplo.com.br"}, call="AlterarCliente")
    assert await settled(calm, told) is Status.COMPLETED


async def test_a_change_that_did_not_reach_an_untouched_record_failed(calm: WritingHouse) -> None:
    first = await calm.write(CLIENT)
    for row in calm.omie.simulator.companies[calm.omie.company.app_key].table("clientes"):
        row.created_at -= timedelta(hours=1)
        row.changed_at -= timedelta(hours=1)
    key = {"codigo_cliente_omie": first.payload.data["codigo_cliente_omie"]}
    told = await doubtful(calm, "timeout_before", key | {"email": "novo@exemplo.com.br"}, call="AlterarCliente")
    assert await settled(calm, told) is Status.FAILED


async def test_a_change_of_a_record_that_somebody_else_touched_waits_for_a_person(
    calm: WritingHouse, conn: asyncpg.Connection
) -> None:
    first = await calm.write(CLIENT)
    key = {"codigo_cliente_omie": first.payload.data["codigo_cliente_omie"]}
    told = await doubtful(calm, "timeout_before", key | {"email": "novo@exemplo.com.br"}, call="AlterarCliente")
    await calm.verifications.turn()
    assert (await calm.shown(told.execution_id)).status is Status.UNCERTAIN
    assert await conn.fetchval("select next_try_at = 'infinity' from uncertain_executions")
    (alert,) = await alerts(conn)
    assert "não prova" in alert["message"]


@pytest.mark.parametrize(("move", "wanted"), [("timeout_after", Status.COMPLETED), ("timeout_before", Status.FAILED)])
async def test_a_deletion_is_done_when_the_record_is_gone(calm: WritingHouse, move: str, wanted: Status) -> None:
    first = await calm.write(CLIENT)
    key = {"codigo_cliente_omie": first.payload.data["codigo_cliente_omie"]}
    told = await doubtful(calm, move, key, call="ExcluirCliente")
    assert await settled(calm, told) is wanted


async def test_what_omie_cannot_be_asked_about_waits_for_a_person_at_once(
    calm: WritingHouse, conn: asyncpg.Connection
) -> None:
    title = {"codigo_lancamento": 1, "codigo_conta_corrente": 1, "valor": 1, "data": "01/12/2026"}
    told = await doubtful(
        calm, "timeout_before", title, call="LancarRecebimento", service="financas/contareceber/", key="baixa"
    )
    await calm.verifications.turn()
    (alert,) = await alerts(conn)
    assert "não oferece consulta" in alert["message"]
    assert "Código de integração: oc-" in alert["message"]
    assert (await calm.shown(told.execution_id)).status is Status.UNCERTAIN


async def test_after_a_change_of_app_what_the_new_one_shows_proves_nothing(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    told = await doubtful(writing, "timeout_after", key="pedido-1")
    other = DEMO_COMPANIES[1]
    await writing.app.companies.replace_credentials(OWNER, SLUG, other.app_key, other.app_secret)
    await writing.verifications.turn()
    assert writing.sent("ConsultarCliente") == 0
    assert (await writing.shown(told.execution_id)).status is Status.UNCERTAIN
    (alert,) = await alerts(conn)
    assert "aplicativo anterior" in alert["message"]
    again = await writing.write(CLIENT, key="pedido-1")
    assert isinstance(again.error, Uncertain)
    assert writing.sent("IncluirCliente") == 1


async def test_a_new_secret_of_the_same_app_changes_nothing_of_that(writing: WritingHouse) -> None:
    told = await doubtful(writing, "timeout_after", key="pedido-1")
    same = writing.omie.company
    await writing.app.companies.replace_credentials(OWNER, SLUG, same.app_key, same.app_secret)
    assert await settled(writing, told) is Status.COMPLETED


async def test_after_too_long_a_person_is_asked(
    installation: Settings,
    quick_omie: OmieServer,
    conn: asyncpg.Connection,
) -> None:
    async with writing_house(installation, quick_omie, pace=replace(QUICK, give_up=timedelta())) as house:
        told = await doubtful(house, "timeout_before")
        await house.verifications.turn()
        assert (await house.shown(told.execution_id)).status is Status.UNCERTAIN
        (alert,) = await alerts(conn)
        assert "dentro do prazo" in alert["message"]


async def test_an_operator_settles_what_was_found_by_hand(
    writing: WritingHouse,
    conn: asyncpg.Connection,
) -> None:
    told = await doubtful(writing, "timeout_after", key="pedido-1")
    writing.omie.plan("html", call="ConsultarCliente")
    await writing.verifications.turn()
    note = "Vi no Omie, CPF 529.982.247-25"
    change = await writing.settlements.settle(OPERATOR, told.execution_id, Status.COMPLETED, note)
    assert change.status is Status.COMPLETED
    shown = await writing.shown(told.execution_id)
    assert shown.response_data["conferido_por"] == OPERATOR.label
    assert "529.982.247-25" not in str(shown.response_data)
    assert await alerts(conn) == []
    row = await conn.fetchrow("select * from audit_events where action = 'execution.settled'")
    assert row is not None
    assert (row["actor"], "529.982" in row["detail"]) == (OPERATOR.label, False)
    again = await writing.write(CLIENT, key="pedido-1")
    assert again.payload.data["codigo_cliente_integracao"].startswith("oc-")
    with pytest.raises(Conflict):
        await writing.settlements.settle(OPERATOR, told.execution_id, Status.FAILED, "de novo")


async def test_settled_as_failed_the_key_is_free(writing: WritingHouse) -> None:
    told = await doubtful(writing, "timeout_before", key="pedido-1")
    await writing.settlements.settle(OPERATOR, told.execution_id, Status.FAILED, "Não está no Omie.")
    minute_later = writing.omie.simulator.clock.seconds() + 61
    await eventually(lambda: _returns(writing.omie.simulator.clock.seconds() > minute_later))
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None


@pytest.mark.parametrize("who", ["look-up", "operator"])
async def test_once_a_write_in_doubt_is_settled_nobody_is_told_what_was_before(writing: WritingHouse, who: str) -> None:
    told = await doubtful(writing, "timeout_after", key="pedido-1")
    # Read while the write was in doubt: Omie may not have shown it yet.
    assert await asked_omie(writing)
    assert not await asked_omie(writing)
    assert await asked_omie(writing, CATEGORIES, "ListarCategorias")
    if who == "operator":
        await writing.settlements.settle(OPERATOR, told.execution_id, Status.COMPLETED, "Está lá.")
    else:
        assert await settled(writing, told) is Status.COMPLETED
    assert await asked_omie(writing)
    assert not await asked_omie(writing)
    assert not await asked_omie(writing, CATEGORIES, "ListarCategorias")


async def asked_omie(house: WritingHouse, service: str = CLIENTES, call: str = "ListarClientes") -> bool:
    """Read through what is kept, and say whether Omie was asked for it."""
    answer = await house.app.services.answers.read(
        house.writer.company, catalog().method(service, call), {"pagina": 1}, lambda: _returns(Payload({}, 200))
    )
    return answer.source == FROM_OMIE


async def test_only_who_may_settles_and_only_in_its_words(writing: WritingHouse) -> None:
    told = await doubtful(writing, "timeout_before")
    helper = Actor(ActorKind.TOKEN, "ajudante", Role.AGENT)
    with pytest.raises(Forbidden):
        await writing.settlements.settle(helper, told.execution_id, Status.FAILED, "x")
    with pytest.raises(NotFound):
        await writing.settlements.settle(STRANGER, told.execution_id, Status.FAILED, "x")
    with pytest.raises(InvalidInput):
        await writing.settlements.settle(OWNER, told.execution_id, Status.CANCELLED, "x")
    with pytest.raises(InvalidInput):
        await writing.settlements.settle(OWNER, told.execution_id, Status.FAILED, "  ")


async def test_what_somebody_else_ended_is_struck_off_with_its_alert(
    writing: WritingHouse,
    conn: asyncpg.Connection,
) -> None:
    await doubtful(writing, "timeout_before")
    writing.omie.plan("html", call="ConsultarCliente")
    await writing.verifications.turn()
    await conn.execute("update process_executions set status = 'failed' where process_type = 'escrever'")
    await conn.execute("update uncertain_executions set next_try_at = now()")
    await writing.verifications.turn()
    assert await conn.fetchval("select count(*) from uncertain_executions") == 0
    assert await alerts(conn) == []


async def test_the_bodies_of_a_settlement_are_sealed_and_revealed(
    writing: WritingHouse,
) -> None:
    told = await doubtful(writing, "timeout_after")
    await settled(writing, told)
    shown = await writing.shown(told.execution_id)
    assert "contato@" not in str(shown.response_data)
    clear = await writing.app.bodies.reveal(OWNER, told.execution_id)
    assert clear["response"]["registro"]["email"] == CLIENT["email"]
    assert clear["input"]["email"] == CLIENT["email"]


async def _returns(value: T) -> T:
    return value
