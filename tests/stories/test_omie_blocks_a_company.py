"""Omie shuts a company out for half an hour: every face says which, because of what, and until when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from tests.integration.web.conftest import PASSWORD, browser, log_in
from tests.mcp_serving import serving
from tests.writing import OWNER, WritingHouse

from omie_control.cli.doctor import examine
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.mcp.server import build_server
from omie_control.web import build_web

STRANGER = Actor(ActorKind.TOKEN, "estranho", Role.VIEWER, companies=frozenset())
SENTENCE = re.compile(
    r"O Omie bloqueou as chamadas da empresa padaria até (\d\d/\d\d )?\d\d:\d\d:\d\d "
    r"\(por mais \d+ min(utos|( \d+ s)?)\), por consumo indevido em geral/clientes/ListarClientes\. "
    r"Nenhuma chamada dela sai até lá; basta esperar\."
)


async def test_every_face_says_until_when(writing: WritingHouse) -> None:
    app = writing.app
    assert await app.blocks.list(OWNER) == []
    writing.omie.plan("425", call="ListarClientes")
    async with Client(build_server(app)) as client:
        with pytest.raises(ToolError):
            await client.call_tool("consultar_clientes", {})
        state = await client.call_tool("estado_do_sistema", {})
    (told,) = state.structured_content["bloqueios_do_omie"]
    assert (told["empresa"], told["metodo"]) == ("padaria", "geral/clientes/ListarClientes")
    assert 1000 < told["faltam_segundos"] <= 1800
    assert SENTENCE.fullmatch(told["significado"])
    assert told["significado"] in state.content[0].text
    left = datetime.fromisoformat(told["ate"]) - datetime.now(UTC)
    assert timedelta(seconds=1000) < left <= timedelta(seconds=1800)

    (finding,) = [each for each in await examine(app.settings) if "bloqueou" in each.what]
    assert finding.level == "warning"
    assert SENTENCE.fullmatch(finding.what)

    await app.users.ensure_admin(PASSWORD)
    async with serving(build_web(app)) as url, browser(url) as client:
        figures = (await client.get("/metrics")).text
        await log_in(client, "admin", PASSWORD)
        page = (await client.get("/")).text
        client.cookies.set("omie_control_idioma", "en")
        in_english = (await client.get("/")).text
    assert re.search(
        r'omie_control_omie_blocked_seconds\{company="padaria",endpoint="geral/clientes/ListarClientes"\} 1\d\d\d',
        figures,
    )
    assert "O Omie bloqueou as chamadas da empresa padaria até" in page
    assert re.search(r"Faltam \d\d min \d\d s; o motivo foi consumo indevido em geral/clientes/ListarClientes", page)
    assert "Omie blocks the calls of company padaria until" in in_english


async def test_who_may_not_see_a_company_does_not_hear_of_its_block(writing: WritingHouse) -> None:
    writing.omie.plan("425", call="ListarClientes")
    async with Client(build_server(writing.app)) as client:
        with pytest.raises(ToolError):
            await client.call_tool("consultar_clientes", {})
    (block,) = await writing.app.blocks.list(OWNER)
    assert block.company_id == writing.writer.company.id
    assert await writing.app.blocks.list(STRANGER) == []
