"""An operator opens the dashboard and sees an agent's work as it happens, in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect
from tests.conftest import Database
from tests.integration.web.conftest import PASSWORD, House, open_house

from omie_control.domain.executions import Status

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
# Of a busy machine, in milliseconds; what is expected is there much sooner.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture
async def house(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
async def page(house: House) -> AsyncIterator[Page]:
    """Give a page of a real browser; any complaint of its console fails the test."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing")
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no chromium on this machine")
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = await browser.new_page(locale="pt-BR", timezone_id="America/Sao_Paulo")
        opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.set_default_timeout(PATIENCE)
        yield opened
        await browser.close()
    assert complaints == []


async def test_an_operator_sees_an_execution_appear_run_and_end_without_reloading(house: House, page: Page) -> None:
    await page.goto(house.url)
    await expect(page).to_have_title("Entrar · omie-control")
    await page.get_by_label("Usuário").fill("admin")
    await page.get_by_label("Senha").fill(PASSWORD)
    await page.get_by_role("button", name="Entrar").click()
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
