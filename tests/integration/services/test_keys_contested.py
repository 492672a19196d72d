"""A key that changes hands while an earlier hand has not let go: a late word is no word about another's try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.conftest import eventually
from tests.writing import CLIENTES, OWNER, WritingHouse

from omie_control.domain.executions import Origin
from omie_control.errors import Conflict, OmieFault, StorageDown
from omie_control.omie.catalog import catalog
from omie_control.omie.protocol import Payload
from omie_control.postgres.database import Postgres
from omie_control.services import first_answers, idempotency
from omie_control.services.executions import Request
from omie_control.services.idempotency import IdempotentWrites
from omie_control.services.write_keys import marked

CREATE = catalog().method(CLIENTES, "IncluirCliente")
CLIENT: dict[str, Any] = {"razao_social": "Padaria Sol Nascente", "email": "contato@exemplo.com.br"}


class Flaky:
    """A real PostgreSQL whose next commit is carried out and not heard of, and which is away after that."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self.is_breaking = False
        self.is_away = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Give a connection, or fail before or after what is done with it."""
        if self.is_away:
            raise StorageDown()
        async with self._postgres.transaction() as tx:
            yield tx
        if self.is_breaking:
            self.is_breaking, self.is_away = False, True
            raise StorageDown()


async def test_a_late_release_does_not_free_the_key_of_the_next_try(
    writing: WritingHouse, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_KEEP_SECONDS", 0.2)
    flaky = Flaky(writing.app.db.postgres)
    writes = IdempotentWrites(flaky, writing.app.services.keys)  # type: ignore[arg-type]
    company = writing.writer.company
    handle = await writing.writer.executions.start(
        Request("escrever", CLIENT, OWNER, Origin("test"), company.id, idempotency_key=marked("pedido-1"))
    )
    may_answer = asyncio.Event()

    async def refused(sent: Mapping[str, Any]) -> Payload:
        flaky.is_breaking = True
        raise OmieFault("Falta um campo.")

    async def slow(sent: Mapping[str, Any]) -> Payload:
        await may_answer.wait()
        return Payload({"codigo_cliente_omie": 1}, 200)

    with pytest.raises(OmieFault):
        await writes.run(handle, company, CREATE, CLIENT, "pedido-1", refused)
    # Of a slow commit nobody waits for the end.
    await eventually(lambda: _returns(flaky.is_away))
    assert await conn.fetchval("select state from idempotency_keys") == "free"
    late = set(writes._keeping)
    assert late
    flaky.is_away = False
    again = asyncio.create_task(writes.run(handle, company, CREATE, CLIENT, "pedido-1", slow))
    await eventually(lambda: _is_open(conn))
    await asyncio.wait(late)
    assert await conn.fetchval("select state from idempotency_keys") == "open"
    may_answer.set()
    await again
    assert await conn.fetchval("select state from idempotency_keys") == "answered"


async def test_who_waits_after_the_time_is_over_does_not_ask_the_database_without_a_pause(
    writing: WritingHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one ahead has not claimed the key yet: PostgreSQL takes long."""
    claims, finds = asyncio.Event(), 0
    writes = IdempotentWrites(writing.app.db.postgres, writing.app.services.keys, wait_seconds=0.05)
    find = writes._find

    async def claim_slowly(attempt: object) -> None:
        await claims.wait()
        raise StorageDown()

    async def counted(attempt: Any) -> Any:
        nonlocal finds
        finds += 1
        return await find(attempt)

    monkeypatch.setattr(writes, "_claim", claim_slowly)
    monkeypatch.setattr(writes, "_find", counted)
    company = writing.writer.company

    async def run() -> None:
        request = Request("escrever", CLIENT, OWNER, Origin("test"), company.id, idempotency_key=marked("pedido-1"))
        handle = await writing.writer.executions.start(request)
        await writes.run(handle, company, CREATE, CLIENT, "pedido-1", _never)

    ahead = asyncio.create_task(run())
    await eventually(lambda: _returns(bool(writes._running)))
    with pytest.raises(Conflict) as told:
        await run()
    assert told.value.code == "ainda_executando"
    assert finds <= 3
    claims.set()
    with pytest.raises(StorageDown):
        await ahead


def test_pauses_of_who_waits_for_another_process_grow_and_stay_within_a_second() -> None:
    pauses = [first_answers.pause_before_look(number) for number in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.1
    assert pauses[-1] == 1.0


async def _never(sent: Mapping[str, Any]) -> Payload:
    raise AssertionError("nothing may be sent")


async def _is_open(conn: asyncpg.Connection) -> bool:
    return bool(await conn.fetchval("select state = 'open' from idempotency_keys"))


async def _returns(value: bool) -> bool:
    return value
