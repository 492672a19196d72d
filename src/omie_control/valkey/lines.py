"""Single commands over kept connections, for whom the client library's own work takes longer than the trip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError, ResponseError

from omie_control.valkey import wire
from omie_control.valkey.cluster import Cluster

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.connection import AbstractConnection

# Beyond these, connections go back to the pool: others use it too.
_MOST_KEPT = 8


class Lines:
    """A few connections of a client's pool. On a cluster the client itself sends, for only it knows where to."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._is_cluster = isinstance(redis, Cluster)
        self._idle: list[AbstractConnection] = []

    async def ask(self, *command: bytes) -> Any:
        """Send one command and return its reply, as it comes. Raises what the client library raises."""
        if self._is_cluster:
            return await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        connection = await self._take()
        try:
            await connection.send_packed_command(wire.pack(*command), check_health=False)
            reply = await connection.read_response()
        except ResponseError:
            await self._give_back(connection)
            raise
        except BaseException:
            # One that broke or froze speaks for the others: their server is gone, or no longer the master.
            self._idle.append(connection)
            await self.hang_up()
            raise
        await self._give_back(connection)
        return reply

    async def hang_up(self) -> None:
        """Let go of the connections that are kept."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.disconnect(nowait=True)
            await self._redis.connection_pool.release(connection)

    async def _take(self) -> AbstractConnection:
        while self._idle:
            connection = self._idle.pop()
            if await _is_sound(connection):
                return connection
            await connection.disconnect(nowait=True)
            await self._redis.connection_pool.release(connection)
        return await self._redis.connection_pool.get_connection()  # type: ignore[no-untyped-call,no-any-return]

    async def _give_back(self, connection: AbstractConnection) -> None:
        if len(self._idle) < _MOST_KEPT:
            self._idle.append(connection)
        else:
            await self._redis.connection_pool.release(connection)


async def _is_sound(connection: AbstractConnection) -> bool:
    """Say whether a connection that lay idle can be used: its server may have closed it meanwhile."""
    try:
        return connection.is_connected and not await connection.can_read()
    except (RedisError, OSError):
        return False
