"""Stripe's five rules, over a real PostgreSQL and a simulated Omie."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import orjson
import pytest
from tests.conftest import eventually
from tests.fixtures_omie import OmieServer
from tests.writing import StraightCalls, WritingHouse, writing_house

from omie_control.domain.executions import Status
from omie_control.errors import Conflict, InvalidInput, OmieFault, Uncertain
from omie_control.services.idempotency import DERIVED_LIVES
from omie_control.settings import Settings

CLIENT: dict[str, Any] = {"razao_social": "Padaria Sol Nascente", "email": "contato@exemplo.com.br"}
OTHER = CLIENT | {"razao_social": "Outra Padaria"}


async def test_the_same_key_gives_the_first_answer_byte_for_byte_and_sends_nothing(writing: WritingHouse) -> None:
    first = await writing.write(CLIENT, key="pedido-1")
    again = await writing.write(CLIENT, key="pedido-1")
    assert orjson.dumps(again.payload.data) == orjson.dumps(first.payload.data)
    assert again.written is not None
    assert again.written.repeated_of == first.execution_id
    assert first.execution_id in (again.written.note or "")
    assert "outra chave_idempotencia" in (again.written.note or "")
    assert writing.sent("IncluirCliente") == 1


async def test_another_key_writes_another_time(writing: WritingHouse) -> None:
    first = await writing.write(CLIENT, key="a")
    second = await writing.write(CLIENT, key="b")
    assert first.payload.data["codigo_cliente_omie"] != second.payload.data["codigo_cliente_omie"]


async def test_the_same_key_with_other_content_is_a_conflict(writing: WritingHouse) -> None:
    first = await writing.write(CLIENT, key="pedido-1")
    told = await writing.write(OTHER, key="pedido-1")
    assert isinstance(told.error, Conflict)
    assert told.error.code == "chave_ja_usada"
    assert first.execution_id in told.error.message
    assert "Sol Nascente" not in told.error.for_people()
    assert writing.records("Outra Padaria") == 0


async def test_fifty_equal_calls_at_once_have_one_effect_and_one_answer(writing: WritingHouse) -> None:
    told = await asyncio.gather(*(writing.write(CLIENT, key="juntos") for _ in range(50)))
    assert len({orjson.dumps(each.payload.data) for each in told}) == 1
    assert sum(each.written is not None and each.written.repeated_of is None for each in told) == 1
    assert writing.records(CLIENT["razao_social"]) == 1
    assert writing.omie.simulator.book.violations == []


async def test_equal_calls_of_two_processes_at_once_have_one_effect(writing: WritingHouse) -> None:
    async with writing_house(writing.app.settings, writing.omie) as other:
        told = await asyncio.gather(*((writing, other)[n % 2].write(CLIENT, key="juntos") for n in range(12)))
    assert len({orjson.dumps(each.payload.data) for each in told}) == 1
    assert writing.records(CLIENT["razao_social"]) == 1


async def test_without_a_key_an_equal_write_of_the_same_task_is_a_repeat_for_ten_minutes(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    first = await writing.write(CLIENT, task="fechamento")
    again = await writing.write(dict(reversed(CLIENT.items())), task="fechamento")
    assert again.written is not None
    assert again.written.repeated_of == first.execution_id
    assert "chave_idempotencia nova" in (again.written.note or "")
    other_task = await writing.write(CLIENT, task="outra")
    assert other_task.written is not None
    assert other_task.written.repeated_of is None
    await conn.execute("update idempotency_keys set expires_at = expires_at - $1::interval", DERIVED_LIVES)
    later = await writing.write(CLIENT, task="fechamento")
    assert later.written is not None
    assert later.written.repeated_of is None
    codes = {each.payload.data["codigo_cliente_integracao"] for each in (first, other_task, later)}
    assert len(codes) == 3


async def test_the_key_is_carried_as_a_short_integration_code_always_the_same(writing: WritingHouse) -> None:
    told = await writing.write(CLIENT, key="pedido-1")
    code = told.payload.data["codigo_cliente_integracao"]
    assert len(code) == 20
    sent = (await writing.shown(told.execution_id)).request_payload
    assert sent["codigo_cliente_integracao"] == code


async def test_a_code_that_the_caller_gave_stays(writing: WritingHouse) -> None:
    told = await writing.write(CLIENT | {"codigo_cliente_integracao": "MEU-1"}, key="pedido-1")
    assert told.payload.data["codigo_cliente_integracao"] == "MEU-1"


@pytest.mark.parametrize("move", ["425", "429"])
async def test_a_proved_refusal_frees_the_key(writing: WritingHouse, move: str) -> None:
    writing.omie.plan(move, call="IncluirCliente")
    refused = await writing.write(CLIENT, key="pedido-1")
    assert refused.error is not None
    assert not isinstance(refused.error, Uncertain)
    writing.omie.simulator.rules._blocked.clear()
    told = await writing.write(CLIENT, key="pedido-1")
    assert told.written is not None
    assert told.written.repeated_of is None


async def test_after_a_refusal_the_key_takes_corrected_content(writing: WritingHouse) -> None:
    refused = await writing.write(CLIENT | {"cnpj_cpf": "11111111111"}, key="pedido-1")
    assert isinstance(refused.error, OmieFault)
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None


async def test_what_our_own_check_refuses_frees_the_key_and_never_leaves(writing: WritingHouse) -> None:
    refused = await writing.write(CLIENT | {"campo_que_nao_existe": 1}, key="pedido-1")
    assert isinstance(refused.error, InvalidInput)
    assert writing.sent("IncluirCliente") == 0
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None


async def test_equal_calls_at_once_are_refused_together_by_one_refusal(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    bad = CLIENT | {"cnpj_cpf": "11111111111"}
    calls = writing.writer.calls
    assert isinstance(calls, StraightCalls)
    # Whoever came after the refusal would not be one of those at once.
    async with calls.held_back():
        writers = [asyncio.create_task(writing.write(bad, key="juntos")) for _ in range(20)]
        await eventually(lambda: _are_running(conn, 20))
    told = await asyncio.gather(*writers)
    assert {type(each.error) for each in told} == {OmieFault}
    assert writing.sent("IncluirCliente") == 1


async def test_who_waits_with_other_content_is_not_told_that_it_was_refused(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    bad = CLIENT | {"cnpj_cpf": "11111111111"}
    calls = writing.writer.calls
    assert isinstance(calls, StraightCalls)
    async with calls.held_back():
        refused = asyncio.create_task(writing.write(bad, key="juntos"))
        await eventually(lambda: _returns(bool(writing.writer.writes._running)))
        other = asyncio.create_task(writing.write(OTHER, key="juntos"))
        await eventually(lambda: _are_running(conn, 2))
    assert isinstance((await refused).error, OmieFault)
    # Its own content was never refused: once the key is free, it is written.
    assert (await other).error is None
    assert writing.records("Outra Padaria") == 1


async def test_an_uncertain_first_keeps_its_key_and_nothing_is_sent_again(writing: WritingHouse) -> None:
    writing.omie.plan("timeout_after", call="IncluirCliente")
    first = await writing.write(CLIENT, key="pedido-1")
    assert isinstance(first.error, Uncertain)
    again = await writing.write(CLIENT, key="pedido-1")
    assert isinstance(again.error, Uncertain)
    assert first.execution_id in again.error.message
    assert writing.sent("IncluirCliente") == 1
    assert (await writing.shown(first.execution_id)).status is Status.UNCERTAIN
    # It sent nothing, so nothing of its own is in doubt.
    assert (await writing.shown(again.execution_id)).status is Status.FAILED


async def test_a_first_try_that_runs_on_is_named_to_whoever_waited_long_enough(
    installation: Settings, quick_omie: OmieServer
) -> None:
    async with writing_house(installation, quick_omie, wait_seconds=0.1, hasty_seconds=60.0) as house:
        quick_omie.plan("timeout_before", call="IncluirCliente")
        running = asyncio.create_task(house.write(CLIENT, key="pedido-1"))
        await eventually(lambda: _returns(house.sent("IncluirCliente") == 1))
        told = await house.write(CLIENT, key="pedido-1")
        assert isinstance(told.error, Conflict)
        assert told.error.code == "ainda_executando"
        running.cancel()
        await asyncio.wait([running])


async def test_a_caller_that_is_cancelled_in_flight_leaves_the_key_in_doubt(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    writing.omie.plan("timeout_after", call="IncluirCliente")
    running = asyncio.create_task(writing.write(CLIENT, key="pedido-1"))
    await eventually(lambda: _returns(writing.records(CLIENT["razao_social"]) == 1))
    running.cancel()
    await asyncio.wait([running])
    assert await conn.fetchval("select state from idempotency_keys") == "uncertain"
    assert await conn.fetchval("select status::text from process_executions") == "uncertain"


async def test_a_second_record_with_our_code_is_refused_by_omie_and_answered_with_the_first(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    # As if two look-ups had found nothing, and Omie had carried the write out after that.
    first = await writing.write(CLIENT, key="pedido-1")
    await conn.execute("update idempotency_keys set state = 'free', answer = null")
    minute_later = writing.omie.simulator.clock.seconds() + 61
    await eventually(lambda: _returns(writing.omie.simulator.clock.seconds() > minute_later))
    told = await writing.write(CLIENT, key="pedido-1")
    assert told.payload.data["codigo_cliente_omie"] == first.payload.data["codigo_cliente_omie"]
    assert told.payload.data["_verificado"] is True
    assert writing.records(CLIENT["razao_social"]) == 1


async def test_a_holder_that_ended_before_anything_left_does_not_hold_its_key(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    told = await writing.write(CLIENT | {"cnpj_cpf": "11111111111"}, key="pedido-1")
    assert told.error is not None
    await conn.execute("update idempotency_keys set state = 'open'")
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None


async def test_nothing_of_a_write_lies_in_its_key_in_the_clear(writing: WritingHouse, conn: asyncpg.Connection) -> None:
    await writing.write(CLIENT, key="pedido-1")
    row = await conn.fetchrow("select request, answer, digest from idempotency_keys")
    assert row is not None
    assert b"Sol Nascente" not in row["request"] + row["answer"]
    assert b"contato" not in row["request"]


async def test_expired_keys_are_pruned_and_those_in_doubt_are_not(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    await writing.write(CLIENT, key="feito")
    writing.omie.plan("timeout_after", call="IncluirCliente")
    await writing.write(OTHER, key="incerto")
    await conn.execute("update idempotency_keys set expires_at = now() - interval '1 day'")
    assert await writing.writer.writes.prune() == 1
    assert [row["key"] for row in await conn.fetch("select key from idempotency_keys")] == ["incerto"]


@pytest.mark.parametrize("key", ["", "   ", "x" * 201, "a\nb"])
async def test_a_key_that_cannot_be_told_from_others_is_refused(writing: WritingHouse, key: str) -> None:
    told = await writing.write(CLIENT, key=key)
    assert isinstance(told.error, InvalidInput)
    assert writing.sent("IncluirCliente") == 0


async def _are_running(conn: asyncpg.Connection, number: int) -> bool:
    return bool(await conn.fetchval("select count(*) from process_executions where status = 'running'") == number)


async def _returns(value: bool) -> bool:
    return value
