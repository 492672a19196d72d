"""Errands: calls are grouped without a word in both eras, by token, header, argument; and what that never changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from tests.conftest import Database
from tests.fixtures_omie import OmieServer
from tests.mcp_serving import MODES, rows, serving, settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY, Role
from omie_control.domain.companies import Company
from omie_control.mcp.server import build_mcp_app
from omie_control.simulator.seed import DEMO_COMPANIES

CLIENT = {"razao_social": "Padaria Sol Nascente Ltda", "cnpj_cpf": "11.222.333/0001-81"}
LIST = "consultar_clientes"


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path, omie_server: OmieServer) -> AsyncIterator[App]:
    settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie_server.base_url)
    async with open_app(settings, kind="serve") as opened:
        yield opened


@pytest.fixture
async def company(app: App) -> Company:
    demo = DEMO_COMPANIES[0]
    return await app.companies.add(LIBRARY, demo.slug, demo.name, demo.app_key, demo.app_secret)


@pytest.fixture
async def url(app: App, company: Company) -> AsyncIterator[str]:
    async with serving(build_mcp_app(app)) as address:
        yield f"{address}/mcp"


async def _token(app: App, name: str = "claude", role: Role = Role.AGENT, **scope: Any) -> str:
    _, secret = await app.tokens.create(LIBRARY, name, role, **scope)
    return secret


def _client(url: str, secret: str, mode: Any = "auto", **headers: str) -> Client[Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(StreamableHttpTransport(url, headers={"Authorization": f"Bearer {secret}", **sent}), mode=mode)


async def _open(client: Client[Any], goal: str = "Conferir os clientes novos") -> str:
    opened = await client.call_tool("iniciar_tarefa", {"objetivo": goal})
    assert opened.structured_content is not None
    return str(opened.structured_content["tarefa"])


@pytest.mark.parametrize("mode", MODES)
async def test_a_tokens_calls_join_its_open_errand(app: App, url: str, mode: Any, conn: asyncpg.Connection) -> None:
    async with _client(url, await _token(app), mode) as client:
        name = await _open(client)
        await client.call_tool(LIST, {"registros_por_pagina": 1})
        with pytest.raises(ToolError):
            await client.call_tool(LIST, {"pagina": 0})
        middle = await client.call_tool("resumo_da_tarefa", {})
        closed = await client.call_tool("encerrar_tarefa", {"resultado": "Um cliente conferido", "situacao": "parcial"})
        await client.call_tool(LIST, {"registros_por_pagina": 1})
    assert middle.structured_content is not None
    assert middle.structured_content["situacao"] == "aberta"
    told = closed.structured_content
    assert told is not None
    assert (told["tarefa"], told["objetivo"]) == (name, "Conferir os clientes novos")
    assert (told["situacao"], told["resultado"]) == ("parcial", "Um cliente conferido")
    assert (told["falhas"], told["incertas"], told["escritas"]) == (1, 0, 0)
    assert {(row["tipo"], row["situacao"]) for row in told["por_ferramenta"]} >= {
        (LIST, "completed"),
        (LIST, "failed"),
        ("resumo_da_tarefa", "completed"),
    }
    found = [(row["process_type"], row["fastmcp_session_id"] == name) for row in await rows(conn)]
    assert found == [
        ("iniciar_tarefa", False),
        (LIST, True),
        (LIST, True),
        ("resumo_da_tarefa", True),
        ("encerrar_tarefa", True),
        (LIST, False),
    ]


async def test_header_and_argument_name_it_for_other_callers(app: App, url: str, conn: asyncpg.Connection) -> None:
    async with _client(url, await _token(app)) as client:
        name = await _open(client)
    script = await _token(app, "script")
    async with _client(url, script) as other:
        await other.call_tool(LIST, {"tarefa": name, "registros_por_pagina": 1})
        await other.call_tool(LIST, {"registros_por_pagina": 2})
    async with _client(url, script, X_Omie_Control_Tarefa=name) as other:
        await other.call_tool(LIST, {"registros_por_pagina": 3})
    calls = await rows(conn, LIST)
    assert [row["fastmcp_session_id"] == name for row in calls] == [True, False, True]
    assert all("tarefa" not in row["input_parameters"] for row in calls)


@pytest.mark.parametrize("named", [5, "", "x" * 101, ["a"], "a\x00b", {"a": 1}])
async def test_what_is_no_name_is_refused(app: App, url: str, named: Any, omie_server: OmieServer) -> None:
    async with _client(url, await _token(app)) as client:
        refused = await client.call_tool(LIST, {"tarefa": named}, raise_on_error=False)
    assert refused.is_error
    assert "tarefa: esperado" in refused.content[0].text
    assert omie_server.simulator.book.entries == []


async def test_a_closed_or_unknown_errand_takes_in_no_call_to_omie(
    app: App, url: str, omie_server: OmieServer, conn: asyncpg.Connection
) -> None:
    async with _client(url, await _token(app)) as client:
        name = await _open(client)
        await client.call_tool("encerrar_tarefa", {"resultado": "pronto"})
        closed = await client.call_tool(LIST, {"tarefa": name}, raise_on_error=False)
        last = "0" if name[-1] != "0" else "1"
        unknown = await client.call_tool(LIST, {"tarefa": name[:-1] + last}, raise_on_error=False)
        again = await client.call_tool("encerrar_tarefa", {"resultado": "pronto", "tarefa": name}, raise_on_error=False)
        label = await client.call_tool(LIST, {"tarefa": "fechamento de novembro"}, raise_on_error=False)
    assert "já foi encerrada" in closed.content[0].text
    assert "não existe" in unknown.content[0].text
    assert "já tinha sido encerrada" in again.content[0].text
    assert not label.is_error
    assert len(omie_server.simulator.book.entries) == 1
    assert (await rows(conn, LIST))[-1]["fastmcp_session_id"] == "fechamento de novembro"


async def test_nobody_closes_or_sees_what_is_not_theirs(app: App, url: str, company: Company) -> None:
    other = await app.companies.add(LIBRARY, "outra", "Outra Ltda", "1234567890123", "0" * 32)
    async with _client(url, await _token(app, default_company=company.id)) as client:
        opened = await client.call_tool("iniciar_tarefa", {"objetivo": "Meu trabalho", "empresa": company.slug})
        assert opened.structured_content is not None
        name = opened.structured_content["tarefa"]
    async with _client(url, await _token(app, "colega")) as peer:
        refused = await peer.call_tool("encerrar_tarefa", {"resultado": "fim", "tarefa": name}, raise_on_error=False)
        seen = await peer.call_tool("resumo_da_tarefa", {"tarefa": name})
    async with _client(url, await _token(app, "de fora", companies=[other.id])) as stranger:
        hidden = await stranger.call_tool("resumo_da_tarefa", {"tarefa": name}, raise_on_error=False)
    assert "é de outro acesso" in refused.content[0].text
    assert seen.structured_content is not None
    assert "não existe" in hidden.content[0].text


async def test_a_retry_is_a_retry_whatever_errand_is_open(
    app: App, url: str, omie_server: OmieServer, conn: asyncpg.Connection
) -> None:
    """An errand that was only opened tells no writes apart: the same write again is not sent again."""
    async with _client(url, await _token(app)) as client:
        first = await client.call_tool("incluir_cliente", CLIENT)
        await _open(client)
        again = await client.call_tool("incluir_cliente", CLIENT)
        await client.call_tool("encerrar_tarefa", {"resultado": "feito"})
        third = await client.call_tool("incluir_cliente", CLIENT)
    for repeated in (again, third):
        assert repeated.structured_content is not None
        assert repeated.structured_content["repetida_de"] == first.structured_content["execution_id"]
    assert sum(entry.is_executed for entry in omie_server.simulator.book.entries) == 1


async def test_a_retry_after_a_reconnection_is_a_retry(app: App, url: str, omie_server: OmieServer) -> None:
    """The handshake's session is another one after a reconnection; the write is the same."""
    secret = await _token(app)
    results = []
    for _ in range(2):
        async with _client(url, secret, "legacy") as client:
            results.append((await client.call_tool("incluir_cliente", CLIENT)).structured_content)
    assert results[1]["repetida_de"] == results[0]["execution_id"]
    assert sum(entry.is_executed for entry in omie_server.simulator.book.entries) == 1


async def test_a_named_errand_makes_an_equal_write_another_one(app: App, url: str, omie_server: OmieServer) -> None:
    async with _client(url, await _token(app)) as client:
        first = await client.call_tool("incluir_cliente", {**CLIENT, "tarefa": "lote 1"})
        other = await client.call_tool("incluir_cliente", {**CLIENT, "tarefa": "lote 2"}, raise_on_error=False)
    assert first.structured_content is not None
    assert "repetida_de" not in (other.structured_content or {})
    assert (
        len([entry for entry in omie_server.simulator.book.entries if entry.endpoint.endswith("IncluirCliente")]) == 2
    )


async def test_personal_data_in_a_goal_is_masked(app: App, url: str, conn: asyncpg.Connection) -> None:
    async with _client(url, await _token(app)) as client:
        await _open(client, "Cobrar o CPF 529.982.247-25, fulano@exemplo.com.br")
    kept = await conn.fetchval("select goal from errands")
    assert "529.982.247-25" not in kept
    assert "fulano@" not in kept


async def test_conversations_of_one_token_are_told_apart_where_there_are_sessions(
    app: App, url: str, conn: asyncpg.Connection
) -> None:
    secret = await _token(app)
    async with _client(url, secret, "legacy") as one, _client(url, secret, "legacy") as two:
        first, second = await _open(one, "primeira conversa"), await _open(two, "segunda conversa")
        await one.call_tool(LIST, {"registros_por_pagina": 1})
        await two.call_tool(LIST, {"registros_por_pagina": 2})
    assert [row["fastmcp_session_id"] for row in await rows(conn, LIST)] == [first, second]


async def test_a_second_one_says_that_the_first_is_open(app: App, url: str) -> None:
    async with _client(url, await _token(app)) as client:
        first = await _open(client)
        second = await client.call_tool("iniciar_tarefa", {"objetivo": "Outra coisa"})
        none = await client.call_tool("resumo_da_tarefa", {"tarefa": "tarefa_x"}, raise_on_error=False)
    assert second.structured_content is not None
    assert second.structured_content["anterior"] == first
    assert "não existe" in none.content[0].text
