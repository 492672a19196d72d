"""An operator opens the dashboard and sees an agent's work as it happens, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.browser import log_in, open_page
from tests.conftest import Database, eventually
from tests.integration.web.conftest import PASSWORD, House, open_house

from omie_control.domain.executions import Status


@pytest.fixture
async def house(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
async def page(house: House) -> AsyncIterator[Page]:
    """Give a page of a real browser; any complaint of its console fails the test."""
    async with open_page() as opened:
        yield opened


async def test_an_operator_sees_an_execution_appear_run_and_end_without_reloading(house: House, page: Page) -> None:
    await page.goto(house.url)
    await expect(page).to_have_title("Entrar · omie-control")
    await log_in(page)
    await expect(page.get_by_text("Tudo pronto. Falta a primeira chamada.")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="ao vivo")).to_be_visible()
    await page.evaluate("window.neverReloaded = true")

    handle = await house.begin("fechar_mes")
    await expect(page.locator(".running").get_by_text("fechar_mes")).to_be_visible()
    assert await page.evaluate("window.neverReloaded")

    await page.get_by_role("link", name="fechar_mes").click()
    await expect(page.locator("h1")).to_have_text("fechar_mes")
    await expect(page.locator(".title .badge")).to_have_text("em execução")
    await page.evaluate("window.neverReloaded = true")
    await house.end(handle, Status.FAILED, error_message="O Omie recusou a chamada.", error_code="x")
    await expect(page.locator(".title .badge")).to_have_text("falhou")
    await expect(page.get_by_text("O Omie recusou a chamada.")).to_be_visible()
    assert await page.evaluate("window.neverReloaded")

    await page.get_by_role("link", name="Ao vivo").first.click()
    await expect(page.get_by_role("table").get_by_text("fechar_mes")).to_be_visible()
    await page.get_by_role("combobox", name="Situação").select_option("completed")
    await expect(page.get_by_text("Nenhuma execução com esse filtro.")).to_be_visible()

    await page.get_by_role("button", name="Sair").click()
    await expect(page).to_have_title("Entrar · omie-control")


# Counts how often the page asked whether somebody is busy in it, as it does before it re-reads itself.
_COUNT = """
const real = document.getSelection.bind(document);
window.looked = 0;
document.getSelection = () => { window.looked += 1; return real(); };
"""


async def test_what_ends_while_somebody_marks_its_name_is_shown_once_they_are_done(house: House, page: Page) -> None:
    handle = await house.begin("fechar_mes")
    await page.add_init_script(_COUNT)
    await page.goto(f"{house.url}/execucoes/{handle.execution_id}")
    await log_in(page)
    # Who asks a page anything while it is being left for another gets an error.
    await expect(page.locator("h1")).to_have_text("fechar_mes")

    async def has_looked() -> bool:
        return bool(await page.evaluate("looked") > before)

    before = 0
    await eventually(has_looked)
    await page.locator(".execution-id").click()
    assert await page.evaluate("getSelection().toString()") == handle.execution_id

    before = await page.evaluate("looked")
    await house.end(handle)
    await eventually(has_looked)
    assert await page.evaluate("getSelection().toString()") == handle.execution_id
    await page.get_by_role("heading", name="Entrada").click()
    await expect(page.locator(".title .badge")).to_have_text("concluída")


async def test_the_filters_say_what_the_list_shows_also_on_the_way_back(house: House, page: Page) -> None:
    await house.end(await house.begin("fechar_mes"), Status.FAILED, error_message="Não deu.")
    await page.goto(house.url)
    await log_in(page)
    chosen = page.get_by_role("combobox", name="Situação")
    for status in "failed", "cancelled":
        await chosen.select_option(status)
        await page.wait_for_url(f"{house.url}/?situacao={status}")
    for status in "failed", "":
        await page.go_back()
        await expect(chosen).to_have_value(status)
        await expect(page.get_by_role("table").get_by_text("fechar_mes")).to_be_visible()


# Where the first words of each panel of an execution begin, in whole pixels from its panel's edge.
_EDGES = """
[...document.querySelectorAll(".panel-head h2, .facts dt, .timeline-name, .json, .bodies .panel > p")].map((each) => {
  const inside = each.getBoundingClientRect().left + parseFloat(getComputedStyle(each).paddingLeft);
  return Math.round(inside - each.closest(".panel").getBoundingClientRect().left);
}).filter((edge) => edge < 60)
"""


@pytest.mark.parametrize("width", [360, 1360])
async def test_the_live_page_fits_a_telephone_and_a_desk(house: House, page: Page, width: int) -> None:
    for status in Status.COMPLETED, Status.FAILED:
        handle = await house.begin("consultar_clientes_com_um_nome_que_nao_acaba_nunca_mais")
        await house.end(handle, status, error_message="Um motivo longo. " * 20)
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(house.url)
    await page.get_by_label("Usuário").fill("admin")
    await page.get_by_label("Senha").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("falhou").last).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.goto(f"{house.url}/execucoes/{handle.execution_id}")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    edges = await page.evaluate(_EDGES)
    assert len(edges) > 5
    assert len(set(edges)) == 1, edges


@pytest.mark.parametrize("width", [360, 1360])
async def test_a_page_that_is_none_fits_a_telephone_and_a_desk(house: House, width: int) -> None:
    async with open_page(meant="the server responded with a status of 404") as page:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(f"{house.url}/execucoes/consultar_clientes_20261123_120000_{'0' * 26}")
        await log_in(page)
        await expect(page.locator("h1")).to_contain_text("não existe.")
        card = page.locator(".door-card")
        assert await card.evaluate("card => card.scrollWidth <= card.clientWidth")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_name_of_a_tool_is_not_broken_on_a_tablet(house: House, page: Page) -> None:
    await house.end(await house.begin("consultar_cliente_por_codigo"))
    await page.set_viewport_size({"width": 768, "height": 800})
    await page.goto(house.url)
    await log_in(page)
    name = page.get_by_role("link", name="consultar_cliente_por_codigo")
    await expect(name).to_be_visible()
    assert await name.evaluate("link => link.getClientRects().length") == 1
