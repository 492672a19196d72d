"""Browser sessions: hashed, sliding, ended."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from tests.integration.services.conftest import OWNER, audited

from omie_control.domain.actors import Role, User
from omie_control.domain.configuration import LOGIN_DAYS, Key, Values
from omie_control.domain.executions import Origin
from omie_control.errors import NotFound
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access
from omie_control.services.logins import Logins
from omie_control.services.users import Users

PASSWORD = "cavalo bateria grampo certo"
ORIGIN = Origin("web", "Navegador\x00", ip_address("203.0.113.7"))
LIFETIME = timedelta(hours=12)
LONGEST = timedelta(days=7)


class _OneDay(Values):
    def get(self, key: Key) -> Any:
        return 1 if key is LOGIN_DAYS else super().get(key)


@pytest.fixture
def users(postgres: Postgres, access: Access) -> Users:
    return Users(postgres, access)


@pytest.fixture
def logins(postgres: Postgres, users: Users, clock: Any) -> Logins:
    return Logins(postgres, users, clock)


@pytest.fixture
async def maria(users: Users) -> User:
    return await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)


async def test_a_session_holds_its_person_and_only_its_hash_is_stored(logins: Logins, maria: User, conn: Any) -> None:
    user, secret = await logins.enter("maria", PASSWORD, ORIGIN)
    login = await logins.verify(secret)
    assert login is not None
    assert (login.actor.label, login.user.id, user.id) == ("user:maria", maria.id, maria.id)
    assert len(login.csrf_token) >= 43
    assert secret not in repr(dict(await conn.fetchrow("select * from web_sessions")))


async def test_a_secret_that_is_none_opens_nothing(logins: Logins) -> None:
    for secret in ("", "x", "x" * 43, "é" * 43, "\x00" * 43, "\ud800" * 43):
        assert await logins.verify(secret) is None
        await logins.end(secret)


async def test_a_session_slides_with_use_and_ends_without(logins: Logins, maria: User, clock: Any) -> None:
    secret = await logins.open(maria, ORIGIN)
    for _ in range(3):
        clock.advance(seconds=LIFETIME.total_seconds() - 60)
        login = await logins.verify(secret)
        assert login is not None
        assert login.expires_at == clock() + LIFETIME
    clock.advance(seconds=LIFETIME.total_seconds())
    assert await logins.verify(secret) is None


async def test_a_session_in_use_without_end_holds_for_a_week_and_no_longer(
    logins: Logins, maria: User, clock: Any
) -> None:
    secret = await logins.open(maria, ORIGIN)
    end = clock() + LONGEST
    while end - clock() > timedelta(hours=1):
        login = await logins.verify(secret)
        assert login is not None
        assert login.expires_at == min(clock() + LIFETIME, end)
        clock.advance(seconds=3600)
    clock.advance(seconds=3599)
    assert await logins.verify(secret) is not None
    clock.advance(seconds=1)
    assert await logins.verify(secret) is None


async def test_a_shorter_longest_life_ends_the_sessions_that_are_open(
    postgres: Postgres, users: Users, maria: User, clock: Any
) -> None:
    secret = await Logins(postgres, users, clock).open(maria, ORIGIN)
    strict = Logins(postgres, users, clock, _OneDay())
    clock.advance(seconds=11 * 3600)
    assert await strict.verify(secret) is not None
    clock.advance(seconds=11 * 3600)
    login = await strict.verify(secret)
    assert login is not None
    assert login.expires_at == clock() + timedelta(hours=2)
    clock.advance(seconds=2 * 3600)
    assert await strict.verify(secret) is None


async def test_an_ended_session_stays_ended(logins: Logins, maria: User, conn: Any) -> None:
    secret = await logins.open(maria, ORIGIN)
    await logins.end(secret)
    await logins.end(secret)
    assert await logins.verify(secret) is None
    assert len(await audited(conn, "login.ended")) == 1


async def test_a_person_ends_their_other_sessions_but_nobody_elses(logins: Logins, users: Users, maria: User) -> None:
    joao = await users.create(OWNER, "joao", PASSWORD, Role.VIEWER)
    here, there = await logins.open(maria, ORIGIN), await logins.open(maria, ORIGIN)
    sessions = await logins.list(maria.actor)
    assert len(sessions) == 2
    login = await logins.verify(there)
    assert login is not None
    with pytest.raises(NotFound):
        await logins.end_other(joao.actor, login.id)
    await logins.end_other(maria.actor, login.id)
    assert await logins.verify(there) is None
    assert await logins.verify(here) is not None


async def test_a_new_password_and_a_deactivation_end_all_sessions(logins: Logins, users: Users, maria: User) -> None:
    secret = await logins.open(maria, ORIGIN)
    await users.change_password(OWNER, "maria", PASSWORD + " novo")
    assert await logins.verify(secret) is None
    secret = await logins.open(maria, ORIGIN)
    await users.deactivate(OWNER, "maria")
    assert await logins.verify(secret) is None
    await users.activate(OWNER, "maria")
    assert await logins.verify(secret) is None
