"""Server-sent hints."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.conftest import eventually
from tests.integration.web.conftest import PASSWORD, PATIENCE_SECONDS, SYSTEM, House

from omie_control.domain.actors import Role
from omie_control.domain.roles import RoleWords
from omie_control.telemetry import Event, tell
from omie_control.web import live
from omie_control.web.live import HEARTBEAT_SECONDS, MAX_STREAMS_EACH

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def until(lines: AsyncIterator[str], word: str) -> str:
    """Read lines until one holds the word; the stream stays open."""
    async with asyncio.timeout(60):
        while True:
            line = await anext(lines)
            if word in line:
                return line


async def test_a_stranger_gets_no_hints(house: House) -> None:
    async with httpx2.AsyncClient(base_url=house.url, timeout=PATIENCE_SECONDS) as client:
        assert (await client.get("/ao-vivo")).status_code == 401


async def test_a_start_is_hinted_at(house: House) -> None:
    async with house.visitor() as client, client.stream("GET", "/ao-vivo") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()

        async def begin_until_heard() -> str:
            # The subscription may be a moment younger than the stream: start one after the other until one is heard.
            while True:
                await house.end(await house.begin("fechar_mes"))
                await asyncio.sleep(0.1)

        starting = asyncio.create_task(begin_until_heard())
        try:
            await until(lines, "fechar_mes_")
        finally:
            starting.cancel()
            await asyncio.wait([starting])


async def test_a_visitor_has_so_many_streams_and_no_more(house: House) -> None:
    streams = house.web.state.streams

    async def is_free() -> bool:
        return bool(streams.count == 0)

    # Of whoever left just now a place may be taken yet.
    await eventually(is_free)
    async with house.visitor() as client, asyncio.TaskGroup() as group:

        async def hold() -> None:
            async with client.stream("GET", "/ao-vivo") as stream:
                lines = stream.aiter_lines()
                await until(lines, "aberto")
                await released.wait()

        released = asyncio.Event()
        for _ in range(MAX_STREAMS_EACH):
            group.create_task(hold())

        async def is_full() -> bool:
            return bool(streams.count == MAX_STREAMS_EACH)

        await eventually(is_full)
        assert (await client.get("/ao-vivo")).status_code == 429
        released.set()


async def test_an_open_stream_follows_what_its_visitor_may_see(fresh_house: House) -> None:
    app = fresh_house.app
    kept = await app.companies.add(SYSTEM, "mantida", "Mantida", "1000000001", "a" * 32)
    lost = await app.companies.add(SYSTEM, "perdida", "Perdida", "1000000002", "b" * 32)
    await app.users.create(SYSTEM, "ana", PASSWORD, Role.VIEWER, [kept.id, lost.id])
    async with fresh_house.visitor("ana") as client, client.stream("GET", "/ao-vivo") as stream:
        lines = stream.aiter_lines()
        await until(lines, "aberto")
        await app.users.change_role(SYSTEM, "ana", Role.VIEWER, [kept.id])
        unheard = 0
        async with asyncio.timeout(120):
            # So many rounds in a row in which only the company that she kept is told of.
            while unheard < 5:
                names = [(await fresh_house.begin(company=each.id)).execution_id for each in (lost, kept)]
                line = ""
                while names[1] not in line and names[0] not in line:
                    line = await until(lines, "execution_id")
                unheard = unheard + 1 if names[1] in line else 0
                await asyncio.sleep(0.05)
        await app.logins.end_of_person(SYSTEM, "ana")
        await until(lines, "fim")


async def test_who_may_see_nothing_any_more_is_told_nothing(fresh_house: House) -> None:
    app = fresh_house.app
    await app.users.create(SYSTEM, "ana", PASSWORD, Role.VIEWER)
    async with fresh_house.visitor("ana") as client, client.stream("GET", "/ao-vivo") as stream:
        lines = stream.aiter_lines()
        await until(lines, "aberto")
        blind = await app.services.roles.create(SYSTEM, "so-roda", RoleWords(rights=["execution.run"]))
        await app.users.change_role(SYSTEM, "ana", blind)
        await until(lines, "fim")


async def test_a_stopping_process_ends_its_streams_promptly(
    fresh_house: House, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So far away that a busy machine does not get there.
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 10 * HEARTBEAT_SECONDS)
    async with fresh_house.visitor() as client, client.stream("GET", "/ao-vivo") as stream:
        began = time.monotonic()
        tell(Event.PROCESS_STOPPING)
        # The house that all tests share lives in the same process, and goes on.
        house.web.state.streams.is_closed = False
        async for _ in stream.aiter_lines():
            pass
    # Well before the next heartbeat, at which it would have ended anyway.
    assert time.monotonic() - began < 5 * HEARTBEAT_SECONDS
