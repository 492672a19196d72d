"""Webhooks by their tools: an address made for a person to paste, how it stands, and whether the way is open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest
import pytest_asyncio
from fastmcp import Client
from tests.mcp_serving import serving
from tests.stories.tools.conftest import Running
from tests.tool_stories import House, Told

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.mcp.server import build_server
from omie_control.services.webhooks import PATH, SECRET
from omie_control.web import build_web

ADMIN = Actor(ActorKind.STDIO, "administra", Role.ADMIN)
UNKNOWN = {"empresa": "nao-ha"}


@pytest_asyncio.fixture(loop_scope="session")
async def admins(house: House, running: Running) -> AsyncIterator[House]:
    """Give the same house to somebody who administers it."""
    async with Client(build_server(running.app, stdio_actor=ADMIN)) as client:
        yield replace(house, client=client)


@pytest_asyncio.fixture(loop_scope="session")
async def door(running: Running, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Serve the web of the running system, and tell it that this is its address."""
    async with serving(build_web(running.app)) as url:
        monkeypatch.setattr(running.app.services.webhooks, "base_url", url)
        yield url


def secret_of(told: Told) -> str:
    url = str(told.data["endereco_secreto"])
    secret = url.rpartition("/")[2]
    assert SECRET.fullmatch(secret)
    assert url in told.text
    return secret


async def post(url: str, house: House, secret: str, **more: Any) -> int:
    event = {"messageId": str(uuid4()), "topic": "Projeto.Incluido", "appKey": house.app_key, "event": {}, **more}
    async with httpx2.AsyncClient(timeout=60) as omie:
        return (await omie.post(url + PATH + secret, json=event)).status_code


async def test_good_an_address_is_made_shown_once_and_recorded_masked(admins: House, running: Running) -> None:
    made = await admins.call("webhook_configure")
    secret = secret_of(made)
    assert (made.data["acao"], made.data["prefixo"]) == ("criar", secret[:12])
    assert len(made.data["passos"]) == 3
    assert "não o alcança" in made.data["aviso"]
    async with running.app.db.postgres.reading() as connection:
        kept = await connection.fetchrow(
            "select * from process_executions where execution_id = $1", made.data["execution_id"]
        )
        audited = await connection.fetch("select * from audit_events where object_id = $1", made.data["prefixo"])
    assert kept is not None
    assert orjson.loads(kept["response_data"])["endereco_secreto"] == "•••"
    assert secret not in str(dict(kept))
    assert [row["action"] for row in audited] == ["webhook.created"]
    assert secret not in str([dict(row) for row in audited])
    # What was sealed of the execution holds no secret either: there is nothing to reveal, or nothing of it.
    shown = await admins.call("mostrar_execucao", execution_id=made.data["execution_id"])
    assert secret not in shown.text + str(shown.data)
    async with running.app.db.postgres.transaction() as connection:
        assert (
            await connection.fetchval("select count(*) from execution_bodies where execution_id = $1", kept["id"]) == 0
        ), "a secret is masked and never sealed, so nothing of this call was worth sealing"


async def test_the_secret_is_masked_through_the_envelope_too(admins: House, running: Running) -> None:
    await admins.call("webhook_status")
    arguments = {"empresa": admins.slug}
    result = await admins.client.call_tool(
        "chamar_ferramenta", {"nome": "webhook_configure", "argumentos": arguments}, raise_on_error=False
    )
    assert result.structured_content is not None, result
    secret = str(result.structured_content["endereco_secreto"]).rpartition("/")[2]
    assert SECRET.fullmatch(secret)
    async with running.app.db.postgres.transaction() as connection:
        rows = await connection.fetch("select e::text as line from process_executions e order by id desc limit 20")
    assert len(rows) > 1
    assert all(secret not in row["line"] for row in rows)


async def test_good_a_test_goes_the_whole_way(admins: House, running: Running, door: str) -> None:
    tested = await admins.call("webhook_test")
    assert tested.data["chegou"] is True, tested.data
    assert tested.data["endereco_testado"] == door
    assert 0 < tested.data["evento_ms"] <= tested.data["aplicado_ms"]
    assert "não prova que o Omie alcança" in tested.text
    status = await admins.call("webhook_status")
    assert status.data["tem_endereco"] is False
    assert [(row["topico"], row["situacao"]) for row in status.data["ultimas_24_horas"]] == [
        ("OmieControl.Teste", "aplicado")
    ]
    async with running.app.db.postgres.transaction() as connection:
        live = await connection.fetchval("select count(*) from webhook_addresses where is_trial and revoked_at is null")
    assert live == 0


async def test_failing_a_test_that_finds_nobody_says_so(admins: House, monkeypatch: Any, running: Running) -> None:
    monkeypatch.setattr(running.app.services.webhooks, "base_url", "http://127.0.0.1:9")
    tested = await admins.call("webhook_test")
    assert tested.data["chegou"] is False
    assert "não respondeu" in tested.data["problema"]
    assert "omw_" not in tested.text


async def test_failing_a_test_that_meets_somebody_else_says_so(
    admins: House, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stranger(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with serving(stranger) as url:
        monkeypatch.setattr(running.app.services.webhooks, "base_url", url)
        tested = await admins.call("webhook_test")
    assert tested.data["chegou"] is False
    assert "outra instalação" in tested.data["problema"]


async def test_the_status_tells_what_came(admins: House, door: str) -> None:
    before = await admins.call("webhook_status")
    assert (before.data["tem_endereco"], before.data["esperando"], before.data["falhas"]) == (False, 0, 0)
    secret = secret_of(await admins.call("webhook_configure"))
    fresh = await admins.call("webhook_status")
    assert fresh.data["enderecos"][0]["prefixo"] == secret[:12]
    assert "ainda não testou" in fresh.text
    assert await post(door, admins, secret) == 200
    async with httpx2.AsyncClient(timeout=60) as omie:
        assert (await omie.post(door + PATH + secret, json={"ping": "omie"})).status_code == 200
    after = await admins.call("webhook_status")
    assert after.data["ultimo_topico"] == "Projeto.Incluido"
    assert after.data["ultimo_teste_do_omie"]
    assert "ainda não testou" not in after.text
    assert secret not in after.text + str(after.data)


async def test_an_address_is_replaced_with_an_overlap_and_revoked(admins: House, door: str) -> None:
    first = secret_of(await admins.call("webhook_configure"))
    swapped = await admins.call("webhook_configure", acao="trocar", horas_de_sobreposicao=1)
    second = secret_of(swapped)
    assert swapped.data["substitui"] == [first[:12]]
    assert [await post(door, admins, secret) for secret in (first, second)] == [200, 200]
    third = secret_of(await admins.call("webhook_configure", acao="trocar", horas_de_sobreposicao=0))
    assert [await post(door, admins, secret) for secret in (first, second, third)] == [404, 404, 200]
    gone = await admins.call("webhook_configure", acao="revogar", prefixo=third[:12])
    assert gone.data["prefixo"] == third[:12]
    assert await post(door, admins, third) == 404


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (UNKNOWN, "não existe"),
        ({"acao": "trocar"}, "Não há endereço"),
        ({"acao": "revogar"}, "prefixo"),
        ({"acao": "revogar", "prefixo": "omw_aaaaaaaa"}, "Nenhum endereço"),
        ({"acao": "apagar"}, "acao"),
        ({"acao": "trocar", "horas_de_sobreposicao": 9999}, "horas_de_sobreposicao"),
    ],
)
async def test_wrong_or_empty_the_answer_says_what_to_do(admins: House, arguments: dict[str, Any], says: str) -> None:
    refused = await admins.call("webhook_configure", **arguments)
    assert refused.is_error
    assert says in refused.text
    assert "O que fazer:" in refused.text


async def test_a_second_address_is_not_made_by_chance(admins: House) -> None:
    await admins.call("webhook_configure")
    refused = await admins.call("webhook_configure")
    assert refused.is_error
    assert "já tem um endereço" in refused.text


@pytest.mark.parametrize("tool", ["webhook_status", "webhook_test"])
async def test_wrong_a_company_that_is_not_there_is_refused(admins: House, tool: str) -> None:
    refused = await admins.call(tool, **UNKNOWN)
    assert refused.is_error
    assert "não existe" in refused.text


async def test_an_agent_sees_the_status_and_changes_nothing(house: House) -> None:
    assert (await house.call("webhook_status")).data["tem_endereco"] is False
    for tool in ("webhook_configure", "webhook_test"):
        refused = await house.call(tool)
        assert refused.is_error
        assert "não permite" in refused.text
