"""Whoever reads an old execution, over REST or MCP, is told that its bodies were cut, and of a whole one that it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
from fastmcp import Client
from tests.conftest import Database
from tests.integration.web.conftest import SYSTEM, House, open_house

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.mcp.server import build_server

AGENT = Actor(ActorKind.STDIO, "leitora", Role.AGENT)
SAID = "o que era longo na entrada, no pedido e na resposta foi resumido"


async def over_rest(house: House, execution_id: str) -> dict[str, Any]:
    _, text = await house.app.tokens.create(SYSTEM, "programa", Role.VIEWER)
    headers = {"Authorization": f"Bearer {text}"}
    async with httpx2.AsyncClient(base_url=house.url, headers=headers, timeout=60) as client:
        answer = await client.get(f"/api/v1/executions/{execution_id}")
    shown: dict[str, Any] = answer.json()
    return shown


async def over_mcp(house: House, execution_id: str) -> tuple[dict[str, Any], str]:
    async with Client(build_server(house.app, stdio_actor=AGENT)) as client:
        answer = await client.call_tool("mostrar_execucao", {"execution_id": execution_id})
    return dict(answer.structured_content or {}), str(answer.content[0].text)


async def test_an_old_execution_is_shown_as_cut_on_every_face(
    database: Database, valkey_url: str, tmp_path: Path
) -> None:
    async with open_house(database, valkey_url, tmp_path) as house:
        handle = await house.begin("consultar_clientes")
        await house.end(handle, response={"clientes": [{"codigo": number} for number in range(30)]})
        name = handle.execution_id
        assert (await over_rest(house, name))["is_slimmed"] is False
        facts, text = await over_mcp(house, name)
        assert facts["resumida"] is False and SAID not in text

        assert await house.app.services.seals.slim(handle.started_at.date().replace(day=1)) > 0

        shown = await over_rest(house, name)
        assert (shown["is_slimmed"], shown["response_data"]) == (True, {"clientes": [{"_resumido": 30}]})
        facts, text = await over_mcp(house, name)
        assert (facts["resumida"], facts["resposta"]) == (True, {"clientes": [{"_resumido": 30}]})
        assert SAID in text
