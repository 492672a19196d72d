"""`ProcessController` in anybody's Python: blocks, methods and servers that share one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from tests.conftest import eventually
from tests.mcp_serving import ended, is_running, rows

from omie_control.app import ProcessController
from omie_control.domain.actors import LIBRARY
from omie_control.domain.executions import Status
from omie_control.errors import Conflict, InvalidInput, StorageDown

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_block_in_a_generator_that_nobody_reads_to_its_end_is_ended(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    """The event loop closes such a generator later, in a task and a context of its own."""

    async def lines() -> AsyncIterator[int]:
        async with controller.track("ler_linhas"):
            yield 1
            yield 2

    async def read_one() -> None:
        async for _ in lines():
            break

    await asyncio.create_task(read_one())
    row = await ended(conn, "ler_linhas")
    assert (row["status"], row["error_code"]) == ("cancelled", "cliente_desistiu")


async def test_an_operators_cancel_stops_the_block_and_not_the_task_around_it(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    async def work() -> str:
        with pytest.raises(Conflict, match="manutenção"):
            async with controller.track("fechar_mes"):
                await asyncio.sleep(60)
        async with asyncio.timeout(60):
            return "vivo"

    task = asyncio.create_task(work())
    await is_running(conn, "fechar_mes")
    [row] = await rows(conn, "fechar_mes")
    await (await controller.ready()).executions.cancel(LIBRARY, row["execution_id"], "manutenção")
    assert await task == "vivo"
    assert task.cancelling() == 0
    assert (await ended(conn, "fechar_mes"))["status"] == "cancelled"


async def test_a_method_is_recorded_without_what_it_belongs_to(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    class Conta:
        def __repr__(self) -> str:
            return "Conta(chave=1234-abcd)"

        @controller.process("conciliar_conta")
        async def conciliar(self, mes: str, *outros: str, forcar: bool = False) -> str:
            return mes

        @classmethod
        @controller.process("listar_contas")
        async def listar(cls) -> int:
            return 1

    await Conta().conciliar("10/2026", "09/2026", forcar=True)
    await Conta.listar()
    method, of_class = await rows(conn)
    assert method["input_parameters"] == {"mes": "10/2026", "outros": ["09/2026"], "forcar": True}
    assert of_class["input_parameters"] == {}


async def test_what_a_block_does_to_its_input_does_not_change_the_record(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    given: dict[str, Any] = {"cpf": "529.982.247-25", "linhas": [1], "dentro": {"a": 1}}
    async with controller.track("importar", given):
        given["linhas"].append(2)
        given["dentro"]["senha"] = "hunter2"
        given["total"] = 3
    [row] = await rows(conn, "importar")
    clear = await (await controller.ready()).bodies.reveal(LIBRARY, row["execution_id"])
    assert clear["input"] == {"cpf": "529.982.247-25", "linhas": [1], "dentro": {"a": 1}}


async def test_a_secret_that_a_block_takes_out_of_its_input_is_hidden_in_what_an_error_quotes(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    given = {"senha": "hunter2-do-banco"}
    with pytest.raises(RuntimeError):
        async with controller.track("importar", given):
            raise RuntimeError(f"recusada: {given.pop('senha')}")
    [row] = await rows(conn)
    assert row["error_message"] == "RuntimeError: recusada: •••"
    assert "hunter2" not in str(row)


@pytest.mark.parametrize("error", [ValueError("arquivo vazio"), asyncio.CancelledError()])
async def test_what_ends_a_block_goes_on_although_its_end_cannot_be_written_yet(
    controller: ProcessController, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation that became an outage would leave its task running."""

    async def away(handle: Any, outcome: Any) -> bool:
        raise StorageDown

    monkeypatch.setattr(controller, "end", away)
    with pytest.raises(type(error)):
        async with controller.track("importar"):
            raise error
    with pytest.raises(StorageDown):
        async with controller.track("importar"):
            pass


async def test_servers_that_share_a_controller_close_it_with_the_last(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    async with controller.lifespan():
        async with controller.lifespan():
            pass
        assert controller.db.is_open
        async with controller.track("depois"):
            pass
    assert not controller.db.is_open
    await controller.ready()
    assert [row["status"] for row in await rows(conn, "depois")] == ["completed"]


async def test_what_ends_after_the_close_does_not_open_it_again(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    """Embedded servers that nobody is left to stop would outlive the program."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with controller.track("importar"):
            entered.set()
            await leave.wait()

    async def forgotten() -> asyncio.Task[None]:
        entered.clear()
        task = asyncio.create_task(work())
        await entered.wait()
        return task

    cancelled, late = await forgotten(), await forgotten()
    by_hand = await controller.start_process("importar", {})
    await controller.close()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    leave.set()
    with pytest.raises(StorageDown, match="encerrado"):
        await late
    with pytest.raises(StorageDown, match="encerrado"):
        await controller.complete_process(by_hand, success=True)
    assert not controller.db.is_open
    await controller.ready()
    assert [row["error_code"] for row in await rows(conn, "importar")] == ["instance_lost"] * 3
    await controller.complete_process(by_hand, success=True)
    assert (await controller.get_process(by_hand)).status is Status.COMPLETED


async def test_an_execution_that_somebody_else_ended_cannot_be_cancelled(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    execution_id = await controller.start_process("importar", {})
    await conn.execute("update process_executions set status = 'failed', completed_at = now()")
    with pytest.raises(Conflict, match="já tinha terminado"):
        await controller.cancel_process(execution_id, "manutenção")
    assert (await controller.get_process(execution_id)).status is Status.FAILED


async def test_an_operators_cancel_ends_what_was_opened_by_hand(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    """It has no task that could be stopped: asked only, it would stay running until its process ends."""
    here, elsewhere = [await controller.start_process("importar", {"n": n}) for n in (1, 2)]
    executions = (await controller.ready()).executions
    cancelled = await executions.cancel(LIBRARY, here, "manutenção")
    assert (cancelled.status, cancelled.error_code) == (Status.CANCELLED, "cancelada")
    # As another process does it.
    await conn.execute(
        "update process_executions set cancel_reason = $2 where execution_id = $1",
        elsewhere,
        "manutenção (user:maria)",
    )

    async def is_cancelled() -> bool:
        return (await controller.get_process(elsewhere)).status is Status.CANCELLED

    await eventually(is_cancelled)
    for execution_id in (here, elsewhere):
        with pytest.raises(Conflict, match="já tinha terminado"):
            await controller.complete_process(execution_id, success=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"process_type": 5},
        {"process_type": "  "},
        {"process_type": "importar\0"},
        {"process_type": "importar\ud800" * 20},
        {"session_id": 7},
        {"session_id": uuid4()},
        {"idempotency_key": 5},
        {"parent": 5},
        {"company": 5},
        {"actor": 5},
    ],
)
async def test_what_cannot_be_recorded_is_refused_in_words_before_anything_is(
    controller: ProcessController, conn: asyncpg.Connection, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match=r"esperado um texto|tipo de processo"):
        await controller.start_process(**{"process_type": "importar", "input_params": {}, **wrong})
    assert await rows(conn) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"error_message": ValueError("linha 3")},
        {"error_code": 404},
        {"status_code": "200"},
        {"status_code": 2**40},
        {"status_code": 200.5},
    ],
)
async def test_an_end_that_cannot_be_recorded_is_refused_in_words_and_can_be_told_again(
    controller: ProcessController, conn: asyncpg.Connection, wrong: dict[str, Any]
) -> None:
    execution_id = await controller.start_process("importar", {"cpf": "529.982.247-25"})
    with pytest.raises(InvalidInput, match="esperado um"):
        await controller.complete_process(execution_id, False, **wrong)
    await controller.complete_process(execution_id, True)
    clear = await (await controller.ready()).bodies.reveal(LIBRARY, execution_id)
    assert clear["input"] == {"cpf": "529.982.247-25"}, "by the one who knows what came in"


async def test_no_execution_has_a_name_that_is_no_text(controller: ProcessController) -> None:
    for odd in (None, 5):
        for verb in (controller.get_process(odd), controller.complete_process(odd, True)):  # type: ignore[arg-type]
            with pytest.raises(InvalidInput, match="execution_id: esperado um texto"):
                await verb
        with pytest.raises(InvalidInput, match="execution_id: esperado um texto"):
            await controller.cancel_process(odd, "manutenção")  # type: ignore[arg-type]


async def test_a_session_that_utf8_cannot_write_leaves_nothing_running(
    controller: ProcessController, conn: asyncpg.Connection
) -> None:
    execution_id = await controller.start_process("importar", {}, session_id="sess\ud800o")
    await controller.complete_process(execution_id, success=True)
    assert [row["status"] for row in await rows(conn)] == ["completed"]


async def test_an_unknown_category_is_told_in_words(controller: ProcessController) -> None:
    with pytest.raises(InvalidInput) as refused:
        controller.process("conciliar", category="vendas")
    assert refused.value.message == "Categoria ou complexidade desconhecida: 'vendas'."
