"""What machines ask: alive, ready, figures."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest
from tests.conftest import eventually
from tests.integration.web.conftest import PATIENCE_SECONDS, SYSTEM, House

from omie_control.domain.actors import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_well_house_is_alive_and_ready(fresh_house: House) -> None:
    # One that is young: where no worker seals, what others left behind waits too long after a minute.
    async with httpx2.AsyncClient(base_url=fresh_house.url, timeout=PATIENCE_SECONDS) as client:
        assert (await client.get("/healthz")).json()["status"] == "ok"
        ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert (ready.json()["ready"], ready.json()["degraded"]) == (True, {})


async def test_metrics_count_what_ended(house: House) -> None:
    await house.end(await house.begin("somar_horas"))

    async with httpx2.AsyncClient(base_url=house.url, timeout=PATIENCE_SECONDS) as client:

        async def is_counted() -> bool:
            text = (await client.get("/metrics")).text
            return 'omie_control_executions_ended_total{status="completed",type="somar_horas"} 1.0' in text

        await eventually(is_counted)
        text = (await client.get("/metrics")).text
    assert "omie_control_postgres_up 1.0" in text
    assert "omie_control_valkey_up 1.0" in text
    assert 'omie_control_execution_seconds_bucket{le="+Inf",type="somar_horas"} 1.0' in text


@pytest.mark.parametrize("said", [{"trusted_proxies": ("127.0.0.1",)}, {"public_url": "https://omie.empresa.com.br"}])
async def test_where_a_proxy_is_set_up_metrics_ask_for_a_token_though_it_names_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch, said: dict[str, object]
) -> None:
    behind = replace(house.app, settings=house.app.settings.model_copy(update=said))
    monkeypatch.setitem(house.web.state._state, "control", behind)
    async with httpx2.AsyncClient(base_url=house.url, timeout=PATIENCE_SECONDS) as client:
        assert (await client.get("/metrics")).status_code == 401


async def test_metrics_behind_a_proxy_ask_for_a_token(house: House) -> None:
    through_proxy = {"X-Forwarded-For": "203.0.113.9"}
    _, token = await house.app.tokens.create(SYSTEM, "prometheus", Role.VIEWER)
    async with httpx2.AsyncClient(base_url=house.url, timeout=PATIENCE_SECONDS) as client:
        assert (await client.get("/metrics", headers=through_proxy)).status_code == 401
        bad = {**through_proxy, "Authorization": "Bearer nada"}
        assert (await client.get("/metrics", headers=bad)).status_code == 401
        good = {**through_proxy, "Authorization": f"Bearer {token}"}
        assert (await client.get("/metrics", headers=good)).status_code == 200
