"""What a client reads without a tool: resources and prompts, recorded and judged like everything else."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import orjson
import pytest
from fastmcp import Client
from fastmcp.exceptions import McpError
from tests.mcp_serving import MODES, rows, text_of
from tests.stories.tools.conftest import Running
from tests.tool_stories import House

from omie_control.domain.actors import LIBRARY, Actor, ActorKind, Role
from omie_control.domain.executions import Status
from omie_control.mcp.server import build_server
from omie_control.omie.catalog import catalog
from omie_control.postgres import alerts
from omie_control.postgres.alerts import Severity
from omie_control.services.executions import Outcome, Request

RESOURCES = {"omie://database/status", "omie://metrics/summary", "omie://alerts/active", "omie://companies"}
_NAMED = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")


async def _read(client: Client[Any], uri: str) -> Any:
    [content] = await client.read_resource(uri)
    return orjson.loads(text_of(content))


def _reader(running: Running, name: str = "leitor de recursos", **more: Any) -> Client[Any]:
    actor = Actor(ActorKind.STDIO, name, more.pop("role", Role.AGENT), may_write=False, **more)
    return Client(build_server(running.app, stdio_actor=actor))


@pytest.mark.parametrize("mode", MODES)
async def test_each_resource_is_listed_read_and_recorded(house: House, running: Running, mode: Any) -> None:
    actor = Actor(ActorKind.STDIO, f"recursos-{mode}", Role.AGENT)
    async with Client(build_server(running.app, stdio_actor=actor), mode=mode) as client:
        assert {str(resource.uri) for resource in await client.list_resources()} == RESOURCES
        [template] = await client.list_resource_templates()
        assert template.uri_template == "omie://metodos/{grupo}/{servico}/{metodo}"
        status = await _read(client, "omie://database/status")
        assert status["pronto"] is True
        assert status["postgresql"]["conexoes"] > 0
        summary = await _read(client, "omie://metrics/summary")
        assert summary["execucoes"] == sum(each["execucoes"] for each in summary["por_tipo"])
        companies = await _read(client, "omie://companies")
        assert house.slug in {each["empresa"] for each in companies["empresas"]}
        assert "alertas" in await _read(client, "omie://alerts/active")
    owner = running.app.settings.database_owner_url
    assert owner is not None
    connection = await asyncpg.connect(owner.get_secret_value())
    try:
        found = [row for row in await rows(connection, "ler_recurso") if row["actor"] == actor.label]
    finally:
        await connection.close()
    assert {row["input_parameters"]["uri"] for row in found} == RESOURCES
    assert {(row["status"], row["writes"], row["category"]) for row in found} == {("completed", False, "sistema")}


async def test_help_of_every_method_can_be_read(house: House) -> None:
    for method in catalog().methods[::40]:
        [help_text] = await house.client.read_resource(f"omie://metodos/{method.endpoint}")
        assert method.endpoint in text_of(help_text)
    with pytest.raises(McpError, match="nome certo parece ser 'geral/clientes/ListarClientes'"):
        await house.client.read_resource("omie://metodos/geral/clientes/ListarCliente")
    with pytest.raises(McpError):
        await house.client.read_resource("omie://metodos/../../etc/passwd")
    with pytest.raises(McpError, match="not found"):
        await house.client.read_resource("omie://nada")


async def test_a_scope_sees_its_companies_alerts_and_no_total(house: House, running: Running) -> None:
    app = running.app
    mine = await app.companies.resolve(LIBRARY, house.slug)
    handles = [
        await app.executions.start(Request("incluir_cliente", {}, LIBRARY, company=company))
        for company in (mine.id, None)
    ]
    async with app.db.postgres.transaction() as tx:
        for handle, title in zip(handles, ("da empresa", "de ninguém"), strict=True):
            await alerts.add(tx, "teste", Severity.WARNING, f"{house.slug} {title}", "texto", execution=handle.id)
    for handle in handles:
        await app.executions.finish(handle, Outcome(Status.COMPLETED))
    scope = frozenset({mine.id})
    async with _reader(running, companies=scope) as client:
        seen = [each["titulo"] for each in (await _read(client, "omie://alerts/active"))["alertas"]]
        assert seen == [f"{house.slug} da empresa"]
        assert [each["empresa"] for each in (await _read(client, "omie://companies"))["empresas"]] == [house.slug]
        with pytest.raises(McpError, match="só vê algumas"):
            await client.read_resource("omie://metrics/summary")
    async with _reader(running) as client:
        everything = [each["titulo"] for each in (await _read(client, "omie://alerts/active"))["alertas"]]
        assert {f"{house.slug} da empresa", f"{house.slug} de ninguém"} <= set(everything)


async def test_who_may_run_nothing_reads_nothing(house: House, running: Running) -> None:
    async with _reader(running, "espectador", role=Role.VIEWER) as client:
        with pytest.raises(McpError, match="não permite iniciar execuções"):
            await client.read_resource("omie://companies")
        with pytest.raises(McpError, match="não permite iniciar execuções"):
            await client.get_prompt("cobranca")


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("fechamento_do_mes", {"mes": "02/2024"}, "01/02/2024 a 29/02/2024"),
        ("fechamento_do_mes", {"mes": "12/2025", "empresa": "demo"}, "da empresa 'demo'"),
        ("fechamento_do_mes", {}, "iniciar_tarefa"),
        ("cobranca", {"dias_de_atraso": "15"}, "vencidos até"),
        ("conciliacao", {"conta": "Itaú", "de": "01/10/2026", "ate": "31/10/2026"}, "01/10/2026 a 31/10/2026"),
    ],
)
async def test_a_prompt_names_real_tools(
    house: House, running: Running, name: str, arguments: dict[str, str], says: str
) -> None:
    prompt = await house.client.get_prompt(name, arguments)
    text = text_of(prompt.messages[0].content)
    assert says in text
    named = set(_NAMED.findall(text))
    tools = {tool.name for tool in await build_server(running.app).list_tools(run_middleware=False)}
    assert len(named) >= 5
    assert named <= tools


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("fechamento_do_mes", {"mes": "13/2026"}, "mes: esperado"),
        ("fechamento_do_mes", {"mes": "outubro"}, "mes: esperado"),
        ("cobranca", {"dias_de_atraso": "-1"}, "dias_de_atraso: esperado"),
        ("cobranca", {"dias_de_atraso": "99999"}, "dias_de_atraso: esperado"),
        ("conciliacao", {"conta": "  "}, "conta: informe"),
        ("conciliacao", {}, "conta: é obrigatório e não veio"),
        ("conciliacao", {"conta": "Itaú", "de": "31/02/2026"}, "de: esperada uma data"),
        ("conciliacao", {"conta": "Itaú", "de": "01/02/2026", "ate": "01/01/2026"}, "de: esperada uma data até"),
    ],
)
async def test_a_prompt_says_what_is_wrong(house: House, name: str, arguments: dict[str, str], says: str) -> None:
    with pytest.raises(McpError, match=says):
        await house.client.get_prompt(name, arguments)
