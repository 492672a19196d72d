"""`python docs/transcript.py`: a real MCP client against a fresh `omie-control up`; writes docs/transcript.md.

Nothing on that page is typed by hand. Ids, ports, tokens and times are those of the run, except that the token is
cut and the home's path is shortened.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

PAGE = Path(__file__).parent / "transcript.md"
_ADDRESS = re.compile(r"MCP\s+(http://\S+/mcp)")
STDIO_READ = ("consultar_cliente_por_codigo", {"codigo_omie": 5500000011})
CALLS = (
    ("consultar_clientes", {}),
    ("consultar_clientes", {"registros_por_pagina": 3, "nome": "Padaria"}),
    ("consultar_cliente_por_codigo", {"codigo_omie": 5500000028}),
    ("consultar_cliente_por_codigo", {"codigo_omie": 1}),
    ("incluir_cliente", {"razao_social": "Oficina Aurora Ltda", "cnpj_cpf": "11.222.333/0001-80"}),
    (
        "incluir_cliente",
        {
            "razao_social": "Oficina Aurora Ltda",
            "cnpj_cpf": "11.222.333/0001-81",
            "codigo_integracao": "AURORA-1",
            "email": "contato@aurora.example",
        },
    ),
    ("consultar_clientes", {"pagina": "segunda"}),
    ("estado_do_sistema", {}),
)


async def main() -> None:
    """Start, talk over HTTP in both eras and over stdio, look the calls up again, stop."""
    with tempfile.TemporaryDirectory(prefix="octl-") as folder:
        home = Path(folder) / "h"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OMIE_CONTROL_")}
        environment["OMIE_CONTROL_HOME"] = str(home)
        screen = home.with_name("screen")
        with screen.open("wb") as out:
            up = subprocess.Popen([_command(), "up", "--port", "0"], env=environment, stdout=out, stderr=out)
        try:
            url = await _address(screen)
            token = (home / "agent-token").read_text(encoding="ascii").strip()
            lines = ["$ omie-control up", screen.read_text(encoding="utf-8").rstrip()]
            lines += await _talk("HTTP, modern era", _over_http(url, token), "auto", CALLS)
            lines += await _talk("HTTP, handshake era", _over_http(url, token), "legacy", CALLS[-1:])
            # Kept alive it would still be using the home when the home goes.
            stdio = StdioTransport(_command(), ["mcp"], env=environment, keep_alive=False)
            lines += await _talk("stdio (reads only)", stdio, "auto", (STDIO_READ, CALLS[5]))
            lines += _shell(environment, "process", "list", "--limit", "6")
            failed = _last(environment, "incluir_cliente", "completed")
            lines += _shell(environment, "process", "show", failed)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)
            # The stdio server leaves the home by itself, a moment after its client.
            await asyncio.sleep(2)
        text = "\n".join(lines).replace(token, token[:13] + "…").replace(str(home), "~/.omie-control")
    text = text.replace(str(Path(_command()).parent) + "/", "")
    # The command's own interpreter, which may lie elsewhere than ours.
    text = re.sub(r'"command":"[^"]*/', '"command":"', text)
    text = re.sub(r"senha: \S+", "senha: …", text)
    PAGE.write_text(_page(text), encoding="utf-8")


async def _talk(title: str, transport: object, mode: str, calls: tuple) -> list[str]:
    lines = ["", f"--- {title}: FastMCP's own client, mode={mode!r}"]
    async with Client(transport, mode=mode) as client:
        lines.append("tools: " + ", ".join(tool.name for tool in await client.list_tools()))
        for tool, arguments in calls:
            began = time.perf_counter()
            result = await client.call_tool(tool, arguments, raise_on_error=False)
            took = (time.perf_counter() - began) * 1000
            lines += ["", f">>> {tool}({arguments})   {took:.0f} ms, isError={bool(result.is_error)}"]
            lines += _short(result.content[0].text)
            if result.meta and "execution_id" in result.meta:
                lines.append(f"_meta.execution_id: {result.meta['execution_id']}")
    return lines


def _short(text: str) -> list[str]:
    lines = text.splitlines()
    return lines if len(lines) <= 12 else [*lines[:10], f"… ({len(lines) - 10} more lines)"]


def _over_http(url: str, token: str) -> StreamableHttpTransport:
    return StreamableHttpTransport(url, headers={"Authorization": f"Bearer {token}"})


def _shell(environment: dict[str, str], *arguments: str) -> list[str]:
    done = subprocess.run([_command(), *arguments], env=environment, capture_output=True, text=True, check=True)
    return ["", f"$ omie-control {' '.join(arguments)}", done.stdout.rstrip()]


def _last(environment: dict[str, str], process_type: str, status: str) -> str:
    arguments = ["process", "list", "--type", process_type, "--status", status, "--limit", "1", "--json"]
    done = subprocess.run([_command(), *arguments], env=environment, capture_output=True, text=True, check=True)
    found = re.search(r'"execution_id": "([^"]+)"', done.stdout)
    assert found, done.stdout
    return found[1]


async def _address(screen: Path) -> str:
    for _ in range(600):
        found = _ADDRESS.search(screen.read_text(encoding="utf-8"))
        if found:
            return found[1]
        await asyncio.sleep(0.1)
    raise TimeoutError(screen.read_text(encoding="utf-8"))


def _command() -> str:
    return str(Path(sys.executable).with_name("omie-control"))


def _page(text: str) -> str:
    return (
        "# A first conversation\n\n"
        "What a real MCP client and the operator's shell saw against a fresh `omie-control up` on an empty home, with\n"
        "the simulated Omie. Written by `python docs/transcript.py`, not by hand; secrets are cut, paths shortened.\n\n"
        f"```text\n{text}\n```\n"
    )


if __name__ == "__main__":
    asyncio.run(main())
