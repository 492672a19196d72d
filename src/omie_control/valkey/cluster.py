"""Valkey as a cluster: each command goes to the node of its key, by a map that is drawn anew when it proves wrong.

Not redis-py's own cluster client: that one retries by itself, sleeps when the cluster is down, empties its map
when one node falls, and raises errors outside the library's tree.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from itertools import cycle
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import Connection, SSLConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    DataError,
    MovedError,
    RedisError,
)
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import TimeoutError as ValkeyTimeoutError

from omie_control.valkey.address import Host
from omie_control.valkey.following import Following, FollowingPool, FollowingTls, ask_each

_REDIRECTIONS = 5
_ASKED_AT_ONCE = 5
_ANSWERS_WITHIN = 0.5
_REDRAW_SECONDS = 0.1
_SCRIPTS = frozenset({"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"})
_ANYWHERE = frozenset({"PING", "ECHO", "INFO", "TIME", "PUBLISH", "PUBSUB", "CLUSTER", "COMMAND", "ROLE", "LOLWUT"})
# What would mean one node where the caller means them all, or a state of one connection.
_NOWHERE = frozenset(
    (
        *("ACL", "CLIENT", "CONFIG", "DBSIZE", "DISCARD", "EXEC", "FLUSHALL", "FLUSHDB", "FUNCTION", "KEYS", "MULTI"),
        *("RANDOMKEY", "SCAN", "SCRIPT", "SELECT", "SWAPDB", "UNWATCH", "WAIT", "WATCH", "XREAD", "XREADGROUP"),
    )
)
_GONE = (ValkeyConnectionError, ValkeyTimeoutError, ClusterDownError, OSError)

# Who owns which slots: (first, last, owner), and every node there is.
_View = tuple[tuple[tuple[int, int, Host], ...], frozenset[Host]]


class Cluster(Redis):
    """A client whose every command names a key; several keys of one command must share a hash tag."""

    def __init__(self, seeds: tuple[Host, ...], *, tls: bool, options: Mapping[str, Any]) -> None:
        self._seeds = seeds
        self._options = dict(options)
        self._kind = SSLConnection if tls else Connection
        self._owners: list[Host | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self._known: frozenset[Host] = frozenset(seeds)
        self._turns = cycle(seeds)
        self._nodes: dict[Host, Redis] = {}
        self._drawing = asyncio.Lock()
        self._drawn_at = float("-inf")
        self._is_doubtful = True
        kind = FollowingTls if tls else Following
        # Of its own connections, each goes to the next node: for what any of them can do, and for subscriptions.
        pool = FollowingPool(connection_class=kind, locate=self._anyone, **self._options)
        pool.make_connection()  # type: ignore[no-untyped-call]
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Let go of every node."""
        nodes, self._nodes = list(self._nodes.values()), {}
        for node in nodes:
            await node.aclose()
        await super().aclose(close_connection_pool)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command to the node of its key, following the cluster's redirections."""
        key = _key(args)
        if key is None:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        node = await self.node_of(key)
        for _ in range(_REDIRECTIONS):
            try:
                return await node.execute_command(*args, **options)  # type: ignore[no-untyped-call]
            except MovedError as moved:
                node = self.node_at(self.moved(moved, node))
            except AskError as asked:
                return await _asking(self.node_at(place(asked, node)), args, options)
            except _GONE:
                self.doubt()
                raise
        raise ValkeyConnectionError("the cluster sends us round in circles")

    async def scan_iter(self, *args: Any, **options: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        """Yield the keys of every master. Raises redis' ConnectionError while slots are without one."""
        if self._is_doubtful or None in self._owners:
            await self._draw()
        if None in self._owners:
            self.doubt()
            raise ValkeyConnectionError("a part of the cluster has no master")
        for owner in sorted({owner for owner in self._owners if owner is not None}):
            try:
                async for key in self.node_at(owner).scan_iter(*args, **options):
                    yield key
            except _GONE:
                self.doubt()
                raise

    def pipeline(self, *_: Any, **__: Any) -> Any:
        """Refuse: what is sent together would have to go to several nodes."""
        raise DataError("a cluster takes no pipelines here")

    async def node_of(self, key: bytes) -> Redis:
        """Return the client of the node that owns a key. Raises redis' ConnectionError when no node is known."""
        slot = key_slot(key)
        if self._is_doubtful or self._owners[slot] is None:
            await self._draw()
        owner = self._owners[slot]
        if owner is None:
            self.doubt()
            raise ValkeyConnectionError("no node of the cluster is known for this key")
        return self.node_at(owner)

    def node_at(self, host: Host) -> Redis:
        """Return the client of one node."""
        if host not in self._nodes:
            pool = BlockingConnectionPool(connection_class=self._kind, host=host[0], port=host[1], **self._options)
            self._nodes[host] = Redis.from_pool(pool)
        return self._nodes[host]

    def moved(self, moved: MovedError, said_by: Redis) -> Host:
        """Learn of a slot's new owner, and that the map is old."""
        owner = place(moved, said_by)
        self._owners[moved.slot_id] = owner
        self.doubt()
        return owner

    def doubt(self) -> None:
        """Have the map drawn anew before the next command."""
        self._is_doubtful = True

    async def _anyone(self) -> Host:
        if self._is_doubtful:
            await self._draw()
        return next(self._turns)

    async def _draw(self) -> None:
        """Draw the map anew by what most nodes say; the old one stays while nobody answers."""
        came_at = time.monotonic()
        async with self._drawing:
            if self._drawn_at >= came_at - _REDRAW_SECONDS:
                return
            self._drawn_at = time.monotonic()
            known = random.sample(sorted(self._known), min(len(self._known), _ASKED_AT_ONCE))
            view = await self._seen(known) or await self._seen(self._seeds)
            if view is not None:
                await self._take(view)

    async def _seen(self, hosts: tuple[Host, ...] | list[Host]) -> _View | None:
        questions = [self._ask(host) for host in hosts]
        views = await ask_each(questions, enough=len(hosts) // 2 + 1, within=_ANSWERS_WITHIN)
        return Counter(views).most_common(1)[0][0] if views else None

    async def _ask(self, host: Host) -> _View | None:
        try:
            reply = await self.node_at(host).execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
            return _view(reply, host)
        except (RedisError, OSError, ValueError, IndexError):
            return None

    async def _take(self, view: _View) -> None:
        ranges, nodes = view
        owners: list[Host | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, owner in ranges:
            owners[first : last + 1] = [owner] * (last + 1 - first)
        self._owners, self._known, self._is_doubtful = owners, nodes, False
        masters = sorted({owner for _, _, owner in ranges})
        self._turns = cycle(random.sample(masters, len(masters)))
        for host in [host for host in self._nodes if host not in nodes and host not in self._seeds]:
            await self._nodes.pop(host).aclose()


def _key(args: tuple[Any, ...]) -> bytes | None:
    """Return the key that says where a command goes; None when any node can answer it."""
    name = str(args[0].decode() if isinstance(args[0], bytes) else args[0]).upper().split(" ", 1)[0]
    if name in _ANYWHERE:
        return None
    if name in _NOWHERE:
        raise DataError(f"{name} cannot be sent to a cluster: it names no key")
    if name in _SCRIPTS:
        return _bytes(args[3]) if int(args[2]) > 0 else None
    if len(args) < 2:
        raise DataError(f"{name} cannot be sent to a cluster: it names no key")
    return _bytes(args[1])


def _bytes(key: Any) -> bytes:
    return key if isinstance(key, bytes) else str(key).encode()


def place(redirection: AskError, said_by: Redis) -> Host:
    """Return where a redirection leads."""
    # A node that does not know its own name leaves the host out: it is the one that was asked.
    host = redirection.host or said_by.connection_pool.connection_kwargs["host"]
    return host, redirection.port


async def _asking(node: Redis, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Send a command to the node that is just taking its slot over."""
    async with node.client() as one:
        await one.execute_command("ASKING")  # type: ignore[no-untyped-call]
        return await one.execute_command(*args, **options)  # type: ignore[no-untyped-call]


def _view(reply: list[Any], asked: Host) -> _View | None:
    ranges: list[tuple[int, int, Host]] = []
    nodes: set[Host] = set()
    for first, last, *members in reply:
        places = [(_name(member[0]) or asked[0], int(member[1])) for member in members]
        ranges.append((int(first), int(last), places[0]))
        nodes.update(places)
    return (tuple(sorted(ranges)), frozenset(nodes)) if ranges else None


def _name(host: Any) -> str:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    return "" if text == "?" else text
