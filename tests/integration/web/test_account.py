"""My account: password, second factor, sessions; the link that lets a person set a password."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx2
import pyotp
import pytest
from tests.integration.web.conftest import PASSWORD, SYSTEM, House, browser, csrf_of, log_in

from omie_control.domain.actors import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW = "outra frase bem comprida"


async def person(house: House) -> str:
    name = f"maria{uuid4().hex[:8]}"
    await house.app.users.create(SYSTEM, name, PASSWORD, Role.OPERATOR)
    return name


async def post(client: httpx2.AsyncClient, path: str, **form: str) -> httpx2.Response:
    """Send a form of the account page, with its token."""
    token = csrf_of((await client.get("/conta")).text)
    return await client.post(path, data={"csrf_token": token, **form})


async def enrolled(client: httpx2.AsyncClient) -> tuple[pyotp.TOTP, list[str]]:
    shown = await post(client, "/conta/segundo-fator", current=PASSWORD)
    assert shown.status_code == 200
    assert "<svg" in shown.text
    found = re.search(r"secret=([A-Z2-7]+)", shown.text)
    assert found is not None
    totp = pyotp.TOTP(found[1])
    confirmed = await post(client, "/conta/segundo-fator/confirmar", code=totp.now())
    codes = re.findall(r"\b(?:[a-z2-9]{4}-){3}[a-z2-9]{4}\b", confirmed.text)
    assert len(codes) == 10
    return totp, codes


async def test_a_second_factor_is_asked_for_from_the_next_login_on(house: House) -> None:
    name = await person(house)
    async with house.visitor(name) as client:
        assert (await post(client, "/conta/segundo-fator", current="errada")).status_code == 422
        assert (await post(client, "/conta/segundo-fator/confirmar", code="123456")).status_code == 409
        _, codes = await enrolled(client)
        assert codes[0] not in (await client.get("/conta")).text
    async with browser(house.url) as client:
        answer = await log_in(client, name, PASSWORD, continuar="/conta")
        assert answer.headers["location"] == "/entrar/codigo?continuar=/conta"
        assert (await client.get("/conta")).status_code == 303, "the password alone opens nothing"
        page = await client.get("/entrar/codigo?continuar=//evil.example/")
        assert "evil" not in page.text
        token = csrf_of(page.text)
        form = {"csrf_token": token, "continuar": "/conta"}
        assert (await client.post("/entrar/codigo", data={**form, "code": "nada"})).status_code == 401
        assert (
            await client.post("/entrar/codigo", data={**form, "code": codes[0], "csrf_token": "x"})
        ).status_code == 422
        inside = await client.post("/entrar/codigo", data={**form, "code": codes[0]})
        assert (inside.status_code, inside.headers["location"]) == (303, "/conta")
        assert (await client.get("/conta")).status_code == 200
        assert (await post(client, "/conta/segundo-fator/desligar", code=codes[0])).status_code == 422
        assert (await post(client, "/conta/segundo-fator/desligar", code=codes[1])).status_code == 303
    async with house.visitor(name) as client:
        assert (await client.get("/conta")).status_code == 200


async def test_a_code_without_a_login_that_waits_is_worth_nothing(house: House) -> None:
    async with browser(house.url) as client:
        assert (await client.get("/entrar/codigo")).headers["location"] == "/entrar"
        token = csrf_of((await client.get("/entrar")).text)
        answer = await client.post("/entrar/codigo", data={"csrf_token": token, "code": "123456"})
        assert answer.status_code == 401


async def test_a_new_password_ends_every_session(house: House) -> None:
    name = await person(house)
    async with house.visitor(name) as other, house.visitor(name) as client:
        assert (await post(client, "/conta/senha", current="errada", password=NEW)).status_code == 422
        weak = await post(client, "/conta/senha", current=PASSWORD, password=name)
        assert weak.status_code == 422
        assert "fraca" in weak.text
        done = await post(client, "/conta/senha", current=PASSWORD, password=NEW)
        assert (done.status_code, done.headers["location"]) == (303, "/entrar")
        for each in (client, other):
            assert (await each.get("/conta")).status_code == 303
    async with browser(house.url) as client:
        assert (await log_in(client, name, NEW)).status_code == 303


async def test_one_ends_ones_own_sessions_and_no_others(house: House) -> None:
    name, stranger = await person(house), await person(house)
    async with house.visitor(name) as other, house.visitor(name) as client, house.visitor(stranger) as third:
        page = (await client.get("/conta")).text
        (ending,) = re.findall(r"/conta/sessoes/[0-9a-f-]+/encerrar", page)
        assert (await post(third, ending)).status_code == 404
        assert (await other.get("/conta")).status_code == 200
        assert (await client.post(ending, data={"csrf_token": "x"})).status_code == 403
        assert (await post(client, ending)).status_code == 303
        assert (await other.get("/conta")).status_code == 303
        assert (await client.get("/conta")).status_code == 200


async def test_an_invited_person_sets_the_password_and_enters(house: House) -> None:
    name = f"joana{uuid4().hex[:8]}"
    _, secret = await house.app.services.invitations.invite(SYSTEM, name, Role.VIEWER)
    async with browser(house.url) as client:
        page = await client.get(f"/convite/{secret}")
        assert name in page.text
        form = {"csrf_token": csrf_of(page.text)}
        assert "fraca" in (await client.post(f"/convite/{secret}", data={**form, "password": "curta"})).text
        done = await client.post(f"/convite/{secret}", data={**form, "password": NEW})
        assert (done.status_code, done.headers["location"]) == (303, "/entrar")
        assert (await client.get(f"/convite/{secret}")).status_code == 404
        assert (await client.post(f"/convite/{secret}", data={**form, "password": PASSWORD})).status_code == 404
        assert (await log_in(client, name, NEW)).status_code == 303


async def test_the_account_is_shown_in_english_too(house: House) -> None:
    async with house.visitor() as client:
        client.cookies.set("omie_control_idioma", "en")
        page = (await client.get("/conta")).text
        assert "My account" in page
        for word in ("Sessões", "Segundo fator", "Senha atual", "Trocar"):
            assert word not in page


async def test_the_language_changes_on_the_page_one_is_on_also_after_a_form(house: House) -> None:
    handle = await house.begin()
    await house.end(handle)
    detail = f"/execucoes/{handle.execution_id}"
    async with house.visitor() as client:
        for address, more in ((f"{detail}/revelar", {}), ("/conta/senha", {"current": "errada", "password": NEW})):
            token = csrf_of((await client.get("/conta")).text)
            page = (await client.post(address, data={"csrf_token": token, **more})).text
            (target,) = re.findall(r'name="continuar" value="([^"]*)"', page)
            assert target == address.rpartition("/")[0]
            assert (await client.get(target)).status_code == 200
        page = (await client.get("/?situacao=failed&tipo=fechar_mes")).text
        assert 'name="continuar" value="/?situacao=failed&amp;tipo=fechar_mes"' in page
