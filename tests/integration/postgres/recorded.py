"""Rows to record, a recorder to record them, and a wire between it and PostgreSQL that can be cut or frozen."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from tests.conftest import TIMEZONE

from omie_control.domain.executions import Call, Category, Complexity, Status, uuid7
from omie_control.postgres.database import Postgres
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import FinishRow, SealedBody, StartRow, WholeRow

TYPE = "consultar_clientes"


def start_row(**given: Any) -> StartRow:
    """Make a start that any schema accepts."""
    now = datetime.now(UTC)
    id = uuid7(int(now.timestamp() * 1000), os.urandom(10))
    row = StartRow(
        id=id,
        process_type=TYPE,
        execution_id=f"{TYPE}_{id}",
        status=Status.RUNNING,
        started_at=now,
        input_parameters='{"pagina": 1}',
        category=Category.COMERCIAL,
        complexity=Complexity.BASICA,
    )
    return row._replace(**given)


def finish_row(start: StartRow, **given: Any) -> FinishRow:
    """Make the end of a start: completed after 120 ms, with one call and a sealed body."""
    now = datetime.now(UTC)
    row = FinishRow(
        id=start.id,
        attempt=start.attempt,
        status=Status.COMPLETED,
        completed_at=now,
        duration_ms=120,
        response_data='{"total": 1}',
        process_type=start.process_type,
        execution_id=start.execution_id,
        body=SealedBody(1, start.id, b"sealed", b"h" * 8 + b"i" * 8),
        calls=(call(),),
    )
    return row._replace(**given)


def whole_row(**given: Any) -> WholeRow:
    """Make an execution that ended before its start was sent; `given` goes to its end."""
    start = start_row()
    return WholeRow(start, finish_row(start, calls=(), commitment=b"c" * 32)._replace(**given))


def call(**given: Any) -> Call:
    """Make one measured request to Omie."""
    facts: dict[str, Any] = {
        "endpoint": "geral/clientes/ListarClientes",
        "at": datetime.now(UTC),
        "response_time_ms": 100,
        "status_code": 200,
        "success": True,
        "request_size_bytes": 200,
        "response_size_bytes": 2000,
    }
    return Call(**{**facts, **given})


@asynccontextmanager
async def recording(url: str, **given: Any) -> AsyncIterator[Recorder]:
    """Open a recorder on a database and close it again."""
    postgres = Postgres(url, timezone=TIMEZONE)
    recorder = Recorder(postgres.connect_writer, health=postgres.health, **given)
    await recorder.open()
    try:
        yield recorder
    finally:
        await recorder.close()


class Wire:
    """A TCP proxy in front of PostgreSQL. `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._lines: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        # What happens to the next thing that the client sends, or the server answers.
        self.lose_next_request = False
        self.lose_next_answer = False
        self.keep_server_side = False
        self.refuses = False
        # The next line that asks something after its greeting gets no answer, and does not hear why.
        self.mute_next_question = False

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        login, _, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{port}", query=""))

    async def close(self) -> None:
        self._server.close()
        self.thaw()
        for task in list(self._tasks):
            task.cancel()
        for line in list(self._lines):
            line.close()

    def freeze(self) -> None:
        """Let nothing through any more, in either direction, without a word: as a stopped server does."""
        self._open.clear()

    def thaw(self) -> None:
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.close()
            return
        far_reader, far_writer = await self._dial()
        self._lines |= {writer, far_writer}
        for pump in (self._requests(reader, writer, far_writer), self._answers(far_reader, writer, far_writer)):
            task = asyncio.ensure_future(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _requests(
        self, reader: asyncio.StreamReader, near: asyncio.StreamWriter, far: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(1 << 18):
                await self._open.wait()
                if self.lose_next_request:
                    self.lose_next_request = False
                    break
                # Parse, or a simple query.
                if self.mute_next_question and chunk[:1] in (b"P", b"Q"):
                    self.mute_next_question = False
                    return
                far.write(chunk)
                await far.drain()
                if self.keep_server_side:
                    self.keep_server_side = False
                    near.transport.abort()
                    return
        near.close()
        far.close()

    async def _answers(
        self, reader: asyncio.StreamReader, near: asyncio.StreamWriter, far: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(1 << 18):
                await self._open.wait()
                if self.lose_next_answer:
                    self.lose_next_answer = False
                    break
                if near.transport.is_closing():
                    continue
                near.write(chunk)
                await near.drain()
        near.close()
        far.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        query = parse_qs(self._parts.query)
        host = query.get("host", [self._parts.hostname or "127.0.0.1"])[0]
        port = int(query.get("port", [str(self._parts.port or 5432)])[0])
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """Put a wire in front of a database; give it and the address that leads through it."""
    wire = Wire(url)
    near = await wire.open()
    try:
        yield wire, near
    finally:
        await wire.close()
