"""Carries one flush of encoded commands to where their keys live, over connections of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import AskError, MovedError, TryAgainError
from redis.exceptions import ConnectionError as ValkeyConnectionError

from omie_control.valkey import wire
from omie_control.valkey.cluster import Cluster, place

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.connection import AbstractConnection

_ROUNDS = 4


class Courier(Protocol):
    """What a flush needs. After any error, and after a cancellation, `hang_up` before the next `carry`."""

    async def carry(self, silent: Sequence[bytes], spoken: Sequence[bytes]) -> None:
        """Send commands; returns when the spoken ones are done. `silent` may be sent again, `spoken` counts."""

    async def hang_up(self) -> None:
        """Let go of what it is connected to."""


def courier(redis: Redis) -> Courier:
    """Return the one that fits a client."""
    return _ToEachNode(redis) if isinstance(redis, Cluster) else _ToOneServer(redis)


class _ToOneServer:
    """One write a flush. The server is told not to answer the silent ones."""

    def __init__(self, redis: Redis) -> None:
        self._line = _Line(redis)

    async def carry(self, silent: Sequence[bytes], spoken: Sequence[bytes]) -> None:
        head = [wire.SILENCE, *silent] if silent else []
        await self._line.send([*head, wire.SPEAK, *spoken])
        for _ in range(1 + len(spoken)):
            await self._line.hear()

    async def hang_up(self) -> None:
        await self._line.hang_up()


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A command on its way; `node` when a slot that moves has sent it there, to be let in by ASKING."""

    command: bytes
    node: Redis | None = None


class _ToEachNode:
    """Every command is answered, for a slot may have moved; what counts leaves once every node has answered."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lines: dict[Redis, _Line] = {}

    async def carry(self, silent: Sequence[bytes], spoken: Sequence[bytes]) -> None:
        # A node that is away must not have the others count this flush again each time it is tried.
        nodes = {await self._cluster.node_of(wire.key_of(command)) for command in spoken if command != wire.PING}
        await self._deliver([_Parcel(command) for command in silent], nodes)
        await self._deliver([_Parcel(command) for command in spoken if command != wire.PING], set())

    async def hang_up(self) -> None:
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            await line.hang_up()
        self._cluster.doubt()

    async def _deliver(self, parcels: list[_Parcel], greeted: set[Redis]) -> None:
        for _ in range(_ROUNDS):
            if not parcels and not greeted:
                return
            parcels = await self._round(parcels, greeted)
            greeted = set()
        raise ValkeyConnectionError("the cluster sends us round in circles")

    async def _round(self, parcels: list[_Parcel], greeted: set[Redis]) -> list[_Parcel]:
        """Write to every node, then read from every node; return what has to go elsewhere."""
        bags: dict[Redis, list[_Parcel]] = defaultdict(list, {node: [] for node in greeted})
        for parcel in parcels:
            bags[parcel.node or await self._cluster.node_of(wire.key_of(parcel.command))].append(parcel)
        for node, bag in bags.items():
            commands = [part for parcel in bag for part in ([wire.ASKING] if parcel.node else []) + [parcel.command]]
            await self._line(node).send(commands or [wire.PING])
        again: list[_Parcel] = []
        for node, bag in bags.items():
            if not bag:
                await self._line(node).hear()
            again += [back for each in bag if (back := await self._heard(node, each)) is not None]
        return again

    async def _heard(self, node: Redis, parcel: _Parcel) -> _Parcel | None:
        if parcel.node is not None:
            await self._line(node).hear()
        try:
            await self._line(node).hear()
        except MovedError as moved:
            self._cluster.moved(moved, node)
            return _Parcel(parcel.command)
        except AskError as asked:
            return _Parcel(parcel.command, self._cluster.node_at(place(asked, node)))
        except TryAgainError:
            return parcel
        return None

    def _line(self, node: Redis) -> _Line:
        if node not in self._lines:
            self._lines[node] = _Line(node)
        return self._lines[node]


class _Line:
    """One connection of one client's pool, kept."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._connection: AbstractConnection | None = None

    async def send(self, commands: Sequence[bytes]) -> None:
        if self._connection is None:
            self._connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        await self._connection.send_packed_command(b"".join(commands), check_health=False)

    async def hear(self) -> None:
        assert self._connection is not None
        await self._connection.read_response()

    async def hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)
