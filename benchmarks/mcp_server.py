"""One FastMCP server to be measured, in a process of its own: as it is bare, or with something around its tool.

    python -m benchmarks.mcp_server KIND

Prints the port of its HTTP face, then answers each line `CALLERS SECONDS TOOL` on stdin with the calls per second of
so many clients in memory, and leaves when stdin ends. What a kind does not need is not imported: a bare server's
process holds FastMCP and nothing of ours.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import uvicorn
import uvloop
from fastmcp import Client, FastMCP
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp_types import ToolAnnotations

BARE, FROZEN, ONE_INSERT, TWO_INSERTS, CONTROLLED = KINDS = (
    "bare",
    "frozen",
    "one-insert",
    "two-inserts",
    "controlled",
)
MAY_CHANGE, ONLY_READS = "mudar", "consultar"
ANSWER = {"clientes": [{"codigo": n, "nome": f"Cliente {n} Comércio de Alimentos Ltda"} for n in range(30)]}
FLOOR_TABLE = "create table mcp_floor (id bigserial primary key, at timestamptz default now(), answer jsonb)"
_POOL = 10


class Inserts(Middleware):
    """The least that anything durable costs: a row before the tool, if two, and one with its answer behind it."""

    def __init__(self, pool: Any, *, before: bool) -> None:
        self._pool = pool
        self._before = before

    async def __call__(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Insert around tool calls."""
        if context.method != "tools/call":
            return await call_next(context)
        if self._before:
            await self._insert(context.message.arguments)
        result = await call_next(context)
        await self._insert(result.structured_content)
        return result

    async def _insert(self, value: Any) -> None:
        await self._pool.execute("insert into mcp_floor (answer) values ($1::text::jsonb)", json.dumps(value))


@asynccontextmanager
async def server(kind: str) -> AsyncIterator[FastMCP[Any]]:
    """Make a server of a kind, with whatever it needs open."""
    mcp: FastMCP[Any] = FastMCP("bench")

    async def answer(pagina: int, nome: str) -> dict[str, Any]:
        return ANSWER

    mcp.tool(answer, name=MAY_CHANGE)
    mcp.tool(answer, name=ONLY_READS, annotations=ToolAnnotations(read_only_hint=True))
    if kind == CONTROLLED:
        async with _controlled(mcp):
            yield mcp
    elif kind in (ONE_INSERT, TWO_INSERTS):
        import asyncpg  # noqa: PLC0415 - see the module

        async with asyncpg.create_pool(os.environ["BENCH_OWNER"], min_size=_POOL, max_size=_POOL) as pool:
            mcp.add_middleware(Inserts(pool, before=kind == TWO_INSERTS))
            _freeze()
            yield mcp
    else:
        if kind == FROZEN:
            _freeze()
        yield mcp


@asynccontextmanager
async def _controlled(mcp: FastMCP[Any]) -> AsyncIterator[None]:
    """Open and close the control as `lifespan=controller.lifespan` does, for both faces of the server at once."""
    from omie_control import DatabaseManager, ProcessController, control  # noqa: PLC0415 - see the module

    controller = ProcessController(DatabaseManager())
    mcp.add_middleware(control(controller))
    async with controller.lifespan():
        yield


def _freeze() -> None:
    # As `controller.lifespan` does, without importing it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, *gc.get_threshold()[1:])


async def measure(target: Any, callers: int, seconds: float, tool: str) -> float:
    """Return calls per second of so many callers on one client each; `target` is a server or an address."""
    done = 0
    deadline = perf_counter() + seconds

    async def caller(number: int) -> None:
        nonlocal done
        async with Client(target) as client:
            while True:
                await client.call_tool(tool, {"pagina": number, "nome": "padaria"})
                done += 1
                if perf_counter() > deadline:
                    return

    started = perf_counter()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return done / (perf_counter() - started)


async def main(kind: str) -> None:
    """Serve until stdin ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    listener = socket.create_server(("127.0.0.1", 0))
    async with server(kind) as mcp:
        http = uvicorn.Server(uvicorn.Config(mcp.http_app(path="/mcp"), log_level="warning", access_log=False))
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        _say(listener.getsockname()[1])
        while line := await reader.readline():
            callers, seconds, tool = line.decode().split()
            _say(await measure(mcp, int(callers), float(seconds), tool))
        http.should_exit = True
        await serving


def _say(value: float) -> None:
    sys.stdout.write(f"{value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
