"""Omie already knows the code of a key: what it holds is the answer only where it is what was to be written."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from tests.conftest import eventually
from tests.writing import WritingHouse

from omie_control.domain.executions import Status
from omie_control.errors import Conflict, OmieFault, Uncertain
from omie_control.simulator.families import clientes

CLIENT: dict[str, Any] = {"razao_social": "Padaria Sol Nascente", "email": "contato@exemplo.com.br"}
OTHER = CLIENT | {"razao_social": "Outra Padaria"}


async def _a_minute_passes(house: WritingHouse) -> None:
    clock = house.omie.simulator.clock
    over = clock.seconds() + 61

    async def is_over() -> bool:
        return clock.seconds() > over

    await eventually(is_over)


async def test_a_key_used_again_after_its_time_is_not_answered_with_another_record(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None
    # Its day is over: the key may be used for something else, yet its code is the same.
    await conn.execute("delete from idempotency_keys")
    await _a_minute_passes(writing)
    told = await writing.write(OTHER, key="pedido-1")
    assert isinstance(told.error, Conflict), told
    assert told.error.code == "chave_ja_usada"
    assert "Sol Nascente" not in told.error.for_people()
    assert "razao_social" in told.error.for_people()
    assert writing.records("Outra Padaria") == 0
    assert (await writing.shown(told.execution_id)).status is Status.FAILED
    assert await conn.fetchval("select state from idempotency_keys") == "free"
    assert (await writing.write(OTHER, key="pedido-2")).written is not None


async def test_after_a_correction_the_record_of_a_try_that_came_late_is_not_taken_for_the_corrected_one(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None
    # As if two look-ups had found nothing, Omie had carried it out after that, and the caller had changed its mind.
    await conn.execute("update idempotency_keys set state = 'free', answer = null")
    await _a_minute_passes(writing)
    told = await writing.write(OTHER, key="pedido-1")
    assert isinstance(told.error, Conflict), told
    assert writing.records("Outra Padaria") == 0


async def test_a_try_that_came_late_is_found_also_when_omie_looks_at_the_document_first(
    writing: WritingHouse, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(clientes.NOUN), "refuse_known_code", lambda *_, **__: None)
    client = CLIENT | {"cnpj_cpf": "11.222.333/0001-81"}
    first = await writing.write(client, key="pedido-1")
    await conn.execute("update idempotency_keys set state = 'free', answer = null")
    await _a_minute_passes(writing)
    again = await writing.write(client, key="pedido-1")
    assert again.payload.data["codigo_cliente_omie"] == first.payload.data["codigo_cliente_omie"]
    # Under a code that is not this key's, it is another's record.
    other = await writing.write(client, key="pedido-2")
    assert isinstance(other.error, OmieFault), other
    assert writing.records(client["razao_social"]) == 1


async def test_a_write_in_doubt_is_not_taken_for_done_by_an_older_record_of_the_same_code(
    writing: WritingHouse, conn: asyncpg.Connection
) -> None:
    assert (await writing.write(CLIENT, key="pedido-1")).written is not None
    await conn.execute("delete from idempotency_keys")
    # Two minutes and more, so that the record is surely older than the write.
    for _ in range(3):
        await _a_minute_passes(writing)
    clock = writing.omie.simulator.clock
    writing.omie.plan("timeout_before", call="IncluirCliente", times=1)
    told = await writing.write(OTHER, key="pedido-1")
    assert isinstance(told.error, Uncertain), told
    # Our own clock is not the simulator's, which runs faster: what was written then was written now.
    await conn.execute("update idempotency_keys set claimed_at = $1", clock.now())

    async def is_parked() -> bool:
        await writing.verifications.turn()
        return bool(await conn.fetchval("select next_try_at = 'infinity' from uncertain_executions"))

    await eventually(is_parked)
    assert (await writing.shown(told.execution_id)).status is Status.UNCERTAIN
    assert writing.records("Outra Padaria") == 0
