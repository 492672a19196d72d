"""The company's account in a real browser: its rules for cookies and policies, with the provider on another site."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect
from tests.browser import open_page
from tests.conftest import Database
from tests.dashboard_house import housed
from tests.provider import provided

from omie_control.domain.actors import SYSTEM


async def test_the_button_leads_there_and_back(database: Database, valkey_url: str, tmp_path: Path) -> None:
    async with provided() as provider:
        # To a browser another site than 127.0.0.1: what comes from there comes from elsewhere.
        provider.url = provider.url.replace("127.0.0.1", "localhost")
        async with housed(database, valkey_url, tmp_path, provider) as house, open_page(meant="401") as page:
            await house.app.services.user_identities.link(SYSTEM, "ana", "ana-7")
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
