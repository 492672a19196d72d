"""Who is connected now."""

from __future__ import annotations

import pytest
import redis.asyncio
from tests.conftest import Clock, eventually
from tests.integration.valkey.conftest import OwnValkey

from omie_control.valkey import Live, Sessions

pytestmark = pytest.mark.usefixtures("patient")


async def test_a_session_is_listed_until_fifteen_minutes_after_its_last_call(
    own_client: redis.asyncio.Redis, clock: Clock
) -> None:
    live = Live(own_client)
    await live.open()
    sessions = Sessions(own_client, live, clock=clock)
    sessions.note("a", "token:claude", "http", user_agent="claude-code/2", ip_address="10.0.0.9")
    clock.advance(minutes=10)
    sessions.note("b", "stdio:desktop", "stdio")

    async def are_two() -> bool:
        return len(await sessions.active() or []) == 2

    await eventually(are_two)
    assert [session.id for session in await sessions.active() or []] == ["b", "a"]
    clock.advance(minutes=6)
    assert [session.id for session in await sessions.active() or []] == ["b"]
    await live.close()


async def test_without_valkey_nobody_knows_and_nobody_waits(
    own_client: redis.asyncio.Redis, own_valkey: OwnValkey, clock: Clock
) -> None:
    own_valkey.kill()
    sessions = Sessions(own_client, Live(own_client), clock=clock)
    sessions.note("a", "token:claude", "http")
    assert await sessions.active() is None
