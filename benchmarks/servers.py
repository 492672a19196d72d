"""The servers to measure against: those that the environment names, else the embedded ones; databases by name."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from omie_control.embedded import EmbeddedServers
from omie_control.postgres.migrate import migrate

TIMEZONE = "America/Sao_Paulo"


@dataclass(frozen=True, slots=True)
class Servers:
    """One PostgreSQL, one Valkey and a folder; makes databases and remembers to drop them."""

    owner_url: str
    valkey_url: str
    home: Path
    made: list[str]

    async def database(self, name: str, *, is_ours: bool = True) -> str:
        """Make an empty database, with our schema or without, and return its address."""
        full = f"octl_bench_{os.getpid()}_{name}"
        await self._run(f"drop database if exists {full} with (force)", f"create database {full}")
        self.made.append(full)
        url = urlunsplit(urlsplit(self.owner_url)._replace(path=f"/{full}"))
        if is_ours:
            await migrate(url, timezone=TIMEZONE)
        return url

    async def drop(self) -> None:
        """Drop every database made here."""
        await self._run(*(f"drop database if exists {name} with (force)" for name in self.made))

    async def _run(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.owner_url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Give the servers; databases made on them are dropped at the end."""
    database_url = os.environ.get("OMIE_CONTROL_DATABASE_URL", "")
    valkey_url = os.environ.get("OMIE_CONTROL_VALKEY_URL", "")
    with tempfile.TemporaryDirectory(prefix="octl-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        embedded = EmbeddedServers(home, timezone=TIMEZONE, postgres=not database_url, valkey=not valkey_url)
        if not (database_url and valkey_url):
            endpoints = await embedded.start()
            database_url, valkey_url = database_url or endpoints.owner_url, valkey_url or endpoints.valkey_url
        given = Servers(database_url, valkey_url, home, [])
        try:
            yield given
        finally:
            await given.drop()
            await embedded.stop()


async def machine(servers: Servers) -> str:
    """Describe where the figures were taken, in one line."""
    connection = await asyncpg.connect(servers.owner_url)
    version = await connection.fetchval("show server_version")
    fsync = await connection.fetchval("show fsync")
    await connection.close()
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, PostgreSQL {version} with fsync {fsync}; load generator, service and "
        "servers share the cores"
    )
