"""Traces tell what went wrong by its kind, never what was in hand: whoever reads them may not read people's data."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SECRET = "529.982.247-25"
_PROGRAM = f"""
import asyncio
from fastmcp import Client, FastMCP
from omie_control.telemetry import configure_tracing, span, step

configure_tracing("prova", "1")
mcp = FastMCP("loja")

@mcp.tool
async def quebrar(cpf: str) -> str:
    with span("omie.call", **{{"omie.endpoint": "geral/clientes/ListarClientes"}}), step("postgres read"):
        try:
            raise LookupError(f"recusado para {{cpf}}")
        except LookupError as error:
            raise RuntimeError(f"falhou para {{cpf}}") from error

async def main():
    async with Client(mcp) as client:
        await client.call_tool("quebrar", {{"cpf": "{SECRET}"}}, raise_on_error=False)

asyncio.run(main())
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Give a collector of OTLP over HTTP: its address, and the bodies that it was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", sent
    server.shutdown()
    server.server_close()


def test_what_is_exported_of_a_failure_is_its_kind(collector: tuple[str, list[bytes]]) -> None:
    address, sent = collector
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    }
    subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, check=True, capture_output=True, timeout=120)
    told = b"".join(sent)
    for name in (b"tools/call", b"omie.call", b"postgres read", b"geral/clientes/ListarClientes", b"RuntimeError"):
        assert name in told
    assert SECRET.encode() not in told
