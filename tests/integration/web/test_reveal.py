"""What is masked on a page opens for whoever may, by a form of their own, and leaves its trace."""

from __future__ import annotations

import pytest
from tests.integration.web.conftest import PASSWORD, SYSTEM, House, browser, csrf_of, log_in

from omie_control.domain.actors import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")
CPF, MASKED = "529.982.247-25", "***.982.247-**"


async def personal(house: House) -> str:
    handle = await house.begin()
    await house.end(handle, response={"cnpj_cpf": CPF, "email": "ana@exemplo.com.br"})
    return handle.execution_id


async def test_an_administrator_opens_it_and_the_audit_knows(house: House) -> None:
    name = await personal(house)
    async with house.visitor() as client:
        page = (await client.get(f"/execucoes/{name}")).text
        assert MASKED in page
        assert CPF not in page
        answer = await client.post(f"/execucoes/{name}/revelar", data={"csrf_token": csrf_of(page)})
        assert answer.status_code == 200
        assert CPF in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert CPF not in (await client.get(f"/execucoes/{name}")).text
    rows = await house.app.db.postgres.pool.fetch(
        "select actor, ip_address from audit_events where action = 'body.revealed' and object_id = $1", name
    )
    assert [(row["actor"], str(row["ip_address"])) for row in rows] == [("user:admin", "127.0.0.1")]


async def test_where_nothing_was_masked_there_is_nothing_to_open(house: House) -> None:
    handle = await house.begin()
    await house.end(handle, response={"total": 7})
    async with house.visitor() as client:
        assert "revelar" not in (await client.get(f"/execucoes/{handle.execution_id}")).text


async def test_nobody_else_does(house: House) -> None:
    name = await personal(house)
    await house.app.users.create(SYSTEM, "curiosa", PASSWORD, Role.VIEWER)
    async with browser(house.url) as client:
        answer = await client.post(f"/execucoes/{name}/revelar", data={"csrf_token": "x"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/entrar")
        await log_in(client, "curiosa", PASSWORD)
        page = (await client.get(f"/execucoes/{name}")).text
        assert "revelar" not in page
        refused = await client.post(f"/execucoes/{name}/revelar", data={"csrf_token": csrf_of(page)})
        assert refused.status_code == 403
        assert CPF not in refused.text
    async with house.visitor() as client:
        forged = await client.post(f"/execucoes/{name}/revelar", data={"csrf_token": "x"})
        assert forged.status_code == 403
        assert CPF not in forged.text
