"""A client's list of tools is short; everything else is found by its words and answers to its name."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from tests.conftest import Database
from tests.fixtures_omie import OmieServer
from tests.mcp_serving import MODES, rows, serving, settings_for

from omie_control.app import App, open_app
from omie_control.domain.actors import LIBRARY, Actor, ActorKind, Role
from omie_control.mcp.search import ENVELOPE, LISTED, SEARCH
from omie_control.mcp.server import build_mcp_app, build_server
from omie_control.simulator.seed import DEMO_COMPANIES

TOKENS_MAX = 6_000
CHARACTERS_A_TOKEN = 4


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path, omie_server: OmieServer) -> AsyncIterator[App]:
    settings = settings_for(database, valkey_url, tmp_path, omie_base_url=omie_server.base_url)
    async with open_app(settings, kind="serve") as opened:
        demo = DEMO_COMPANIES[0]
        await opened.companies.add(LIBRARY, demo.slug, demo.name, demo.app_key, demo.app_secret)
        yield opened


@pytest.fixture
async def url(app: App) -> AsyncIterator[str]:
    async with serving(build_mcp_app(app)) as address:
        yield f"{address}/mcp"


async def _client(app: App, url: str, mode: Any = "auto", *, role: Role = Role.AGENT, **headers: str) -> Client[Any]:
    _, secret = await app.tokens.create(LIBRARY, "claude", role)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(StreamableHttpTransport(url, headers={"Authorization": f"Bearer {secret}", **headers}), mode=mode)


def _reader(app: App) -> Client[Any]:
    return Client(build_server(app, stdio_actor=Actor(ActorKind.STDIO, "leitor", Role.AGENT, may_write=False)))


@pytest.mark.parametrize("mode", MODES)
async def test_the_first_list_is_short_and_the_whole_one_can_be_had(app: App, url: str, mode: Any) -> None:
    async with await _client(app, url, mode) as client:
        listed = await client.list_tools()
    shown = orjson.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed])
    assert len(shown.decode()) / CHARACTERS_A_TOKEN <= TOKENS_MAX
    assert {tool.name for tool in listed} == LISTED
    async with await _client(app, f"{url}?ferramentas=todas", mode) as client:
        by_parameter = await client.list_tools()
    async with await _client(app, url, mode, X_Omie_Control_Ferramentas="Todas") as client:
        by_header = await client.list_tools()
    names = {tool.name for tool in by_parameter}
    assert names == {tool.name for tool in by_header} > LISTED
    assert all(tool.output_schema for tool in by_parameter)


@pytest.mark.parametrize("mode", MODES)
async def test_what_is_not_listed_is_found_and_called_by_name(
    app: App, url: str, mode: Any, conn: asyncpg.Connection
) -> None:
    async with await _client(app, url, mode) as client:
        found = await client.call_tool(SEARCH, {"consulta": "baixar contas a pagar"})
        assert found.structured_content is not None
        first = found.structured_content["ferramentas"][0]
        assert (first["nome"], first["escreve"]) == ("lancar_pagamento", True)
        assert "codigo_omie" in first["esquema"]["properties"]
        assert "lancar_pagamento" not in {tool.name for tool in await client.list_tools()}
        direct = await client.call_tool("consultar_cliente_por_codigo", {"codigo_omie": 1}, raise_on_error=False)
        assert "Não há registro" in direct.content[0].text
    assert [row["process_type"] for row in await rows(conn)] == [SEARCH, "consultar_cliente_por_codigo"]


@pytest.mark.parametrize("mode", MODES)
async def test_an_envelope_is_the_call_inside_it(app: App, url: str, mode: Any, conn: asyncpg.Connection) -> None:
    async with await _client(app, url, mode) as client:
        inside = {"nome": "buscar_execucoes", "argumentos": {"limite": 5}}
        result = await client.call_tool(ENVELOPE, inside)
        assert result.structured_content is not None
        assert "execucoes" in result.structured_content
        without = await client.call_tool(ENVELOPE, {"nome": "estado_do_sistema"})
        assert without.structured_content is not None
        wrong = await client.call_tool(ENVELOPE, {"nome": "nao_existe"}, raise_on_error=False)
        assert "não existe ou não está disponível" in wrong.content[0].text
        assert "Liste as ferramentas" in wrong.content[0].text
        meant = await client.call_tool(ENVELOPE, {"nome": "relatorio_titulos_vencidos"}, raise_on_error=False)
        assert re.search(r"^O que fazer: Talvez: .*titulos_vencidos", meant.content[0].text, re.MULTILINE)
        assert SEARCH in meant.content[0].text
    found = await rows(conn)
    assert [row["process_type"] for row in found] == [
        *("buscar_execucoes", "estado_do_sistema", "nao_existe", "relatorio_titulos_vencidos"),
    ]
    assert found[0]["input_parameters"] == {"limite": 5}


@pytest.mark.parametrize("mode", MODES)
async def test_an_errand_beside_the_envelope_is_the_calls(
    app: App, url: str, mode: Any, conn: asyncpg.Connection
) -> None:
    """`tarefa` goes with any tool, as iniciar_tarefa says; what stands inside the envelope comes first."""
    async with await _client(app, url, mode) as client:
        await client.call_tool(ENVELOPE, {"nome": "estado_do_sistema", "tarefa": "fechamento"})
        inside = {"nome": "estado_do_sistema", "argumentos": {"tarefa": "de dentro"}, "tarefa": "de fora"}
        await client.call_tool(ENVELOPE, inside)
    found = await rows(conn)
    assert [row["process_type"] for row in found] == ["estado_do_sistema", "estado_do_sistema"]
    assert [row["fastmcp_session_id"] for row in found] == ["fechamento", "de dentro"]
    assert [row["input_parameters"] for row in found] == [{}, {}]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"nome": ""},
        {"nome": 5},
        {"nome": ENVELOPE},
        {"nome": ENVELOPE, "argumentos": {"nome": ENVELOPE}},
        {"nome": "estado_do_sistema", "argumentos": []},
        {"nome": "estado_do_sistema", "outro": 1},
    ],
)
async def test_an_unsound_envelope_is_refused(app: App, conn: asyncpg.Connection, arguments: dict[str, Any]) -> None:
    async with _reader(app) as client:
        refused = await client.call_tool(ENVELOPE, arguments, raise_on_error=False)
    assert refused.is_error
    assert "O que fazer" in refused.content[0].text
    [row] = await rows(conn)
    assert (row["process_type"], row["status"]) == (ENVELOPE, "failed")


async def test_what_an_actor_may_not_use_is_neither_listed_nor_found(app: App, url: str) -> None:
    async with await _client(app, f"{url}?ferramentas=todas") as writer:
        everything = {tool.name for tool in await writer.list_tools()}
    whole = build_server(app, stdio_actor=Actor(ActorKind.STDIO, "leitor", Role.AGENT, may_write=False), lists_all=True)
    async with Client(whole) as client:
        reads = {tool.name for tool in await client.list_tools()}
        found = await client.call_tool(SEARCH, {"consulta": "incluir conta a pagar", "limite": 10})
    assert everything - reads >= {"incluir_cliente", "alterar_cliente", "incluir_conta_pagar", "lancar_pagamento"}
    assert {"consultar_clientes", "executar_metodo_omie"} <= reads
    assert found.structured_content is not None
    assert {each["nome"] for each in found.structured_content["ferramentas"]} <= reads
    async with await _client(app, url, role=Role.VIEWER) as viewer:
        assert await viewer.list_tools() == []


async def test_words_without_a_tool_lead_to_the_methods(app: App) -> None:
    async with _reader(app) as client:
        nothing = await client.call_tool(SEARCH, {"consulta": "xyzzy"})
    assert nothing.structured_content == {"ferramentas": []}
    assert "buscar_metodos_omie" in nothing.content[0].text


async def test_a_name_that_is_none_is_answered_with_those_that_may_have_been_meant(app: App) -> None:
    writer = Actor(ActorKind.STDIO, "local", Role.AGENT)

    async def hint(name: str, actor: Actor | None = None) -> str:
        async with Client(build_server(app, stdio_actor=actor)) as client:
            result = await client.call_tool(name, {}, raise_on_error=False)
        told: str = result.content[0].text
        return told.partition("O que fazer: ")[2].partition("\n")[0]

    assert "consultar_contas_receber" in await hint("listar_contas_receber")
    assert await hint("consultar_clientess") == f"Talvez: consultar_clientes. Para outras, procure com {SEARCH}."
    assert "cadastrar_cliente" in await hint("criar_cliente", writer)
    # Who only reads is shown nothing that writes.
    assert await hint(
        "criar_cliente"
    ) == "Talvez: listar_clientes, consultar_clientes, consultar_cliente_por_codigo. " + (
        f"Para outras, procure com {SEARCH}."
    )
    for nothing in ("excluir_tudo", "___", "x" * 200, "\x00"):
        assert (await hint(nothing)).startswith("Liste as ferramentas")
