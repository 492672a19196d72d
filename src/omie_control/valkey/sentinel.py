"""Valkey behind sentinels: every new connection goes to the master that they name, and is sure that it is one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import NoPermissionError, ReadOnlyError, RedisError

from omie_control.valkey.address import Host
from omie_control.valkey.following import Following, FollowingPool, FollowingTls, ask_each

_ANSWERS_WITHIN = 0.5


class Sentinels:
    """Asks who is master. Knows no secrets of the master, and keeps no connection."""

    def __init__(self, hosts: tuple[Host, ...], service: str, *, tls: bool, options: Mapping[str, Any]) -> None:
        self._hosts = hosts
        self._service = service
        self._kind = SSLConnection if tls else Connection
        self._options = options
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._found: Host | None = None

    async def master(self) -> Host:
        """Return where the master is. Raises redis' ConnectionError while no sentinel knows a healthy one."""
        came_at = time.monotonic()
        async with self._asking:
            # Sixty connections that break together ask once; what was asked before mine broke does not count.
            if self._asked_at < came_at:
                self._asked_at = time.monotonic()
                self._found = await self._ask_all()
            found = self._found
        if found is None:
            raise ValkeyConnectionError("no sentinel names a master that is well")
        return found

    async def _ask_all(self) -> Host | None:
        answers = await ask_each(
            [self._ask(host) for host in self._hosts], enough=len(self._hosts) // 2 + 1, within=_ANSWERS_WITHIN
        )
        # One that slept through a failover still names the old master, under an older epoch.
        return max(answers)[1] if answers else None

    async def _ask(self, host: Host) -> tuple[int, Host] | None:
        connection = self._kind(host=host[0], port=host[1], **self._options)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_command("SENTINEL", "MASTER", self._service)
            return _named(await connection.read_response())
        except (RedisError, OSError, KeyError, ValueError):
            return None
        finally:
            await connection.disconnect(nowait=True)


class MasterPool(FollowingPool):
    """Connections to the master. When another is named, what lies idle to the old one is dropped."""

    def __init__(self, sentinels: Sentinels, *, tls: bool, **options: Any) -> None:
        self._sentinels = sentinels
        self._master: Host | None = None
        super().__init__(connection_class=_ToMasterTls if tls else _ToMaster, locate=self._locate, **options)

    async def _locate(self) -> Host:
        master = await self._sentinels.master()
        if master != self._master:
            self._master = master
            await self.disconnect(inuse_connections=False)
        return master


class _ToMaster(Following):
    async def on_connect_check_health(self, check_health: bool = True) -> None:
        await super().on_connect_check_health(check_health=check_health)
        # A sentinel may be late. A login that may not ask finds out by its first write.
        with suppress(NoPermissionError):
            await self.send_command("ROLE", check_health=False)
            role = await self.read_response()
            if role[0] not in (b"master", "master"):
                raise ValkeyConnectionError("this server is no longer the master")

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)
        except ReadOnlyError:
            await self.disconnect(nowait=True)
            raise ValkeyConnectionError("this server is no longer the master") from None


class _ToMasterTls(_ToMaster, FollowingTls):
    pass


def _named(reply: Any) -> tuple[int, Host] | None:
    """Read what a sentinel says of its master: under which epoch, and where; None when it is not well."""
    pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
    facts = {_text(name): _text(value) for name, value in pairs}
    flags = set(facts["flags"].split(","))
    if "master" not in flags or flags & {"s_down", "o_down"}:
        return None
    return int(facts["config-epoch"]), (facts["ip"], int(facts["port"]))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
