"""The company's account in a real browser: its rules for cookies and policies, with the provider on another site."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect
from tests.conftest import Database
from tests.dashboard_house import housed
from tests.provider import provided

from omie_control.domain.actors import SYSTEM

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
# Of a busy machine, in milliseconds; what is expected is there much sooner.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


async def test_the_button_leads_there_and_back(database: Database, valkey_url: str, tmp_path: Path) -> None:
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no chromium on this machine")
    async with provided() as provider:
        # To a browser another site than 127.0.0.1: what comes from there comes from elsewhere.
        provider.url = provider.url.replace("127.0.0.1", "localhost")
        async with (
            housed(database, valkey_url, tmp_path, provider) as house,
            async_playwright() as playwright,
        ):
            await house.app.services.user_identities.link(SYSTEM, "ana", "ana-7")
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = await browser.new_page(locale="pt-BR")
            complaints: list[str] = []
            page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
            page.set_default_timeout(PATIENCE)
            await page.goto(f"{house.url}/conta")
            await page.get_by_role("link", name="Entrar com a conta da empresa").click()
            await expect(page.get_by_role("heading", name="Minha conta")).to_be_visible()
            assert page.url == f"{house.url}/conta"
            # The answer again, as the browser's history has it: nobody is in by it twice, and who is in stays in.
            await page.goto(f"{house.url}/entrar/oidc/volta?code=a&state=b")
            await expect(page.get_by_role("alert")).to_contain_text("Não foi possível confirmar a entrada")
            await page.goto(f"{house.url}/conta")
            await expect(page.get_by_role("heading", name="Minha conta")).to_be_visible()
            assert {"omie_control_sessao"} <= {each["name"] for each in await page.context.cookies(house.url)}
            assert "omie_control_identidade" not in {each["name"] for each in await page.context.cookies(house.url)}
            await browser.close()
    assert [each for each in complaints if "401" not in each] == []
