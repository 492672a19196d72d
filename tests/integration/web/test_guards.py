"""What no request passes: a foreign host, a foreign origin, a body too large; and what every answer carries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.integration.web.conftest import PASSWORD, House, browser

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "a b", "localhost:99999x"])
async def test_a_foreign_host_is_refused(house: House, host: str) -> None:
    async with browser(house.url) as client:
        assert (await client.get("/entrar", headers={"Host": host})).status_code in (400, 421)


async def test_localhost_is_one_of_our_names(house: House) -> None:
    async with browser(house.url) as client:
        assert (await client.get("/entrar", headers={"Host": "localhost:8000"})).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_form_from_elsewhere_is_refused(house: House, headers: dict[str, str]) -> None:
    async with browser(house.url) as client:
        form = {"username": "admin", "password": PASSWORD}
        assert (await client.post("/entrar", data=form, headers=headers)).status_code == 403


async def test_a_body_over_the_limit_is_refused_announced_or_not(house: House) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"a" * 4096

    async with browser(house.url) as client:
        assert (await client.post("/entrar", content=b"a" * 70_000)).status_code == 413
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post("/idioma", content=drip(), headers=form)
        assert answer.status_code == 413


async def test_every_answer_carries_the_headers_even_an_error(house: House) -> None:
    async with browser(house.url) as client:
        for path in ("/entrar", "/nada", "/static/style.css", "/healthz"):
            answer = await client.get(path)
            assert "default-src 'self'" in answer.headers["content-security-policy"], path
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert "Esta página não existe." in (await client.get("/nada")).text


async def test_pages_hold_no_inline_script_or_style_and_name_no_other_host(house: House) -> None:
    handle = await house.begin()
    await house.end(handle, response={"total": 1})
    async with house.visitor() as client:
        for path in ("/", f"/execucoes/{handle.execution_id}"):
            page = (await client.get(path)).text
            for forbidden in ("<style", " style=", " onclick=", "<script>"):
                assert forbidden not in page
            assert "://" not in page.replace(house.url, "")


async def test_what_nobody_foresaw_is_a_page_with_headers_and_no_secret(house: House) -> None:
    async def explode() -> None:
        raise RuntimeError("postgresql://app:hunter2@db/x")

    before = list(house.web.router.routes)
    house.web.add_api_route("/explode", explode)
    try:
        async with browser(house.url) as client:
            answer = await client.get("/explode")
    finally:
        # Others look at every route of this house.
        house.web.router.routes[:] = before
    assert answer.status_code == 500
    assert "Algo deu errado aqui dentro." in answer.text
    assert "hunter2" not in answer.text
    assert "content-security-policy" in answer.headers
