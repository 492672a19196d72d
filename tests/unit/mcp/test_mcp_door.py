"""The HTTP door: what cannot be a call gets an answer, not a broken connection."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from omie_control.errors import StorageDown
from omie_control.mcp.door import Door


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    if request.url.path == "/away":
        raise StorageDown
    if request.url.path == "/unknown":
        await Response(status_code=401)(scope, receive, send)
        return
    await PlainTextResponse(await request.body())(scope, receive, send)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=Door(inner, max_body=1000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://door") as made:
        yield made


async def test_a_fitting_body_passes_unchanged(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/", content="ação".encode())
    assert (answer.status_code, answer.text) == (200, "ação")


async def test_a_body_over_the_limit_is_refused_in_words(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/", content=b"x" * 1001)
    assert answer.status_code == 413
    assert "2 MB" in orjson.loads(answer.content)["error"]["message"]


async def test_a_body_without_a_declared_length_is_counted(client: httpx2.AsyncClient) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    assert (await client.post("/", content=drops())).status_code == 413


async def test_invalid_utf8_is_refused_in_words(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/", content=b'{"a": "\xff\xfe"}')
    assert answer.status_code == 400
    assert orjson.loads(answer.content)["error"]["data"]["code"] == "dado_invalido"


async def test_with_the_database_away_nobody_can_be_known(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/away", content=b"{}")
    assert answer.status_code == 503
    assert "banco de dados" in orjson.loads(answer.content)["error"]["message"]


async def test_a_get_has_no_body_to_judge(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/")).status_code == 200
    assert (await client.get("/unknown")).status_code == 401
