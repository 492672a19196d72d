"""Every route there is, asked by nobody: headers on each answer, no form without its token, no way to another host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from starlette.routing import BaseRoute
from tests.integration.web.conftest import House, browser

from omie_control.web.guard import HEADERS

pytestmark = pytest.mark.asyncio(loop_scope="session")
# Open to whoever asks, on purpose.
OPEN = {"/entrar", "/entrar/codigo", "/convite/1", "/healthz", "/readyz", "/idioma", "/metrics", "/sair"}

# A body of a webhook may be larger, and none is read for an address that is none.
ROOMIER = {"/webhooks/omie/1"}


def routes(found: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give each method of each path, its parameters filled in; wherever the framework keeps them."""
    for route in found:
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner:
            yield from routes(list(inner), path if getattr(route, "routes", None) else prefix)
        for method in sorted(getattr(route, "methods", None) or ()):
            yield method, re.sub(r"\{[^}]+\}", _filled, path)


def _filled(parameter: re.Match[str]) -> str:
    return str(UUID(int=1)) if parameter[0] == "{session_id}" else "1"


async def test_every_answer_has_the_headers_and_leads_nowhere_else(house: House) -> None:
    every = sorted(set(routes(list(house.web.routes))))
    assert len(every) > 25
    async with browser(house.url) as client:
        for method, path in every:
            answer = await client.request(
                method, path, data={"continuar": "//evil.example/"} if method == "POST" else None
            )
            for name, value in HEADERS.items():
                assert answer.headers[name] == value, (method, path, name)
            assert answer.headers["cache-control"] == "no-store", (method, path)
            target = answer.headers.get("location", "/")
            assert target.startswith("/"), (method, path, target)
            assert not target.startswith(("//", "/\\")), (method, path, target)
            if path not in OPEN:
                assert answer.status_code in (303, 401, 404), (method, path, answer.status_code)
            for cookie in answer.headers.get_list("set-cookie"):
                assert "SameSite=" in cookie.replace("samesite=", "SameSite="), (method, path)
                assert "httponly" in cookie.lower() or "omie_control_idioma" in cookie, (method, path)


async def test_no_route_that_changes_anything_takes_a_foreign_origin_or_a_large_body(house: House) -> None:
    changing = sorted({each for each in routes(list(house.web.routes)) if each[0] not in ("GET", "HEAD", "OPTIONS")})
    assert len(changing) > 8
    async with browser(house.url) as client:
        for method, path in changing:
            foreign = await client.request(method, path, headers={"Origin": "http://evil.example"})
            assert foreign.status_code == 403, (method, path)
            large = await client.request(method, path, content=b"a" * 70_000)
            assert large.status_code == (404 if path in ROOMIER else 413), (method, path)
            rebound = await client.request(method, path, headers={"Host": "evil.example"})
            assert rebound.status_code == 421, (method, path)
