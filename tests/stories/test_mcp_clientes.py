"""An agent works with a company's clients: through our tools, over HTTP, to a simulated Omie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from tests.conftest import Database
from tests.fixtures_omie import OmieServer
from tests.mcp_serving import rows, serving, settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY, Role
from omie_control.domain.companies import Company
from omie_control.mcp.server import build_mcp_app, build_server
from omie_control.simulator.documents import invent_cnpj
from omie_control.simulator.seed import DEMO_COMPANIES


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path, omie_server: OmieServer) -> AsyncIterator[App]:
    settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie_server.base_url)
    async with open_app(settings, kind="serve") as opened:
        yield opened


@pytest.fixture
async def company(app: App) -> Company:
    return await _connect(app, 0)


async def _connect(app: App, number: int) -> Company:
    demo = DEMO_COMPANIES[number]
    return await app.companies.add(LIBRARY, demo.slug, demo.name, demo.app_key, demo.app_secret)


async def _token(app: App, role: Role = Role.AGENT, **scope: Any) -> str:
    _, secret = await app.tokens.create(LIBRARY, "claude", role, **scope)
    return secret


@pytest.fixture
async def agent(app: App, company: Company) -> AsyncIterator[Client[Any]]:
    async with serving(build_mcp_app(app)) as url, _client(url, await _token(app)) as client:
        yield client


def _client(url: str, secret: str) -> Client[Any]:
    return Client(StreamableHttpTransport(f"{url}/mcp", headers={"Authorization": f"Bearer {secret}"}))


async def test_without_arguments_the_first_page_of_the_only_company_comes(
    agent: Client[Any], company: Company, conn: asyncpg.Connection
) -> None:
    result = await agent.call_tool("consultar_clientes", {})
    page = result.structured_content
    assert page is not None
    assert (page["empresa"], page["pagina"], page["registros"], page["total_de_registros"]) == (
        company.slug,
        1,
        50,
        137,
    )
    assert page["tem_mais"] is True
    assert "Próxima página: pagina=2." in result.content[0].text
    [row] = await rows(conn, "consultar_clientes")
    assert page["execution_id"] == row["execution_id"]
    assert (row["status"], row["company_id"], row["omie_endpoint"]) == (
        "completed",
        company.id,
        "geral/clientes/ListarClientes",
    )
    assert row["request_payload"] == {"pagina": 1, "registros_por_pagina": 50}
    [call] = await conn.fetch("select * from omie_api_metrics")
    assert (call["success"], call["process_execution_id"]) == (True, row["id"])
    document = next(each["cnpj_cpf"] for each in page["clientes"] if each.get("cnpj_cpf"))
    assert document not in str(row)


async def test_a_client_is_created_found_and_changed(
    agent: Client[Any], omie_server: OmieServer, conn: asyncpg.Connection
) -> None:
    document = invent_cnpj(Random(7))
    made = await agent.call_tool(
        "incluir_cliente",
        {"razao_social": "Padaria Sol Nascente Ltda", "cnpj_cpf": document, "tags": ["Cliente"], "email": "a@sol.com"},
    )
    assert made.structured_content is not None
    code, omie_id = made.structured_content["codigo_integracao"], made.structured_content["codigo_omie"]
    assert len(code) == 20
    found = await agent.call_tool("consultar_cliente_por_codigo", {"codigo_integracao": code})
    assert found.structured_content["cliente"]["codigo_cliente_omie"] == omie_id
    assert found.structured_content["cliente"]["tags"] == ["Cliente"]
    changed = await agent.call_tool(
        "alterar_cliente",
        {"codigo_omie": omie_id, "razao_social": "Padaria Sol Poente Ltda", "cnpj_cpf": document, "email": "b@sol.com"},
    )
    assert changed.structured_content["codigo_omie"] == omie_id
    after = await agent.call_tool("consultar_cliente_por_codigo", {"codigo_omie": omie_id})
    assert after.structured_content["cliente"]["razao_social"] == "Padaria Sol Poente Ltda"
    assert {row["status"] for row in await rows(conn)} == {"completed"}
    assert [row["writes"] for row in await rows(conn)] == [True, False, True, False]


async def test_what_cannot_be_right_never_leaves(
    agent: Client[Any], omie_server: OmieServer, conn: asyncpg.Connection
) -> None:
    wrong = [
        ("incluir_cliente", {"razao_social": "Sol", "cnpj_cpf": "529.982.247-26"}, "cnpj_cpf"),
        (
            "incluir_cliente",
            {"razao_social": "Sol", "outros_campos": {"cliente_fornecedor": "C"}},
            "cliente_fornecedor",
        ),
        ("alterar_cliente", {"razao_social": "Sol"}, "codigo_omie ou codigo_integracao"),
        ("alterar_cliente", {"codigo_omie": 5}, "Nenhum campo"),
        ("consultar_clientes", {"registros_por_pagina": 500}, "registros_por_pagina: esperado no máximo 100"),
        ("consultar_clientes", {"empresa": "nao-existe"}, "nao-existe"),
    ]
    for tool, arguments, said in wrong:
        with pytest.raises(ToolError, match=said) as caught:
            await agent.call_tool(tool, arguments)
        assert "O que fazer:" in str(caught.value)
        assert "execution_id: " in str(caught.value)
        assert "529.982.247-26" not in str(caught.value)
    assert [row["status"] for row in await rows(conn)] == ["failed"] * len(wrong)
    assert await conn.fetchval("select count(*) from omie_api_metrics") == 0


async def test_an_unknown_company_is_answered_with_the_choices(app: App, company: Company) -> None:
    other = await _connect(app, 1)
    async with serving(build_mcp_app(app)) as url, _client(url, await _token(app)) as client:
        with pytest.raises(ToolError) as caught:
            await client.call_tool("consultar_clientes", {})
        assert company.slug in str(caught.value)
        assert other.slug in str(caught.value)


async def test_what_omie_refuses_is_said_in_our_words(agent: Client[Any], conn: asyncpg.Connection) -> None:
    with pytest.raises(ToolError, match="O que fazer:"):
        await agent.call_tool("consultar_cliente_por_codigo", {"codigo_omie": 42})
    [row] = await rows(conn)
    assert row["status"] == "failed"
    assert row["response_status_code"] == 500
    [call] = await conn.fetch("select * from omie_api_metrics")
    assert call["success"] is False


async def test_a_write_of_unknown_fate_says_do_not_repeat(
    agent: Client[Any], omie_server: OmieServer, conn: asyncpg.Connection
) -> None:
    omie_server.plan("broken", call="IncluirCliente", executes=True)
    with pytest.raises(ToolError, match="Não repita"):
        await agent.call_tool(
            "incluir_cliente", {"razao_social": "Padaria Sol Nascente Ltda", "cnpj_cpf": invent_cnpj(Random(7))}
        )
    [row] = await rows(conn)
    assert row["status"] == "uncertain"


async def test_a_viewer_may_not_call_omie(app: App, company: Company, conn: asyncpg.Connection) -> None:
    async with serving(build_mcp_app(app)) as url, _client(url, await _token(app, Role.VIEWER)) as client:
        with pytest.raises(ToolError, match="não permite"):
            await client.call_tool("consultar_clientes", {})
    [row] = await rows(conn)
    assert (row["status"], row["error_code"], row["actor"]) == ("failed", "sem_permissao", "token:claude")
    assert await conn.fetchval("select count(*) from omie_api_metrics") == 0


async def test_a_token_sees_only_its_companies(app: App, company: Company, conn: asyncpg.Connection) -> None:
    other = await _connect(app, 1)
    secret = await _token(app, companies=[other.id])
    async with serving(build_mcp_app(app)) as url, _client(url, secret) as client:
        page = await client.call_tool("consultar_clientes", {})
        assert page.structured_content["empresa"] == other.slug
        with pytest.raises(ToolError) as caught:
            await client.call_tool("consultar_clientes", {"empresa": company.slug})
        assert "execution_id" in str(caught.value)
        state = await client.call_tool("estado_do_sistema", {})
        assert [row["empresa"] for row in state.structured_content["empresas"]] == [other.slug]


async def test_over_stdio_the_caller_reads_but_does_not_write(
    app: App, company: Company, conn: asyncpg.Connection
) -> None:
    async with Client(build_server(app)) as client:
        assert (await client.call_tool("consultar_clientes", {})).structured_content["registros"] == 50
        with pytest.raises(ToolError, match="não permite"):
            await client.call_tool("incluir_cliente", {"razao_social": "Sol"})
    assert [row["actor"] for row in await rows(conn)] == ["stdio:stdio"] * 2


async def test_an_execution_can_be_found_and_shown(agent: Client[Any], company: Company) -> None:
    listed = await agent.call_tool("consultar_clientes", {"registros_por_pagina": 5})
    execution_id = listed.structured_content["execution_id"]
    found = await agent.call_tool("buscar_execucoes", {"tipo": "consultar_clientes", "empresa": company.slug})
    assert [row["execution_id"] for row in found.structured_content["execucoes"]] == [execution_id]
    shown = (await agent.call_tool("mostrar_execucao", {"execution_id": execution_id})).structured_content
    assert shown["situacao"] == "completed"
    assert shown["chamadas"][0]["metodo"] == "geral/clientes/ListarClientes"
    with pytest.raises(ToolError, match="não existe"):
        await agent.call_tool("mostrar_execucao", {"execution_id": "nada_20260101_000000_x"})
