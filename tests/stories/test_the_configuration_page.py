"""An administrator changes the configuration in a real browser, errs, and goes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.browser import log_in, open_page
from tests.conftest import Database
from tests.integration.web.conftest import SYSTEM, House, open_house

# What the console says of a form that came back: the answer's status, which is meant.
REFUSED_FORM = "the server responded with a status of 422"


@pytest.fixture
async def house(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
async def page(house: House) -> AsyncIterator[Page]:
    """Give a page of a real browser, logged in, on the configuration; other complaints of its console fail the test."""
    async with open_page(meant=REFUSED_FORM) as opened:
        await opened.goto(house.url)
        await log_in(opened)
        await opened.get_by_role("link", name="Configuração").click()
        yield opened


async def test_an_administrator_changes_a_key_errs_and_goes_back(house: House, page: Page) -> None:
    row = page.locator(".setting", has_text="omie.patience_seconds").first
    field = row.get_by_role("textbox", name="Valor de omie.patience_seconds")
    await expect(field).to_have_value("20")
    await field.fill("500")
    await field.press("Enter")
    await expect(row.get_by_role("alert")).to_have_text("Este valor não serve. Um número de 1 a 120 segundos.")
    await expect(field).to_have_value("500")
    await expect(field).to_be_focused()
    await field.fill("7,5")
    await field.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Gravado.")).to_be_visible()
    await expect(field).to_have_value("7,5")
    await field.fill("9")
    await row.get_by_role("button", name="Gravar").click()
    await expect(field).to_have_value("9")

    await expect(page.locator(".change")).to_have_count(2)
    await page.locator(".change").nth(1).get_by_role("link", name="Voltar a esta revisão").click()
    await expect(page.locator("h1")).to_contain_text("Voltar à revisão")
    await expect(page.locator(".change")).to_contain_text("agora 9 → passa a 7,5")
    await page.get_by_role("button", name="Voltar a esta revisão").click()
    await expect(page.get_by_text("A configuração voltou à revisão escolhida.")).to_be_visible()
    await expect(field).to_have_value("7,5")
    await row.get_by_role("button", name="Voltar ao padrão").click()
    await expect(field).to_have_value("20")


async def test_a_choice_that_was_not_saved_is_not_shown_as_in_force_on_the_way_back(page: Page) -> None:
    choice = page.get_by_role("combobox", name="Valor de writes.enabled")
    await choice.select_option("false")
    await page.get_by_role("link", name="Minha conta").click()
    await expect(page.locator("h1")).to_have_text("Minha conta")
    await page.go_back()
    await expect(page.locator("h1")).to_have_text("Configuração")
    await expect(choice).to_have_value("true")


@pytest.mark.parametrize("width", [360, 1360])
async def test_the_configuration_fits_a_telephone_and_a_desk(house: House, page: Page, width: int) -> None:
    verbs = house.app.services.configurations
    await verbs.set(SYSTEM, "omie.base_url", "https://endereco.exemplo/" + "caminho-que-nao-acaba-nunca-mais/" * 8)
    await verbs.set(SYSTEM, "writes.enabled", False)
    await page.set_viewport_size({"width": width, "height": 800})
    for path in ("/configuracao", "/configuracao/voltar/0", "/configuracao?chave=omie.base_url"):
        await page.goto(house.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
    await expect(page.get_by_role("link", name="Configuração").first).to_be_visible()
