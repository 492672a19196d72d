"""Whoever stands between us and Omie may answer with what it was sent: the secret goes no further than that answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from omie_control.domain.companies import require_credentials
from omie_control.errors import ControlError
from omie_control.omie.catalog import catalog
from omie_control.omie.client import OmieClient
from omie_control.omie.facts import facts_of

LIST = catalog().method("geral/clientes/", "ListarClientes")
CREATE = catalog().method("geral/clientes/", "IncluirCliente")
SECRET = "0123456789abcdef0123456789abcdef"
PAIR = require_credentials("1234567890123", SECRET)


def as_fault(body: str) -> tuple[int, bytes]:
    return 500, json.dumps({"faultcode": "SOAP-ENV:Client-71", "faultstring": f"ERROR: {body}"}).encode()


def as_broken_json(body: str) -> tuple[int, bytes]:
    return 500, json.dumps({"faultstring": f"JSON request with SyntaxError near {body}", "faultcode": ""}).encode()


def as_header(body: str) -> tuple[int, bytes, bytes]:
    return 500, b"<html>", b"OmieAPI-Error: 71 - " + body.encode() + b"\r\n"


def as_data(body: str) -> tuple[int, bytes]:
    return 200, json.dumps(
        {"pagina": 1, "clientes_cadastro": [{"observacao": body}], "pedido": json.loads(body)}
    ).encode()


@asynccontextmanager
async def echoing(answer: Any) -> AsyncIterator[str]:
    """Serve answers made of the body that was sent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        status, body, *headers = answer((await reader.readexactly(length)).decode())
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode())
        writer.write(b"".join(headers) + b"\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1/"


@pytest.mark.parametrize("answer", [as_fault, as_broken_json, as_header])
@pytest.mark.parametrize("method", [LIST, CREATE], ids=["read", "write"])
async def test_a_refusal_that_quotes_the_call_is_told_without_the_secret(answer: Any, method: Any) -> None:
    async with echoing(answer) as url:
        client = OmieClient(url)
        try:
            with pytest.raises(ControlError) as caught:
                await client.call(PAIR, method, {"pagina": 1} if method is LIST else {"razao_social": "Padaria"})
        finally:
            await client.close()
    facts = facts_of(caught.value)
    assert facts is not None
    told = [caught.value.message, caught.value.for_people(), str(caught.value), repr(facts)]
    assert not any(SECRET in text for text in told)
    # What is left of the quotation shows that it was one.
    assert "app_key" in facts.text


async def test_an_answer_that_quotes_the_call_is_kept_without_the_secret() -> None:
    async with echoing(as_data) as url:
        client = OmieClient(url)
        try:
            payload = await client.call(PAIR, LIST, {"pagina": 1})
        finally:
            await client.close()
    assert payload.data["pedido"]["app_key"] == "1234567890123"
    assert SECRET not in repr(payload)
