"""Connections through the guard, over real sockets: what a name turns out to be decides, not what it was called."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.mcp_serving import serving

from omie_control.domain.outgoing import Outgoing, origin_of
from omie_control.errors import InvalidInput
from omie_control.outgoing import Guard


class Names:
    """A name server of our own: gives its answers one after the other, the last one for good."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
async def inside() -> AsyncIterator[str]:
    async def hello(request: Request) -> Response:
        return PlainTextResponse(request.headers["host"])

    async def away(request: Request) -> Response:
        return RedirectResponse("http://localhost:1/")

    async with serving(Starlette(routes=[Route("/", hello), Route("/away", away)])) as url:
        yield url


def client(guard: Guard, proxy: str | None = None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=guard.transport(proxy=proxy), timeout=60, trust_env=False)


async def test_nothing_inside_is_reached_unless_it_is_allowed(inside: str) -> None:
    _, port = origin_of(inside)
    for url in (inside, f"http://localhost:{port}", f"http://[::ffff:127.0.0.1]:{port}"):
        async with client(Guard(Outgoing())) as strict:
            with pytest.raises(InvalidInput, match="para dentro"):
                await strict.get(url)
    for rule in (Outgoing().trusting(inside), Outgoing.allowing(["127.0.0.1"]), Outgoing.allowing(["127.0.0.0/8"])):
        async with client(Guard(rule)) as allowed:
            assert (await allowed.get(inside)).text == f"127.0.0.1:{port}"


async def test_a_name_that_changes_its_mind_leads_nowhere(inside: str) -> None:
    _, port = origin_of(inside)
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    guard = Guard(Outgoing(), names)
    await guard.require(f"http://rebinds.example.com:{port}/")
    async with client(guard) as strict:
        with pytest.raises(InvalidInput):
            await strict.get(f"http://rebinds.example.com:{port}/")
    assert names.asked == 2, "once when it was configured, once for the connection"


async def test_one_answer_inside_among_others_is_refused(inside: str) -> None:
    _, port = origin_of(inside)
    guard = Guard(Outgoing(), Names(["8.8.8.8", "127.0.0.1"]))
    with pytest.raises(InvalidInput):
        await guard.require("https://both.example.com/")
    async with client(guard) as strict:
        with pytest.raises(InvalidInput):
            await strict.get(f"http://both.example.com:{port}/")


async def test_an_allowed_name_is_reached_by_its_own_name(inside: str) -> None:
    _, port = origin_of(inside)
    # The first address is silent: the next is tried.
    guard = Guard(Outgoing.allowing(["erp.lan"]), Names(["127.0.0.2", "127.0.0.1"]))
    async with client(guard) as allowed:
        assert (await allowed.get(f"http://erp.lan:{port}/")).text == f"erp.lan:{port}"


async def test_a_redirect_inside_and_a_proxy_inside_are_connections_too(inside: str) -> None:
    guard = Guard(Outgoing().trusting(inside))
    async with client(guard) as allowed:
        with pytest.raises(InvalidInput):
            await allowed.get(f"{inside}/away", follow_redirects=True)
    async with client(Guard(Outgoing()), proxy=inside) as strict:
        with pytest.raises(InvalidInput):
            await strict.get("http://app.omie.com.br/")
    async with client(guard, proxy=inside) as through:
        assert (await through.get("http://app.omie.com.br/")).text == "app.omie.com.br"


async def test_a_name_that_nobody_knows_can_be_configured_and_not_reached() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    guard = Guard(Outgoing(), unknown)
    await guard.require("https://later.example.com/")
    async with client(guard) as strict:
        with pytest.raises(httpx2.ConnectError):
            await strict.get("https://later.example.com/")
