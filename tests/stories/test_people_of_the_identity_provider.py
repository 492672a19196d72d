"""Which person somebody of the identity provider is here: by whose word, with which role, and when no longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pyotp
import pytest
from tests.conftest import Database
from tests.dashboard_house import PASSWORD, UNWELCOME, House, housed
from tests.provider import Provider, provided

from omie_control.domain.actors import SYSTEM, Role
from omie_control.domain.executions import Origin
from omie_control.errors import Conflict, InvalidInput, NotFound

NOW = datetime(2026, 11, 23, 12, 0, 10, tzinfo=UTC)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with provided() as made:
        yield made


@pytest.fixture
async def house(database: Database, valkey_url: str, tmp_path: Path, provider: Provider) -> AsyncIterator[House]:
    async with housed(database, valkey_url, tmp_path, provider) as made:
        await made.app.services.user_identities.link(SYSTEM, "ana", "ana-7")
        yield made


async def test_who_is_nobody_here_or_no_longer_is_told_the_same(house: House, conn: asyncpg.Connection) -> None:
    pages = []
    for person in (
        {"sub": "outra-pessoa"},
        {"sub": "outra-pessoa", "email": "ana@empresa.com.br", "email_verified": True},
    ):
        house.provider.person = person
        async with house.browser() as client:
            answer = await house.enter(client)
            assert answer.status_code == 403
            pages.append(UNWELCOME in answer.text)
    await house.app.users.deactivate(SYSTEM, "ana")
    house.provider.person = {"sub": "ana-7"}
    async with house.browser() as client:
        answer = await house.enter(client)
        assert (answer.status_code, UNWELCOME in answer.text) == (403, True)
    assert pages == [True, True]
    rows = await conn.fetch("select actor, object_id, detail from audit_events where action = 'login.identity_refused'")
    assert {(row["actor"], row["object_id"], row["detail"]) for row in rows} == {
        ("oidc:outra-pessoa", "outra-pessoa", "Ninguém está ligado a esta identidade."),
        ("oidc:ana-7", "ana-7", "A pessoa desta identidade está desativada."),
    }


async def test_a_verified_address_links_once_where_that_is_allowed(
    database: Database, valkey_url: str, tmp_path: Path, provider: Provider, conn: asyncpg.Connection
) -> None:
    async with housed(database, valkey_url, tmp_path, provider, oidc_link_by_email=True) as house:
        verbs = house.app.services.user_identities
        await verbs.set_email(SYSTEM, "ana", " Ana@Empresa.com.br ")

        async def status(**person: Any) -> int:
            provider.person = person
            async with house.browser() as client:
                return (await house.enter(client)).status_code

        address = "ana@empresa.com.br"
        for person in (
            {"email": address},
            {"email": address, "email_verified": False},
            {"email": address, "email_verified": "true"},
            {"email": address, "email_verified": 1},
            {"email": "outra@empresa.com.br", "email_verified": True},
            {"email": "ana@empresa.com.br\u200b", "email_verified": True},
            {"email": "ANA@EMPRESA.COM.BR\u0130", "email_verified": True},
            {"email": [address], "email_verified": True},
            {"email_verified": True},
        ):
            assert await status(sub="s-1", **person) == 403, person
        assert await conn.fetchval("select count(*) from user_identities") == 0
        assert await status(sub="s-1", email="ANA@empresa.com.br", email_verified=True) == 303
        # From now on the subject counts, whatever becomes of the address; and nobody else is her by it.
        assert await status(sub="s-1", email="nova@empresa.com.br", email_verified=False) == 303
        assert await status(sub="s-2", email=address, email_verified=True) == 403
        listed = (await verbs.list(SYSTEM))[0]
        assert (listed.username, listed.email, listed.subject, listed.linked_by) == ("ana", address, "s-1", "oidc")
    row = await conn.fetchrow("select * from audit_events where action = 'user.identity_linked'")
    assert row is not None
    assert (row["actor"], row["object_id"]) == ("oidc:s-1", "ana")


async def test_groups_give_the_role_where_that_is_wanted(
    database: Database, valkey_url: str, tmp_path: Path, provider: Provider, conn: asyncpg.Connection
) -> None:
    async with housed(database, valkey_url, tmp_path, provider, oidc_login_roles=True) as house:
        await house.app.services.user_identities.link(SYSTEM, "ana", "ana-7")
        await house.app.services.identities.put(SYSTEM, "auditoria", Role.AUDITOR)
        provider.person = {"sub": "ana-7", "roles": ["auditoria"]}
        async with house.browser() as client:
            assert (await house.enter(client)).status_code == 303
            assert "auditor" in (await client.get("/conta")).text
        row = await conn.fetchrow("select actor, before, after from audit_events where action = 'user.role_changed'")
        assert row is not None
        assert (row["actor"], '"operator"' in row["before"], '"auditor"' in row["after"]) == ("oidc:ana-7", True, True)
        provider.person = {"sub": "ana-7", "roles": ["marketing"]}
        async with house.browser() as client:
            assert (await house.enter(client)).status_code == 403


async def test_who_has_a_second_factor_here_still_owes_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    factors = house.app.services.second_factors
    # On a clock of its own: no step ends between a code and its use, and no two of these codes are equal.
    while True:
        totp = pyotp.TOTP((await factors.begin(house.ana.actor, "ana")).secret)
        if len({totp.at(NOW + timedelta(seconds=30 * step)) for step in range(-2, 2)}) == 4:
            break
    monkeypatch.setattr(factors, "_clock", lambda: NOW)
    await factors.confirm(house.ana.actor, "ana", totp.at(NOW - timedelta(seconds=30)), Origin("web"))
    async with house.browser() as client:
        answer = await house.enter(client, "/conta")
        assert answer.headers["location"] == "/entrar/codigo?continuar=/conta"
        assert not await house.is_in(client)
        page = (await client.get(answer.headers["location"])).text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"code": totp.at(NOW), "csrf_token": token, "continuar": "/conta"}
        assert (await client.post("/entrar/codigo", data=form)).headers["location"] == "/conta"
        assert await house.is_in(client)


async def test_an_administrator_links_unlinks_and_never_takes_anothers(house: House, conn: asyncpg.Connection) -> None:
    verbs = house.app.services.user_identities
    await house.app.users.create(SYSTEM, "bia", PASSWORD, Role.VIEWER)
    await verbs.set_email(SYSTEM, "ana", "ana@empresa.com.br")
    for failing in (
        verbs.link(SYSTEM, "bia", "ana-7"),
        verbs.link(SYSTEM, "ana", "ana-8"),
        verbs.set_email(SYSTEM, "bia", "ANA@empresa.com.br"),
    ):
        with pytest.raises(Conflict):
            await failing
    for wrong in (
        verbs.link(SYSTEM, "bia", " "),
        verbs.link(SYSTEM, "bia", "a\x00"),
        verbs.set_email(SYSTEM, "bia", "bia"),
    ):
        with pytest.raises(InvalidInput):
            await wrong
    async with house.browser() as client:
        assert (await house.enter(client)).status_code == 303
        await verbs.unlink(SYSTEM, "ana")
        assert not await house.is_in(client), "what the provider opened ends with the link"
        assert (await house.enter(client)).status_code == 403
    with pytest.raises(NotFound):
        await verbs.unlink(SYSTEM, "ana")
    actions = [row["action"] for row in await conn.fetch("select action from audit_events order by at, id")]
    assert [each for each in actions if each.startswith("user.identity") or each == "user.email_set"] == [
        "user.identity_linked",
        "user.email_set",
        "user.identity_unlinked",
    ]
