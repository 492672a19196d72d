"""Every tool call is an execution, whatever ends it; in both protocol eras."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import asyncpg
import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from mcp_types import ToolAnnotations
from tests.conftest import eventually
from tests.mcp_serving import MODES, ended, is_running, rows

from omie_control.app import ProcessController
from omie_control.domain.actors import LIBRARY
from omie_control.errors import InvalidInput, OmieBusy, StorageDown
from omie_control.mcp.control import control
from omie_control.mcp.reading import Reading

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("mode", MODES)]


async def test_a_success_is_completed_and_tells_its_execution_id(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        result = await client.call_tool("somar", {"a": 1, "b": 2})
    assert result.data == 3
    [row] = await rows(conn)
    assert result.meta is not None
    assert result.meta["execution_id"] == row["execution_id"]
    assert (row["process_type"], row["status"], row["writes"]) == ("somar", "completed", False)
    assert (row["category"], row["complexity"]) == ("financeiro", "avancada")
    assert row["input_parameters"] == {"a": 1, "b": 2}
    assert row["response_data"] == {"result": 3}
    assert row["actor"] == "library:python"
    assert row["completed_at"] >= row["started_at"]
    assert row["user_agent"]
    assert (row["fastmcp_session_id"] is None) == (mode == "auto")


async def test_a_legacy_client_keeps_one_session(server: FastMCP[Any], conn: asyncpg.Connection, mode: Any) -> None:
    async with Client(server, mode=mode) as client:
        for n in range(2):
            await client.call_tool("somar", {"a": n, "b": 2})
    sessions = {row["fastmcp_session_id"] for row in await rows(conn)}
    assert len(sessions) == 1


async def test_the_start_is_committed_before_the_tool_runs(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    seen: list[str] = []

    @server.tool
    async def olhar() -> str:
        seen.extend(row["status"] for row in await rows(conn, "olhar"))
        return "visto"

    async with Client(server, mode=mode) as client:
        await client.call_tool("olhar", {})
    assert seen == ["running"]


async def test_a_tool_that_was_replaced_is_taken_for_what_it_is_now(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    """One that only read, and whose start may wait for its end, may write by now."""
    seen: list[tuple[str, bool]] = []

    async def reads() -> str:
        return "lido"

    async def writes() -> str:
        seen.extend((row["status"], row["writes"]) for row in await rows(conn, "ajustar"))
        return "escrito"

    server.tool(reads, name="ajustar", annotations=ToolAnnotations(read_only_hint=True))
    async with Client(server, mode=mode) as client:
        await client.call_tool("ajustar", {})
        server.local_provider.remove_tool("ajustar")
        server.tool(writes, name="ajustar", annotations=ToolAnnotations(read_only_hint=False))
        await client.call_tool("ajustar", {})
    assert seen == [("completed", False), ("running", True)]


async def test_a_sync_tool_is_recorded_too(server: FastMCP[Any], conn: asyncpg.Connection, mode: Any) -> None:
    async with Client(server, mode=mode) as client:
        assert (await client.call_tool("somar_devagar", {"a": 1})).data == 2
    assert (await ended(conn, "somar_devagar"))["status"] == "completed"


async def test_a_tool_error_passes_with_its_execution_id(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=r"(?s)caixa fechado.*execution_id: recusar_"):
            await client.call_tool("recusar", {"motivo": "caixa fechado"})
    row = await ended(conn, "recusar")
    assert (row["status"], row["error_code"], row["error_message"]) == ("failed", "erro_da_ferramenta", "caixa fechado")


async def test_an_unexpected_exception_is_recorded_but_not_told(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError) as caught:
            await client.call_tool("quebrar", {"senha": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "erro interno" in str(caught.value)
    row = await ended(conn, "quebrar")
    assert row["status"] == "failed"
    assert row["error_message"] == "RuntimeError: conexão recusada para •••"
    assert "hunter2" not in str(row)


async def test_what_an_error_quotes_of_a_person_or_a_secret_is_not_recorded(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    quoted = "529.982.247-25 usou omc_ab2cd3ef_0123456789012345678901234567890123456789abc"
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=r"529\.982"):
            await client.call_tool("recusar", {"motivo": quoted})
    row = await ended(conn, "recusar")
    assert row["error_message"] == "***.982.247-** usou omc_ab2cd3ef•••"
    assert row["input_parameters"] == {"motivo": "***.982.247-** usou omc_ab2cd3ef•••"}


async def test_an_error_answer_is_a_failure(server: FastMCP[Any], conn: asyncpg.Connection, mode: Any) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match="saldo insuficiente"):
            await client.call_tool("responder_erro", {})
    row = await ended(conn, "responder_erro")
    assert (row["status"], row["error_message"]) == ("failed", "saldo insuficiente")


async def test_the_tools_own_time_limit_ends_it_as_timeout(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match="tempo limite"):
            await client.call_tool("passar_do_tempo", {})
    assert (await ended(conn, "passar_do_tempo"))["status"] == "timeout"


async def test_a_client_that_stops_waiting_ends_it_as_cancelled(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        call = asyncio.create_task(client.call_tool("esperar", {"segundos": 60}))
        await is_running(conn, "esperar")
        call.cancel()
        row = await ended(conn, "esperar")
        assert (row["status"], row["error_code"]) == ("cancelled", "cliente_desistiu")
        assert (await client.call_tool("somar", {"a": 1, "b": 1})).data == 2


async def test_a_client_whose_time_is_up_ends_it_as_cancelled(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        # On a busy machine the time may be up before the call has come in.
        for patience in (0.3, 3.0, 30.0):
            with pytest.raises(Exception, match=r"(?i)time"):
                await client.call_tool("esperar", {"segundos": 60}, timeout=patience)
            if await rows(conn, "esperar"):
                break
    assert (await ended(conn, "esperar"))["status"] == "cancelled"


async def test_an_operators_cancel_becomes_a_clear_answer(
    server: FastMCP[Any], controller: ProcessController, conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        call = asyncio.create_task(client.call_tool("esperar", {"segundos": 60}))
        await is_running(conn, "esperar")
        [row] = await rows(conn, "esperar")
        executions = (await controller.ready()).executions
        await executions.cancel(LIBRARY, row["execution_id"], "manutenção")
        with pytest.raises(ToolError, match="manutenção"):
            await call
        assert (await ended(conn, "esperar"))["status"] == "cancelled"
        assert (await client.call_tool("somar", {"a": 1, "b": 1})).data == 2


async def test_an_operators_cancel_of_a_step_ends_its_tool_and_nothing_else(
    server: FastMCP[Any], controller: ProcessController, conn: asyncpg.Connection, mode: Any
) -> None:
    """The step's cancellation is not the connection's: the caller is told, and can go on."""

    @server.tool
    async def em_etapas() -> str:
        async with controller.track("somar_vendas"):
            await asyncio.sleep(60)
        return "pronto"

    async with Client(server, mode=mode) as client:
        call = asyncio.create_task(client.call_tool("em_etapas", {}))
        await is_running(conn, "somar_vendas")
        [step] = await rows(conn, "somar_vendas")
        executions = (await controller.ready()).executions
        await executions.cancel(LIBRARY, step["execution_id"], "manutenção")
        with pytest.raises(ToolError, match=r"(?s)somar_vendas foi cancelada.*manutenção.*O que fazer"):
            await call
        assert (await client.call_tool("somar", {"a": 1, "b": 1})).data == 2
    assert (await ended(conn, "somar_vendas"))["status"] == "cancelled"
    tool = await ended(conn, "em_etapas")
    assert (tool["status"], tool["error_code"]) == ("failed", "cancelada")


async def test_an_operators_cancel_of_a_reading_becomes_a_clear_answer(
    controller: ProcessController, conn: asyncpg.Connection, mode: Any
) -> None:
    controlled = control(controller)
    mcp: FastMCP[Any] = FastMCP("loja", middleware=[Reading(controlled), controlled])

    @mcp.resource("loja://estoque")
    async def estoque() -> str:
        await asyncio.sleep(60)
        return "vazio"

    async with Client(mcp, mode=mode) as client:
        reading = asyncio.create_task(client.read_resource("loja://estoque"))
        await is_running(conn, "ler_recurso")
        [row] = await rows(conn, "ler_recurso")
        await (await controller.ready()).executions.cancel(LIBRARY, row["execution_id"], "manutenção")
        with pytest.raises(Exception, match=r"(?s)manutenção.*O que fazer"):
            await reading
        assert await client.list_tools() == []
    assert (await ended(conn, "ler_recurso"))["status"] == "cancelled"


async def test_a_cancellation_of_the_tools_own_making_is_its_failure(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    """No client has left: the tool waited for a task that somebody else had cancelled."""

    @server.tool
    async def esperar_o_cancelado() -> str:
        other = asyncio.create_task(asyncio.sleep(60))
        other.cancel()
        await other
        return "pronto"

    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match="erro interno"):
            await client.call_tool("esperar_o_cancelado", {})
        assert (await client.call_tool("somar", {"a": 1, "b": 1})).data == 2
    row = await ended(conn, "esperar_o_cancelado")
    assert (row["status"], row["error_code"]) == ("failed", "erro_da_ferramenta")


async def test_what_failed_in_a_group_of_tasks_is_told_as_itself(
    server: FastMCP[Any], controller: ProcessController, conn: asyncpg.Connection, mode: Any
) -> None:
    async def step(name: str, *errors: Exception) -> None:
        async with controller.track(name):
            for error in errors:
                raise error
            await asyncio.sleep(60)

    @server.tool
    async def em_grupo() -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(step("etapa_lenta"))
            group.create_task(step("etapa_ocupada", OmieBusy("O Omie pede uma pausa.")))
        return "pronto"

    @server.tool
    async def em_dois_erros() -> str:
        raise ExceptionGroup("dois", [ValueError("um"), KeyError("outro")])

    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=r"(?s)O Omie pede uma pausa.*O que fazer"):
            await client.call_tool("em_grupo", {})
        with pytest.raises(ToolError, match="erro interno"):
            await client.call_tool("em_dois_erros", {})
    assert (await ended(conn, "em_grupo"))["error_code"] == "omie_ocupado"
    assert (await ended(conn, "em_dois_erros"))["error_message"] == "ValueError: um; KeyError: 'outro'"


async def test_an_unknown_tool_is_a_refusal(server: FastMCP[Any], conn: asyncpg.Connection, mode: Any) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=r"(?s)apagar_tudo.*não existe.*execution_id: apagar_tudo_"):
            await client.call_tool("apagar_tudo", {"certeza": True})
    [row] = await rows(conn)
    assert (row["status"], row["error_code"]) == ("failed", "ferramenta_desconhecida")
    assert row["completed_at"] is not None


async def test_a_hidden_tool_looks_unknown(server: FastMCP[Any], conn: asyncpg.Connection, mode: Any) -> None:
    server.disable(names={"somar"})
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match="não existe ou não está disponível"):
            await client.call_tool("somar", {"a": 1, "b": 2})
    assert (await ended(conn, "somar"))["error_code"] == "ferramenta_desconhecida"


async def test_a_wrong_argument_is_named_and_its_value_never_repeated(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "529.982.247-25"
    caplog.set_level(logging.DEBUG)
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError) as caught:
            await client.call_tool("somar", {"a": secret, "c": 1})
    text = str(caught.value)
    assert "- a: esperado um número inteiro." in text
    assert "- b: é obrigatório e não veio." in text
    assert secret not in text
    assert "input_value" not in text
    row = await ended(conn, "somar")
    assert (row["status"], row["error_code"]) == ("failed", "dado_invalido")
    assert secret not in str(row)
    ours = [record for record in caplog.records if not record.name.startswith(("mcp", "fastmcp.client"))]
    assert not [record for record in ours if secret in record.getMessage() or secret in (record.exc_text or "")]


async def test_what_a_tool_found_wrong_inside_is_not_repeated_either(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match="erro interno"):
            await client.call_tool("ler_pedido", {"total": "sigilo-77"})
    row = await ended(conn, "ler_pedido")
    assert "sigilo-77" not in row["error_message"]
    assert "total: esperado um número inteiro" in row["error_message"]


async def test_a_heavy_argument_is_refused_and_not_kept(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match="2 MB"):
            await client.call_tool("recusar", {"motivo": "x" * 30_000_000})
    row = await ended(conn, "recusar")
    assert row["error_code"] == "grande_demais"
    assert len(str(row["input_parameters"])) < 1000


async def test_what_a_tool_starts_becomes_its_children(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        await client.call_tool("fechar", {})
    parent, step, call = await rows(conn)
    assert [parent["process_type"], step["process_type"], call["process_type"]] == ["fechar", "etapa", "somar"]
    assert parent["parent_id"] is None
    assert step["parent_id"] == call["parent_id"] == parent["id"]
    assert {row["status"] for row in (parent, step, call)} == {"completed"}


async def test_a_decorated_tool_is_one_execution_not_two(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        tools = {tool.name: tool for tool in await client.list_tools()}
        assert list(tools["conciliar"].input_schema["properties"]) == ["conta"]
        assert (await client.call_tool("conciliar", {"conta": 7})).data == {"conta": 7}
    [row] = await rows(conn)
    assert (row["process_type"], row["category"], row["complexity"]) == (
        "conciliar_extrato",
        "financeiro",
        "especializada",
    )
    assert row["input_parameters"] == {"conta": 7}


async def test_a_decorated_function_called_by_a_tool_is_its_child(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        await client.call_tool("conciliar_duas", {})
    parent, first, second = await rows(conn)
    assert parent["process_type"] == "conciliar_duas"
    assert {first["parent_id"], second["parent_id"]} == {parent["id"]}


async def test_many_at_once_each_have_their_own(server: FastMCP[Any], conn: asyncpg.Connection, mode: Any) -> None:
    async with Client(server, mode=mode) as client:
        results = await asyncio.gather(*(client.call_tool("somar", {"a": n, "b": 0}) for n in range(40)))
    found = {row["execution_id"]: row["response_data"]["result"] for row in await rows(conn)}
    assert found == {result.meta["execution_id"]: result.data for result in results if result.meta}
    assert len(found) == 40


async def test_a_question_to_the_caller_ends_the_round(
    server: FastMCP[Any], conn: asyncpg.Connection, mode: Any
) -> None:
    async with Client(server, mode=mode) as client:
        with pytest.raises(Exception):  # noqa: B017 - the client has no handler for questions
            await asyncio.wait_for(client.call_tool("perguntar", {}), 60)

    async def has_row() -> bool:
        return bool(await rows(conn, "perguntar"))

    await eventually(has_row)
    assert (await ended(conn, "perguntar"))["status"] == "completed"


async def test_an_end_that_is_not_written_yet_is_not_acknowledged(
    server: FastMCP[Any],
    controller: ProcessController,
    conn: asyncpg.Connection,
    mode: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(handle: Any, outcome: Any) -> bool:
        raise StorageDown

    monkeypatch.setattr(controller, "end", away)
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=r"(?s)ainda não foi gravado.*execution_id: somar_"):
            await client.call_tool("somar", {"a": 1, "b": 2})

    async def is_there() -> bool:
        return len(await rows(conn)) == 1

    # A quick read's start is held for its end; without one it goes alone.
    await eventually(is_there)
    (row,) = await rows(conn)
    assert row["status"] == "running", "the rescue or the recorder ends it, not a promise"


async def test_a_row_that_postgresql_refuses_is_not_told_as_an_outage(
    server: FastMCP[Any], controller: ProcessController, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(handle: Any, outcome: Any) -> bool:
        raise InvalidInput("O banco de dados recusou os dados desta execução.", hint="Confira os dados enviados.")

    monkeypatch.setattr(controller, "end", refused)
    async with Client(server, mode=mode) as client:
        with pytest.raises(ToolError, match=r"(?s)recusou os dados.*Confira os dados enviados.*execution_id: somar_"):
            await client.call_tool("somar", {"a": 1, "b": 2})
