"""`DatabaseManager`: PostgreSQL, Valkey, the recorder and the heartbeat of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import asyncpg
import redis.asyncio
from pydantic import SecretStr

from omie_control.domain.actors import SYSTEM
from omie_control.domain.executions import Change
from omie_control.embedded import EmbeddedServers
from omie_control.errors import StorageDown
from omie_control.postgres.database import Postgres
from omie_control.postgres.migrate import migrate, newest_migration, schema_version
from omie_control.postgres.recorder import Recorder
from omie_control.services import audit
from omie_control.services.instances import Instance
from omie_control.services.loops import Every
from omie_control.settings import Settings
from omie_control.valkey.bus import Bus
from omie_control.valkey.connection import connect
from omie_control.valkey.live import Live

HEARTBEAT = timedelta(seconds=2)


class LoopLock:
    """The lock of the event loop that runs now: a program may open in one loop, close, and open again in another."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    def __call__(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock


class DatabaseManager:
    """Opens what one process needs and closes it again, losing nothing that was acknowledged.

    Without `OMIE_CONTROL_DATABASE_URL` or `OMIE_CONTROL_VALKEY_URL` it starts the embedded server in its place,
    or joins the one that already runs for the same home. `initialize()` may be called any number of times.
    """

    def __init__(self, settings: Settings | None = None, *, kind: str = "library") -> None:
        self.settings = settings if settings is not None else Settings.from_environment()
        self._kind = kind
        self._opening = LoopLock()
        self._servers: EmbeddedServers | None = None
        self._watch: asyncio.Task[None] | None = None
        self._postgres: Postgres | None = None
        self._redis: redis.asyncio.Redis | None = None
        self._live: Live | None = None
        self._recorder: Recorder | None = None
        self._instance: Instance | None = None
        self._beats: list[Every] = []
        self.applied_migrations: list[str] = []

    async def initialize(self) -> None:
        """Start or join the servers, bring the schema up to date, open the pools, announce this instance."""
        async with self._opening():
            if self._recorder is not None:
                return
            try:
                await self._open()
            except BaseException:
                await self._close()
                raise

    async def close(self) -> None:
        """Write what still waits, say goodbye, and stop the embedded servers if nobody else uses them."""
        async with self._opening():
            await self._close()

    @property
    def pg_pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """The asyncpg pool of the application's role; jsonb columns come and go as text."""
        return self.postgres.pool

    @property
    def redis(self) -> redis.asyncio.Redis:
        """The redis.asyncio client."""
        return _opened(self._redis)

    @property
    def postgres(self) -> Postgres:
        """The pools by role."""
        return _opened(self._postgres)

    @property
    def recorder(self) -> Recorder:
        """The one writer of executions in this process."""
        return _opened(self._recorder)

    @property
    def live(self) -> Live:
        """What runs now, in Valkey."""
        return _opened(self._live)

    @property
    def instance(self) -> Instance:
        """This process, as the others know it."""
        return _opened(self._instance)

    @property
    def is_open(self) -> bool:
        """Whether `initialize()` is through."""
        return self._recorder is not None

    def bus(self) -> Bus:
        """A listener of its own to what the commits tell."""
        return Bus(self.redis)

    async def _open(self) -> None:
        settings = self.settings
        where = await self._addresses()
        if where.owner_url != where.app_url or await schema_version(where.app_url) != newest_migration():
            self.applied_migrations = await migrate(where.owner_url, timezone=settings.tz, logins=where.logins)
        postgres = Postgres(where.app_url, owner_url=where.owner_url, read_url=where.read_url, timezone=settings.tz)
        self._postgres = postgres
        await postgres.open()
        if self.applied_migrations:
            async with postgres.transaction() as tx:
                facts = {"applied": self.applied_migrations}
                await audit.append(tx, SYSTEM, "schema.migrated", object_type="database", after=facts)
        self._redis = connect(where.valkey_url)
        self._live = Live(self._redis)
        await self._live.open()
        self._instance = Instance(postgres, self._kind, on_rescue=self.tell)
        await self._instance.register()
        recorder = Recorder(postgres.connect_writer, health=postgres.health, on_commit=self.tell)
        await recorder.open()
        self._recorder = recorder
        self._beats = [
            Every("heartbeat", HEARTBEAT, self._instance.beat, backs_off=False),
            Every("duties", HEARTBEAT, self._instance.attend, backs_off=False),
        ]
        for loop in self._beats:
            loop.start()

    async def _addresses(self) -> _Addresses:
        """Say where the servers are, starting the embedded ones where none is given."""
        settings = self.settings
        database, valkey = _revealed(settings.database_url), _revealed(settings.valkey_url)
        if database is not None and valkey is not None:
            return _external(settings, database, valkey)
        self._servers = EmbeddedServers(
            settings.home, timezone=settings.tz, postgres=database is None, valkey=valkey is None
        )
        here = await self._servers.start()
        self._watch = asyncio.create_task(self._servers.watch(), name="embedded.watch")
        if database is not None:
            return _external(settings, database, here.valkey_url)
        logins = dict(_login(url) for url in (here.app_url, here.reader_url))
        return _Addresses(here.app_url, here.owner_url, None, valkey or here.valkey_url, logins)

    def tell(self, changes: Sequence[Change]) -> None:
        """Pass on to the live view what a commit changed."""
        if self._live is not None:
            self._live.note(changes)

    async def _close(self) -> None:
        """Close in the order of need: nothing that a later step still writes through goes first."""
        beats, self._beats = self._beats, []
        recorder, self._recorder = self._recorder, None
        instance, self._instance = self._instance, None
        live, self._live = self._live, None
        client, self._redis = self._redis, None
        postgres, self._postgres = self._postgres, None
        watch, self._watch = self._watch, None
        servers, self._servers = self._servers, None
        # Whatever a step fails of, the later ones are done: a server of ours must not be left behind.
        async with AsyncExitStack() as last_first:
            if servers is not None:
                last_first.push_async_callback(servers.stop)
            if watch is not None:
                last_first.push_async_callback(_ended, watch)
            if postgres is not None:
                last_first.push_async_callback(postgres.close)
            if client is not None:
                last_first.push_async_callback(client.aclose)
            if live is not None:
                last_first.push_async_callback(live.close)
            if instance is not None:
                last_first.push_async_callback(instance.leave)
            if recorder is not None:
                last_first.push_async_callback(recorder.close)
            for loop in beats:
                last_first.push_async_callback(loop.stop)


async def _ended(watch: asyncio.Task[None]) -> None:
    watch.cancel()
    await asyncio.wait([watch])


@dataclass(frozen=True, slots=True, repr=False)
class _Addresses:
    app_url: str
    owner_url: str
    read_url: str | None
    valkey_url: str
    logins: Mapping[str, str] = field(default_factory=dict)


def _external(settings: Settings, database: str, valkey: str) -> _Addresses:
    owner = _revealed(settings.database_owner_url) or database
    return _Addresses(database, owner, _revealed(settings.database_read_url), valkey)


def _revealed(url: SecretStr | None) -> str | None:
    return None if url is None else url.get_secret_value()


def _login(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return unquote(parts.username or ""), unquote(parts.password or "")


T = TypeVar("T")


def _opened(part: T | None) -> T:
    if part is None:
        raise StorageDown("O controle ainda não foi iniciado.", hint="Chame `await db.initialize()` primeiro.")
    return part
