"""A real browser for the stories of the dashboard: one page, and any complaint of its console fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright, expect
from tests.integration.web.conftest import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
# Of a busy machine, in milliseconds; what is expected is there much sooner.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@asynccontextmanager
async def open_page(*, meant: str | None = None) -> AsyncIterator[Page]:
    """Give a page; at its end its console may have complained of nothing, but of what is `meant`."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no chromium on this machine")
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE)
        opened = await browser.new_page(locale="pt-BR", timezone_id="America/Sao_Paulo")
        opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.set_default_timeout(PATIENCE)
        yield opened
        await browser.close()
    assert [each for each in complaints if meant is None or meant not in each] == []


async def log_in(page: Page) -> None:
    """Fill in the form of the page that asks who it is."""
    await page.get_by_label("Usuário").fill("admin")
    await page.get_by_label("Senha").fill(PASSWORD)
    await page.get_by_role("button", name="Entrar").click()
