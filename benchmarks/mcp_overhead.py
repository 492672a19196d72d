"""What full control costs a FastMCP tool: the same tool bare and controlled, in turns, in one run.

    python benchmarks/mcp_overhead.py [--seconds 3] [--rounds 5]

In memory at 1 and 16 callers, and over HTTP at 16 (a server process of its own, clients here). The controlled tool
comes twice: as one that may change something, whose start is committed before it runs, and as one that says of
itself that it only reads, whose start may be committed with its end. Prints markdown.
`OMIE_CONTROL_DATABASE_URL` and `OMIE_CONTROL_VALKEY_URL` name the servers; without them the embedded ones start.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import socket
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import uvicorn
import uvloop
from fastmcp import Client, FastMCP
from mcp_types import ToolAnnotations

from omie_control.app import DatabaseManager, ProcessController
from omie_control.mcp.control import control
from omie_control.settings import Settings

Rates = dict[str, list[float]]
GOALS = {"in memory, 1": 0.5, "in memory, 16": 0.75, "HTTP, 16": 0.85}
ANSWER = {"clientes": [{"codigo": n, "nome": f"Cliente {n} Comércio de Alimentos Ltda"} for n in range(30)]}


def make_server(controller: ProcessController | None) -> FastMCP[Any]:
    """Make the same server twice: with the middleware, and without."""
    mcp: FastMCP[Any] = FastMCP("bench")
    if controller is not None:
        mcp.add_middleware(control(controller))

    async def answer(pagina: int, nome: str) -> dict[str, Any]:
        return ANSWER

    mcp.tool(answer, name="mudar")
    mcp.tool(answer, name="consultar", annotations=ToolAnnotations(read_only_hint=True))
    return mcp


async def measure(target: Any, callers: int, seconds: float, tool: str = "mudar") -> float:
    """Return calls per second of so many callers on one client each."""
    done = 0
    deadline = perf_counter() + seconds

    async def caller(number: int) -> None:
        nonlocal done
        async with Client(target) as client:
            while perf_counter() < deadline:
                await client.call_tool(tool, {"pagina": number, "nome": "padaria"})
                done += 1

    started = perf_counter()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return done / (perf_counter() - started)


async def in_turns(rates: Rates, rounds: int, contestants: dict[str, Callable[[], Awaitable[float]]]) -> None:
    """Run the contestants round by round, so that a slow minute of the machine hits all alike."""
    for number in range(rounds):
        order = list(contestants.items())
        for name, run in order if number % 2 == 0 else reversed(order):
            rates.setdefault(name, []).append(await run())


async def memory(controller: ProcessController, rounds: int, seconds: float) -> dict[str, Rates]:
    """Compare in memory."""
    bare, controlled = make_server(None), make_server(controller)
    results: dict[str, Rates] = {}
    for callers in (1, 16):
        rates = results.setdefault(f"in memory, {callers}", {})
        for server in (bare, controlled):
            await measure(server, callers, 0.3)
        await in_turns(rates, rounds, contestants(bare, controlled, callers, seconds))
    return results


def contestants(bare: Any, controlled: Any, callers: int, seconds: float) -> dict[str, Callable[[], Awaitable[float]]]:
    """Set one bare and two controlled tools against each other."""
    return {
        "bare": lambda: measure(bare, callers, seconds),
        "may change something": lambda: measure(controlled, callers, seconds),
        "only reads": lambda: measure(controlled, callers, seconds, "consultar"),
    }


async def over_http(home: Path, rounds: int, seconds: float) -> dict[str, Rates]:
    """Compare over HTTP: two server processes, one bare, one controlled."""
    processes, urls = {}, {}
    try:
        for name in ("bare", "controlled"):
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            processes[name] = await asyncio.create_subprocess_exec(
                sys.executable,
                __file__,
                "--serve",
                name,
                "--port",
                str(port),
                env={**os.environ, "OMIE_CONTROL_HOME": str(home)},
            )
            urls[name] = f"http://127.0.0.1:{port}/mcp"
            await _until_it_answers(urls[name])
        rates: Rates = {}
        await in_turns(rates, rounds, contestants(urls["bare"], urls["controlled"], 16, seconds))
        return {"HTTP, 16": rates}
    finally:
        for process in processes.values():
            process.terminate()
            await process.wait()


async def _until_it_answers(url: str) -> None:
    deadline = perf_counter() + 60
    while True:
        try:
            await measure(url, 1, 0.2)
        except Exception:
            if perf_counter() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            return


def serve(name: str, port: int) -> None:
    """Be one of the two servers."""
    controller = ProcessController(DatabaseManager()) if name == "controlled" else None
    server = make_server(controller)
    app = server.http_app(path="/mcp")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, loop="uvloop")


def report(results: dict[str, Rates], rounds: int, seconds: float) -> str:
    """Write the medians and their ratio as markdown."""
    lines = [
        "## A FastMCP tool, bare and under full control",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `python -m benchmarks.mcp_overhead`: {platform.machine()}, "
        f"Python {platform.python_version()}, {rounds} interleaved rounds of {seconds:g} s, medians (min-max).",
        "",
        "| transport, callers | the tool | bare calls/s | controlled calls/s | ratio | goal |",
        "|---|---|---|---|---|---|",
    ]
    for name, rates in results.items():
        bare = rates.pop("bare")
        for tool, controlled in rates.items():
            ratio = statistics.median(controlled) / statistics.median(bare)
            lines.append(f"| {name} | {tool} | {_spread(bare)} | {_spread(controlled)} | {ratio:.2f} | {GOALS[name]} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})"


async def bench(rounds: int, seconds: float) -> None:
    """Run everything and print the report."""
    settings = Settings.from_environment()
    if settings.database_url is None or settings.valkey_url is None:
        settings = settings.model_copy(update={"home": Path(tempfile.mkdtemp(prefix="octl-bench-"))})
    controller = ProcessController(DatabaseManager(settings))
    await controller.ready()
    try:
        results = await memory(controller, rounds, seconds)
        results |= await over_http(settings.home, rounds, seconds)
    finally:
        await controller.close()
    print(report(results, rounds, seconds))


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=("bare", "controlled"))
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port)
    else:
        uvloop.run(bench(given.rounds, given.seconds))


if __name__ == "__main__":
    main()
