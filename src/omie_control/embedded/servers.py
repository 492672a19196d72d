"""The servers of one home, shared by every process of ours that uses it.

Users of a home hold a shared lock, which the kernel drops for a killed one; who leaves last stops the servers.
Start, restart and stop take turns by another lock, so that two processes never start the same server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable
from pathlib import Path

from omie_control.embedded.accounts import choose_account, own_account
from omie_control.embedded.binaries import find_postgres, find_valkey, reachable_postgres
from omie_control.embedded.endpoints import Endpoints
from omie_control.embedded.home import Home, Passwords
from omie_control.embedded.locks import FileLock
from omie_control.embedded.postgres import APP, OWNER, READER, PostgresServer
from omie_control.embedded.server import Server, State
from omie_control.embedded.sockets import Sockets, find_sockets, remove_sockets
from omie_control.embedded.troubles import home_is_gone, readable
from omie_control.embedded.valkey import ValkeyServer
from omie_control.errors import ControlError
from omie_control.telemetry import Event, tell

_LOOK_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 30.0


class EmbeddedServers:
    """PostgreSQL and Valkey of one home: start, watch, stop."""

    def __init__(
        self,
        home: Path,
        *,
        timezone: str = "America/Sao_Paulo",
        postgres: bool = True,
        valkey: bool = True,
        runtime: Path | None = None,
    ) -> None:
        """`runtime` is where the short folder of the sockets is made; by default the system's temporary folder."""
        self._home = Home(home)
        self._timezone = timezone
        self._wants = {PostgresServer.name: postgres, ValkeyServer.name: valkey}
        self._runtime = runtime
        self._users = FileLock(self._home.users_lock, shared=True)
        self._servers: dict[str, Server] = {}
        self._sockets: Sockets | None = None
        self._endpoints: Endpoints | None = None
        self._leaving = asyncio.Lock()

    async def start(self) -> Endpoints:
        """Start, adopt or join the servers of this home, and return when they answer.

        Waits as long as a recovery takes. Raises InvalidInput, Conflict or StorageDown with one readable line.
        """
        if self._endpoints is not None:
            return self._endpoints
        self._home.prepare()
        try:
            with readable(self._home.path):
                async with self._turn():
                    await self._users.acquire()
                    passwords = self._home.passwords()
                    self._servers = self._build(passwords)
                    await _side_by_side(server.ensure() for server in self._wanted())
                    self._endpoints = self._describe(passwords)
        except BaseException:
            await self.stop()
            raise
        return self._endpoints

    async def watch(self) -> None:
        """Until cancelled: restart what died, and tell. A frozen server is told of and left alone."""
        async with asyncio.TaskGroup() as watches:
            for server in self._wanted():
                watches.create_task(self._watch(server))

    async def stop(self) -> None:
        """Leave. The last user of the home stops the servers and returns when none of their processes is left.

        Raises StorageDown when the home was deleted meanwhile; the servers that are known are stopped all the same.
        """
        self._endpoints = None
        # A start that was given up leaves by itself, and whoever gave it up may leave at the same time.
        async with self._leaving:
            if self._users.fd is not None:
                await self._leave()

    async def _leave(self) -> None:
        try:
            with readable(self._home.path):
                if self._users.is_in_place():
                    async with self._turn():
                        await self._stop_when_last()
        except ControlError:
            if self._users.is_in_place():
                raise
        finally:
            try:
                is_lost = not self._users.is_in_place()
                if is_lost and self._users.try_alone():
                    await self._stop_known()
            finally:
                self._users.release()
        if is_lost:
            raise home_is_gone(self._home.path)

    def _turn(self) -> FileLock:
        return FileLock(self._home.turn_lock)

    def _wanted(self) -> list[Server]:
        return [server for name, server in self._servers.items() if self._wants[name]]

    def _build(self, passwords: Passwords) -> dict[str, Server]:
        account = choose_account(self._home.path, find_postgres().root)
        binaries = reachable_postgres(account, self._home)
        mode = 0o711 if account.needs_open_folders else 0o700
        sockets = self._sockets = find_sockets(self._home, base=self._runtime, mode=mode)
        postgres = PostgresServer(
            self._home,
            account,
            binaries,
            passwords=passwords,
            sockets=sockets,
            timezone=self._timezone,
        )
        valkey = ValkeyServer(self._home, own_account(), find_valkey(), passwords=passwords, sockets=sockets)
        return {postgres.name: postgres, valkey.name: valkey}

    def _describe(self, passwords: Passwords) -> Endpoints:
        postgres, valkey = self._servers[PostgresServer.name], self._servers[ValkeyServer.name]
        assert isinstance(postgres, PostgresServer)
        assert isinstance(valkey, ValkeyServer)
        has_postgres = self._wants[PostgresServer.name]
        return Endpoints(
            owner_url=postgres.url(OWNER, passwords.owner) if has_postgres else "",
            app_url=postgres.url(APP, passwords.app) if has_postgres else "",
            reader_url=postgres.url(READER, passwords.reader) if has_postgres else "",
            valkey_url=valkey.url() if self._wants[ValkeyServer.name] else "",
        )

    async def _stop_when_last(self) -> None:
        if self._servers and self._users.try_alone():
            await _side_by_side(server.end() for server in self._servers.values())
            remove_sockets(self._home.path)

    async def _stop_known(self) -> None:
        """Stop what this process knows of; a home that lies in the same place by now has servers of its own."""
        await _side_by_side(server.end_known() for server in self._servers.values())
        if self._sockets is not None and not self._home.turn_lock.exists():
            self._sockets.clear()

    async def _watch(self, server: Server) -> None:
        pause, was_frozen = _LOOK_SECONDS, False
        while True:
            await asyncio.sleep(pause)
            state = server.state()
            if state is State.FROZEN and not was_frozen:
                tell(Event.SERVER_FROZEN, server=server.name, pid=server.pid)
            was_frozen = state is State.FROZEN
            if state in (State.UP, State.FROZEN):
                pause = _LOOK_SECONDS
            else:
                pause = _LOOK_SECONDS if await self._revive(server, state) else min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _revive(self, server: Server, state: State) -> bool:
        began = time.monotonic()
        tell(Event.SERVER_DIED, server=server.name, pid=server.pid, state=state.name.lower())
        try:
            with readable(self._home.path):
                if not self._users.is_in_place():
                    # Another home may lie there by now: its servers are not ours to adopt.
                    raise home_is_gone(self._home.path)
                async with self._turn():
                    await server.ensure()
        except ControlError as exc:
            tell(Event.SERVER_DIED, server=server.name, error=exc.message, seconds=round(time.monotonic() - began, 3))
            return False
        return True


async def _side_by_side(works: Iterable[Awaitable[None]]) -> None:
    """Do all at once; a fault of one is told when the others have come to their end."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
