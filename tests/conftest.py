"""Real servers for every test: a fresh migrated database and a clean Valkey, whoever runs the tests.

`OMIE_CONTROL_DATABASE_URL` and `OMIE_CONTROL_VALKEY_URL` name servers to test against (a superuser's address);
without them each worker starts the embedded ones. No other variable of the developer's reaches a test.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
import redis.asyncio
from hypothesis import HealthCheck, settings

from omie_control.embedded import EmbeddedServers
from omie_control.postgres.database import Postgres
from omie_control.postgres.migrate import migrate
from omie_control.services import access, audit_samples

pytest_plugins = ["tests.fixtures_omie", "tests.fixtures_writing"]

TIMEZONE = "America/Sao_Paulo"
_GIVEN = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("OMIE_CONTROL_")}
_VALKEY_DATABASES = 16
# How long an example takes to make or to try says how busy the machine is, and nothing of the product.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("house")


@dataclass(frozen=True, slots=True)
class Servers:
    """The two servers of this worker: PostgreSQL by its superuser, Valkey by its first address."""

    owner_url: str = field(repr=False)
    valkey_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database: `owner_url` made it, `app_url` and `reader_url` are the logins of the two groups."""

    name: str
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    reader_url: str = field(repr=False)


@dataclass(slots=True)
class Clock:
    """A clock that moves when told: `clock()` says the instant, `clock.advance(seconds=…)` moves it."""

    now: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


def at_database(url: str, name: str, *, user: str | None = None, password: str | None = None) -> str:
    """Point a PostgreSQL address at another database, and perhaps another login."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if user is not None and password is not None:
        netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{name}"))


@pytest.fixture(scope="session", autouse=True)
def home() -> Iterator[Path]:
    """Give the whole session a home of its own (a short path: sockets live below it), never the developer's."""
    path = Path(tempfile.mkdtemp(prefix="octl-"))
    os.environ["OMIE_CONTROL_HOME"] = str(path)
    yield path
    os.environ.pop("OMIE_CONTROL_HOME", None)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def patient_refusals() -> Iterator[None]:
    """Let a refusal's row take its time: past a second it is given up, which a busy disk would bring about."""
    with pytest.MonkeyPatch.context() as patch:
        for room in (access, audit_samples):
            patch.setattr(room, "_PATIENCE_SECONDS", 30.0)
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers(home: Path) -> AsyncIterator[Servers]:
    """Give the named servers, or start the embedded ones once per worker."""
    database_url = _GIVEN.get("OMIE_CONTROL_DATABASE_URL", "")
    valkey_url = _GIVEN.get("OMIE_CONTROL_VALKEY_URL", "")
    if database_url and valkey_url:
        yield Servers(database_url, valkey_url)
        return
    embedded = EmbeddedServers(home, timezone=TIMEZONE, postgres=not database_url, valkey=not valkey_url)
    endpoints = await embedded.start()
    try:
        yield Servers(database_url or endpoints.owner_url, valkey_url or endpoints.valkey_url)
    finally:
        await embedded.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(servers: Servers) -> str:
    """Give a superuser's address of the PostgreSQL server."""
    return servers.owner_url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(postgres_server: str) -> AsyncIterator[Database]:
    """Migrate one database per worker; every test's database is a copy of it."""
    suffix = secrets.token_hex(4)
    app, reader, password = f"octl_app_{suffix}", f"octl_reader_{suffix}", secrets.token_urlsafe(12)
    made = Database(
        name=f"octl_{suffix}",
        owner_url=at_database(postgres_server, f"octl_{suffix}"),
        app_url=at_database(postgres_server, f"octl_{suffix}", user=app, password=password),
        reader_url=at_database(postgres_server, f"octl_{suffix}", user=reader, password=password),
    )
    await run_on(postgres_server, f"create database {made.name}")
    try:
        await migrate(made.owner_url, timezone=TIMEZONE, logins={app: password, reader: password}, readers={reader})
        yield made
    finally:
        await run_on(postgres_server, f"drop database {made.name} with (force)", f"drop role {app}, {reader}")


@pytest.fixture
async def database(postgres_server: str, template: Database) -> AsyncIterator[Database]:
    """Give a fresh, migrated, empty database of this test's own."""
    name = f"{template.name}_{secrets.token_hex(4)}"
    await run_on(postgres_server, f"create database {name} template {template.name}", *_same_timezone(name))
    try:
        yield replace(
            template,
            name=name,
            owner_url=at_database(template.owner_url, name),
            app_url=at_database(template.app_url, name),
            reader_url=at_database(template.reader_url, name),
        )
    finally:
        await run_on(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
async def postgres(database: Database) -> AsyncIterator[Postgres]:
    """Give open pools on this test's `database`, as the application's login."""
    opened = Postgres(database.app_url, owner_url=database.owner_url, timezone=TIMEZONE, pool_size=5)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection of the application's login to this test's `database`; each statement commits by itself."""
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


@pytest.fixture
async def owner_conn(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection of the owner to this test's `database`."""
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def empty_database(postgres_server: str) -> AsyncIterator[str]:
    """Give the owner's address of a database that was never migrated."""
    name = f"octl_empty_{secrets.token_hex(4)}"
    await run_on(postgres_server, f"create database {name}")
    yield at_database(postgres_server, name)
    await run_on(postgres_server, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def shared_valkey_url(servers: Servers, worker_id: str) -> str:
    """Give this worker's own Valkey database as it is, for what several tests share: other workers clean theirs."""
    parts = urlsplit(servers.valkey_url)
    if parts.scheme not in {"redis", "rediss", "valkey"} or parts.path not in {"", "/"}:
        return servers.valkey_url
    number = int(worker_id.removeprefix("gw") or 0) % _VALKEY_DATABASES if worker_id != "master" else 0
    return urlunsplit(parts._replace(path=f"/{number}"))


@pytest.fixture
async def valkey_url(shared_valkey_url: str) -> AsyncIterator[str]:
    """Give a clean Valkey database, one number per worker."""
    await _clean(shared_valkey_url)
    yield shared_valkey_url


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands until told to move."""
    return Clock()


async def run_on(url: str, *statements: str) -> None:
    """Run statements that cannot run inside a transaction, each by itself."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await _insist(connection, statement)
    finally:
        await connection.close()


def secret_part(text: str) -> str:
    """Return the secret end of a token or of a webhook's address; it may itself hold `_` and `-`."""
    return text[-43:]


async def eventually(condition: Callable[[], Awaitable[bool]], *, within: float = 60.0) -> None:
    """Wait until the condition holds, looking often; fail when the time is over, which is long for a busy machine."""
    deadline = asyncio.get_running_loop().time() + within
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"did not happen within {within} s"
        await asyncio.sleep(0.01)


def _same_timezone(name: str) -> tuple[str, ...]:
    # A copy of a database does not take its settings along.
    return (f"alter database {name} set timezone = '{TIMEZONE}'",)


async def _insist(connection: asyncpg.Connection, statement: str) -> None:
    """Run a statement on a whole database; who still holds it has been told to go, and may take its time."""
    deadline = asyncio.get_running_loop().time() + 60.0
    while True:
        try:
            await connection.execute(statement)
        except asyncpg.ObjectInUseError:
            # PostgreSQL itself waits for five seconds only, also for a vacuum of its own.
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return


async def _clean(url: str) -> None:
    client = redis.asyncio.Redis.from_url(url.replace("valkey://", "redis://", 1), socket_timeout=60)
    try:
        # Key by key: the application's login may not flush.
        async for key in client.scan_iter(count=1000):
            await client.unlink(key)
    finally:
        await client.aclose()
