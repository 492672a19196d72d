"""People: Argon2id, throttled logins, sessions that slide and end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from tests.integration.services.conftest import OWNER, STRANGER, Firm, audited

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Origin
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound, Overloaded, Unauthenticated
from omie_control.postgres.database import Postgres
from omie_control.services import attempts
from omie_control.services.access import Access
from omie_control.services.attempts import FREE_ATTEMPTS, FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS
from omie_control.services.users import Users

PASSWORD = "cavalo bateria grampo certo"
ORIGIN = Origin("web", "Navegador", ip_address("203.0.113.7"))


@pytest.fixture
def users(postgres: Postgres, access: Access, clock: Any) -> Users:
    return Users(postgres, access, clock)


async def test_a_person_enters_with_the_right_password_only(users: Users, conn: Any) -> None:
    made = await users.create(OWNER, " Maria ", PASSWORD, Role.OPERATOR)
    row = await conn.fetchrow("select * from users")
    assert row["password_hash"].startswith("$argon2id$")
    assert (await users.authenticate("maria", PASSWORD, ORIGIN)).id == made.id
    for name, password in (
        ("maria", PASSWORD + "x"),
        ("ninguém", PASSWORD),
        ("maria\x00", ""),
        ("", ""),
        ("\ud800", "\ud800"),
    ):
        with pytest.raises(Unauthenticated) as refused:
            await users.authenticate(name, password, replace(ORIGIN, ip_address=ip_address("198.51.100.1")))
        assert refused.value.code == "login_recusado"
    assert len(await audited(conn, "login.succeeded")) == 1
    failed = await audited(conn, "login.refused", "refused")
    assert len(failed) == 5
    assert str(failed[0]["ip_address"]) == "198.51.100.1"


async def test_the_audit_holds_no_password(users: Users, conn: Any) -> None:
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    rows = await conn.fetch("select * from audit_events")
    assert PASSWORD not in repr([dict(row) for row in rows])


async def test_guessing_is_slowed_down_per_name_and_address(users: Users, clock: Any, conn: Any) -> None:
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(Unauthenticated):
            await users.authenticate("maria", "errada", ORIGIN)
    with pytest.raises(Overloaded) as refused:
        await users.authenticate("maria", PASSWORD, ORIGIN)
    assert refused.value.until == clock() + timedelta(seconds=30)
    elsewhere = replace(ORIGIN, ip_address=ip_address("198.51.100.1"))
    assert await users.authenticate("maria", PASSWORD, elsewhere)
    clock.advance(seconds=31)
    with pytest.raises(Unauthenticated):
        await users.authenticate("maria", "errada", ORIGIN)
    with pytest.raises(Overloaded) as longer:
        await users.authenticate("maria", PASSWORD, ORIGIN)
    assert longer.value.until == clock() + timedelta(seconds=60)
    clock.advance(seconds=61)
    assert await users.authenticate("maria", PASSWORD, ORIGIN)
    # Only the wrong ones are left, in the counts of the name and of the two addresses.
    counted = await conn.fetch("select failures from login_attempts order by failures")
    assert [row["failures"] for row in counted] == [0, FREE_ATTEMPTS + 1, FREE_ATTEMPTS + 1]


async def test_guessing_is_slowed_down_per_name_from_anywhere_and_per_address(users: Users, clock: Any) -> None:
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    for number in range(FREE_FOR_ACCOUNT):
        with pytest.raises(Unauthenticated):
            await users.authenticate("maria", "errada", replace(ORIGIN, ip_address=ip_address(f"203.0.113.{number}")))
    with pytest.raises(Overloaded):
        await users.authenticate("maria", PASSWORD, replace(ORIGIN, ip_address=ip_address("198.51.100.1")))
    clock.advance(seconds=3600 * 2)
    for number in range(FREE_FOR_ADDRESS):
        with pytest.raises(Unauthenticated):
            await users.authenticate(f"pessoa{number}", "errada", ORIGIN)
    with pytest.raises(Overloaded):
        await users.authenticate("maria", PASSWORD, ORIGIN)


async def test_an_office_that_enters_from_one_address_is_never_slowed_down(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "FREE_FOR_ADDRESS", 3)
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    for _ in range(6):
        assert await users.authenticate("maria", PASSWORD, ORIGIN)


async def test_guesses_made_at_once_are_counted_too(users: Users) -> None:
    guesses = [users.authenticate("maria", "errada", ORIGIN) for _ in range(FREE_ATTEMPTS * 3)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(result, Unauthenticated) for result in results) == FREE_ATTEMPTS
    assert sum(isinstance(result, Overloaded) for result in results) == FREE_ATTEMPTS * 2


async def test_the_first_administrator_is_made_once(users: Users, conn: Any) -> None:
    made = await asyncio.gather(users.ensure_admin(None), users.ensure_admin(None))
    (password,) = [each for each in made if each is not None]
    assert (await users.authenticate("admin", password, ORIGIN)).role is Role.ADMIN
    assert await users.ensure_admin(None) is None
    assert await conn.fetchval("select count(*) from users") == 1


async def test_a_given_first_password_is_checked_and_not_returned(users: Users) -> None:
    with pytest.raises(InvalidInput):
        await users.ensure_admin("admin")
    assert await users.ensure_admin(PASSWORD) is None
    assert await users.authenticate("admin", PASSWORD, ORIGIN)


async def test_nobody_creates_somebody_mightier(users: Users, firm: Firm, conn: Any) -> None:
    local = Actor(ActorKind.USER, "local", Role.ADMIN, companies=frozenset({firm.padaria.id}))
    made = await users.create(local, "ajudante", PASSWORD, Role.ADMIN, [firm.padaria.id])
    assert made.companies == frozenset({firm.padaria.id})
    for actor, scope in ((local, None), (local, [firm.oficina.id]), (firm.helper, [firm.padaria.id]), (STRANGER, [])):
        with pytest.raises(Forbidden):
            await users.create(actor, "outro", PASSWORD, Role.VIEWER, scope)
    assert len(await audited(conn, "user.manage", "refused")) == 4
    await users.create(OWNER, "chefe", PASSWORD, Role.ADMIN)
    with pytest.raises(Forbidden):
        await users.change_password(local, "chefe", PASSWORD + "x")
    with pytest.raises(Forbidden):
        await users.deactivate(local, "chefe")


async def test_a_stranger_manages_nobody(users: Users) -> None:
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    for verb in (
        users.list(STRANGER),
        users.change_password(STRANGER, "maria", PASSWORD + "x"),
        users.deactivate(STRANGER, "maria"),
        users.activate(STRANGER, "maria"),
    ):
        with pytest.raises(Forbidden):
            await verb


async def test_a_person_changes_their_own_password_but_not_anothers(users: Users) -> None:
    maria = (await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)).actor
    await users.create(OWNER, "joao", PASSWORD, Role.VIEWER)
    await users.change_password(maria, "maria", "outra frase bem comprida")
    assert await users.authenticate("maria", "outra frase bem comprida", ORIGIN)
    with pytest.raises(Forbidden):
        await users.change_password(maria, "joao", "outra frase bem comprida")


async def test_a_deactivated_person_does_not_enter(users: Users) -> None:
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    await users.deactivate(OWNER, "maria")
    with pytest.raises(Unauthenticated):
        await users.authenticate("maria", PASSWORD, ORIGIN)
    await users.activate(OWNER, "maria")
    assert await users.authenticate("maria", PASSWORD, ORIGIN)


async def test_mistakes_are_named(users: Users) -> None:
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    with pytest.raises(Conflict):
        await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    with pytest.raises(InvalidInput):
        await users.create(OWNER, "joao", "curta", Role.VIEWER)
    with pytest.raises(NotFound):
        await users.deactivate(OWNER, "ninguem")
    with pytest.raises(Conflict):
        await users.deactivate(Actor(ActorKind.USER, "maria", Role.ADMIN), "maria")
