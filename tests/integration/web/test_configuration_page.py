"""The configuration as people see it: who sees what, what a form makes of input, and the way back."""

from __future__ import annotations

import re
from html import unescape

import httpx2
import pytest
from tests.integration.web.conftest import PASSWORD, SYSTEM, House, browser, csrf_of, log_in

from omie_control.domain.actors import Role
from omie_control.domain.configuration import KEYS
from omie_control.web.pages.configuration import _given, _text

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANARY = "http://ana:canario-4713@proxy.exemplo:3128"
PAGE = "/configuracao"


async def change(client: httpx2.AsyncClient, key: str, value: str, **more: str) -> httpx2.Response:
    """Fill in the form of a key."""
    token = csrf_of((await client.get(PAGE)).text)
    return await client.post(PAGE, data={"csrf_token": token, "chave": key, "valor": value, **more})


async def value_of(house: House, key: str) -> object:
    return (await house.app.services.configurations.get(SYSTEM, key)).value


async def revision_of(house: House) -> int:
    changes, _ = await house.app.services.configurations.history(SYSTEM, limit=1)
    return changes[0].revision


async def test_each_role_sees_what_it_may(fresh_house: House) -> None:
    for role, status, has_forms in ((Role.VIEWER, 403, False), (Role.OPERATOR, 200, False), (Role.ADMIN, 200, True)):
        await fresh_house.app.users.create(SYSTEM, f"ana-{role}", PASSWORD, role)
        async with fresh_house.visitor(f"ana-{role}") as client:
            page = await client.get(PAGE)
            assert page.status_code == status
            assert ('action="/configuracao"' in page.text) is has_forms
            assert ('href="/configuracao"' in (await client.get("/")).text) is (status == 200)
            token = csrf_of((await client.get("/")).text)
            if has_forms:
                continue
            for path in (PAGE, f"{PAGE}/voltar/0"):
                form = {"csrf_token": token, "chave": "writes.enabled", "valor": "false", "visto": "0"}
                assert (await client.post(path, data=form)).status_code == 403, (role, path)
            asked = await client.get(f"{PAGE}/voltar/0")
            assert asked.status_code == status and "Cancelar" not in asked.text
    assert await value_of(fresh_house, "writes.enabled") is True
    async with browser(fresh_house.url) as stranger:
        answer = await stranger.get(f"{PAGE}?chave=writes.enabled")
        assert answer.headers["location"] == "/entrar?continuar=/configuracao%3Fchave%3Dwrites.enabled"
        assert (await stranger.post(PAGE, data={"chave": "writes.enabled", "valor": "false"})).status_code == 303


async def test_every_key_is_there_in_both_languages(house: House) -> None:
    async with house.visitor() as client:
        page = unescape((await client.get(PAGE)).text)
        client.cookies.set("omie_control_idioma", "en")
        english = unescape((await client.get(PAGE)).text)
    for key in KEYS.values():
        assert f'id="chave-{key.name}"' in page
        assert key.description in page
        assert key.description_en in english and key.description not in english
    assert "A number from 1 to 120 seconds." in english


async def test_a_form_without_its_token_changes_nothing(house: House) -> None:
    async with house.visitor() as client:
        for path in (PAGE, f"{PAGE}/voltar/0"):
            form = {"csrf_token": "outro", "chave": "writes.enabled", "valor": "false"}
            assert (await client.post(path, data=form)).status_code == 403
    assert await value_of(house, "writes.enabled") is True


async def test_what_is_refused_comes_back_beside_its_field_with_what_was_typed(fresh_house: House) -> None:
    async with fresh_house.visitor() as client:
        answer = await change(client, "omie.patience_seconds", '"><script>500%s')
        assert answer.status_code == 422
        assert "Este valor não serve. Um número de 1 a 120 segundos." in answer.text
        assert 'value="&#34;&gt;&lt;script&gt;500%s"' in answer.text
        assert answer.text.count('role="alert"') == 1
        for key, value in (
            ("writes.enabled", "talvez"),
            ("omie.base_url", "http://169.254.169.254/"),
            ("login.hours", ""),
        ):
            assert (await change(client, key, value)).status_code == 422
        for unknown in ("write.enabled", "%s", "\x00", ""):
            assert (await change(client, unknown, "1")).status_code == 404
        assert "Nada foi mudado ainda" in (await client.get(PAGE)).text


async def test_a_secret_is_never_on_the_page(fresh_house: House) -> None:
    async with fresh_house.visitor() as client:
        refused = await change(client, "omie.proxy", CANARY.replace("http:", "ftp:"))
        assert refused.status_code == 422
        assert (await change(client, "omie.proxy", CANARY)).status_code == 303
        await change(client, "omie.proxy", CANARY.replace("ana", "bia"))
        first = await revision_of(fresh_house) - 1
        pages = [refused.text, (await client.get(PAGE)).text, (await client.get(f"{PAGE}/voltar/{first}")).text]
    assert "há um gravado" in pages[1]
    assert "outro segredo, que não se mostra" in pages[2]
    assert not [page for page in pages if "canario" in page or "ciphertext" in page]


async def test_a_row_written_by_hand_is_shown_with_its_problem(fresh_house: House) -> None:
    async with fresh_house.app.db.postgres.transaction() as tx:
        await tx.execute(
            "insert into system_configurations (config_key, config_value, config_type)"
            " values ('velha.chave', '{\"a\": \"<b>\"}', 'endpoint'), ('login.hours', '\"muitas\"', 'threshold')"
        )
    async with fresh_house.visitor() as client:
        page = (await client.get(PAGE)).text
        assert "Esta chave não existe nesta versão; ninguém a usa." in page
        assert "login.hours: esperado um número de 1 a 168 (horas). Vale o padrão." in page
        assert "<b>" not in page
        assert (await change(client, "login.hours", "", acao="padrao")).status_code == 303
        assert "login.hours: esperado" not in (await client.get(PAGE)).text


async def test_the_way_back_shows_its_difference_and_asks_again_when_something_changed(fresh_house: House) -> None:
    async with fresh_house.visitor() as client:
        await change(client, "omie.patience_seconds", "7")
        first = await revision_of(fresh_house)
        await change(client, "omie.patience_seconds", "1,5")
        await change(client, "writes.enabled", "false")
        asked = (await client.get(f"{PAGE}/voltar/{first}")).text
        assert [" ".join(each.split()) for each in re.findall(r'class="mono">([^<]+)<', asked)] == [
            "omie.patience_seconds",
            "writes.enabled",
        ]
        alone = (await client.get(f"{PAGE}/voltar/{first}?chave=writes.enabled")).text
        assert "omie.patience_seconds" not in alone
        form = {"csrf_token": csrf_of(asked), "chave": "", "visto": str(await revision_of(fresh_house))}
        await change(client, "login.hours", "8")
        late = await client.post(f"{PAGE}/voltar/{first}", data=form)
        assert late.status_code == 409
        assert "A configuração mudou enquanto esta página estava aberta." in late.text
        assert "login.hours" in late.text
        assert await value_of(fresh_house, "omie.patience_seconds") == 1.5
        form["visto"] = str(await revision_of(fresh_house))
        done = await client.post(f"{PAGE}/voltar/{first}", data=form)
        assert done.headers["location"] == f"{PAGE}?feito=voltou"
        assert "A configuração voltou à revisão escolhida." in (await client.get(f"{PAGE}?feito=voltou")).text
        assert "Já está assim: nada mudaria." in (await client.get(f"{PAGE}/voltar/{first}")).text
        for path in ("999999999", "-1", "x", "9" * 40, f"{first}?chave=nada"):
            assert (await client.get(f"{PAGE}/voltar/{path}")).status_code in (404, 422), path
    assert await value_of(fresh_house, "omie.patience_seconds") == 7
    assert await value_of(fresh_house, "writes.enabled") is True


async def test_older_changes_are_a_page_away_and_one_key_has_its_own(fresh_house: House) -> None:
    for seconds in range(1, 26):
        await fresh_house.app.services.configurations.set(SYSTEM, "omie.patience_seconds", seconds)
    await fresh_house.app.services.configurations.set(SYSTEM, "cache.enabled", False)
    async with fresh_house.visitor() as client:
        page = (await client.get(PAGE)).text
        assert page.count('class="change"') == 20
        assert page.count("é o que vale agora") == 1
        found = re.search(r'href="([^"]+)" rel="next"', page)
        assert found is not None
        older = (await client.get(found[1].replace("&amp;", "&").partition("#")[0])).text
        assert older.count('class="change"') == 6
        assert (await client.get(f"{PAGE}?chave=cache.enabled")).text.count('class="change"') == 1
        assert (await client.get(f"{PAGE}?chave=nada%25s")).status_code == 404
        assert (await client.get(f"{PAGE}?antes=nada")).status_code == 422


async def test_only_our_own_words_are_said_after_a_change(house: House) -> None:
    async with house.visitor() as client:
        assert "Gravado." in (await client.get(f"{PAGE}?feito=writes.enabled")).text
        assert "Gravado." not in (await client.get(f"{PAGE}?feito=Ligue+para+0800")).text


async def test_a_login_of_another_day_keeps_its_way(house: House) -> None:
    async with browser(house.url) as client:
        answer = await log_in(client, "admin", PASSWORD, continuar=f"{PAGE}?chave=writes.enabled")
        assert answer.headers["location"] == f"{PAGE}?chave=writes.enabled"


@pytest.mark.parametrize(
    ("typed", "language", "read"),
    [
        ("1,5", "pt-BR", "1.5"),
        ("3.600", "pt-BR", "3600"),
        ("1.234,5", "pt-BR", "1234.5"),
        ("1.5", "pt-BR", "1.5"),
        (" 20 ", "pt-BR", "20"),
        ("3,600", "en", "3600"),
        ("1.5", "en", "1.5"),
        ("1,5", "en", "1,5"),
        ("1.2.3", "pt-BR", "1.2.3"),
    ],
)
async def test_a_number_is_read_as_its_language_writes_it(typed: str, language: str, read: str) -> None:
    assert _given(KEYS["omie.patience_seconds"], typed, language) == read
    assert _text(1.5, language) == ("1,5" if language == "pt-BR" else "1.5")
