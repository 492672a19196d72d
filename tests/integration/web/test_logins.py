"""The door: who gets in, who does not, and where one lands."""

from __future__ import annotations

import re
from uuid import UUID

import httpx2
import pytest
from tests.integration.web.conftest import PASSWORD, House, browser, csrf_of, log_in

from omie_control.domain.configuration import LOGIN_HOURS

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_stranger_is_sent_to_the_door_and_brought_back(house: House) -> None:
    async with browser(house.url) as client:
        answer = await client.get("/?situacao=failed")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/entrar?continuar=/%3Fsituacao%3Dfailed"
        entered = await log_in(client, "admin", PASSWORD, continuar="/?situacao=failed")
        assert entered.headers["location"] == "/?situacao=failed"


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/conta/senha", "/conta"),
        (f"/conta/sessoes/{UUID(int=1)}/encerrar", "/conta"),
        ("/conta/segundo-fator/confirmar", "/conta"),
        ("/execucoes/nada_20261123_120000_0/revelar", "/execucoes/nada_20261123_120000_0"),
        ("/configuracao/voltar/3", "/configuracao/voltar/3"),
    ],
)
async def test_whose_session_ended_under_a_form_comes_back_to_the_page_it_stands_on(
    house: House, form: str, page: str
) -> None:
    async with browser(house.url) as client:
        answer = await client.post(form, data={"csrf_token": "de ontem"})
    assert answer.headers["location"] == f"/entrar?continuar={page}"


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    async with browser(house.url) as client:
        answer = await log_in(client, "admin", PASSWORD)
        cookie = next(text for text in answer.headers.get_list("set-cookie") if "sessao" in text)
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert "Path=/" in cookie


async def test_a_browser_keeps_its_session_for_as_long_as_the_configuration_lets_it_live(house: House) -> None:
    async with browser(house.url) as client:
        answer = await log_in(client, "admin", PASSWORD)
        cookie = next(text for text in answer.headers.get_list("set-cookie") if "sessao" in text)
    kept = re.search(r"Max-Age=(\d+)", cookie)
    # Every use moves a session's end: however long that is, some go on for several such spans.
    assert kept is not None and int(kept[1]) > 10 * LOGIN_HOURS.highest * 3600


async def test_a_wrong_password_says_so_without_saying_which_half_is_wrong(house: House) -> None:
    async with browser(house.url) as client:
        answers = [await log_in(client, name, "outra-senha-longa") for name in ("admin", "ninguem")]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert all("Usuário ou senha não conferem." in answer.text for answer in answers)
        assert not any("sessao" in text for answer in answers for text in answer.headers.get_list("set-cookie"))


async def test_guessing_is_slowed_down(house: House) -> None:
    async with browser(house.url) as client:
        statuses = [(await log_in(client, "visita", f"palpite-{number}-errado")).status_code for number in range(7)]
        assert statuses[0] == 401
        assert statuses[-1] == 429


async def test_a_login_form_without_its_token_opens_nothing(house: House) -> None:
    async with browser(house.url) as client:
        await client.get("/entrar")
        answer = await client.post("/entrar", data={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 422
        assert "O formulário expirou." in answer.text


async def test_leaving_ends_the_session_for_good(house: House) -> None:
    async with house.visitor() as client:
        token = csrf_of((await client.get("/")).text)
        kept = dict(client.cookies)
        assert (await client.post("/sair", data={"csrf_token": "outro"})).status_code == 403
        assert (await client.post("/sair", data={"csrf_token": token})).status_code == 303
        async with browser(house.url) as thief:
            thief.cookies.update(kept)
            assert (await thief.get("/")).status_code == 303


@pytest.mark.parametrize("target", ["https://mau.example", "//mau.example", "/\\mau.example", "javascript:alert(1)"])
async def test_a_login_never_leads_elsewhere(house: House, target: str) -> None:
    async with browser(house.url) as client:
        answer: httpx2.Response = await log_in(client, "admin", PASSWORD, continuar=target)
        assert answer.headers["location"] == "/"


async def test_a_live_refresh_without_a_session_moves_the_whole_page(house: House) -> None:
    async with browser(house.url) as client:
        answer = await client.get("/", headers={"HX-Request": "true"})
        assert answer.headers["hx-redirect"] == "/entrar"
