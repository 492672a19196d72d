"""What the MCP tests share: a FastMCP server under control, served over HTTP, and eyes on the executions table."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvicorn
from pydantic import SecretStr
from tests.conftest import Database, eventually

from omie_control.settings import Settings

MODES = ["auto", "legacy"]


def settings_for(database: Database, valkey_url: str, home: Path, **more: Any) -> Settings:
    """Point the settings at this test's own database and Valkey."""
    return Settings(
        home=home,
        database_url=SecretStr(database.app_url),
        database_owner_url=SecretStr(database.owner_url),
        valkey_url=SecretStr(valkey_url),
        **more,
    )


class _Server(uvicorn.Server):
    """A server that leaves the signals to the test runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application on a free port of this machine; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(
        uvicorn.Config(app, lifespan="on", log_config=None, proxy_headers=False, timeout_graceful_shutdown=2)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))

    async def is_up() -> bool:
        assert not task.done(), "the server did not start"
        return server.started

    try:
        await eventually(is_up)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def rows(connection: asyncpg.Connection, process_type: str | None = None) -> list[dict[str, Any]]:
    """Read the executions, oldest first (their ids have no order within a millisecond), JSON columns opened."""
    found = await connection.fetch(
        "select * from process_executions where $1::text is null or process_type = $1 order by started_at, id",
        process_type,
    )
    return [
        {
            name: orjson.loads(value) if name in _JSON and value is not None else value
            for name, value in dict(row).items()
        }
        for row in found
    ]


async def ended(connection: asyncpg.Connection, process_type: str, *, within: float = 60.0) -> dict[str, Any]:
    """Wait until the one execution of a type has ended, and return it."""
    found: list[dict[str, Any]] = []

    async def has_ended() -> bool:
        found[:] = await rows(connection, process_type)
        return bool(found) and found[-1]["status"] not in ("running", "queued")

    await eventually(has_ended, within=within)
    return found[-1]


async def is_running(connection: asyncpg.Connection, process_type: str) -> None:
    """Wait until an execution of a type runs."""

    async def runs() -> bool:
        return any(row["status"] == "running" for row in await rows(connection, process_type))

    await eventually(runs)


def text_of(content: Any) -> str:
    """Return the text of an answer, a resource or a prompt: of its content's only or first block."""
    block = content[0] if isinstance(content, list) else content
    return str(block.text)


_JSON = frozenset({"input_parameters", "request_payload", "response_data"})
