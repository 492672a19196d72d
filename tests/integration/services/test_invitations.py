"""Invitations and resets: a link that works once, for a day, and tells nobody the password."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import pytest
from tests.integration.services.conftest import OWNER, STRANGER, audited

from omie_control.domain.actors import Actor, ActorKind, Role, User
from omie_control.domain.executions import Origin
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access
from omie_control.services.invitations import Invitations
from omie_control.services.logins import Logins
from omie_control.services.users import Users

PASSWORD, OTHER = "cavalo bateria grampo certo", "outra frase bem comprida"
ORIGIN = Origin("web", "Navegador", ip_address("203.0.113.7"))


@pytest.fixture
def users(postgres: Postgres, access: Access, clock: Any) -> Users:
    return Users(postgres, access, clock)


@pytest.fixture
def invitations(postgres: Postgres, users: Users, clock: Any) -> Invitations:
    return Invitations(postgres, users, clock)


async def test_an_invitation_works_once(invitations: Invitations, users: Users, conn: Any) -> None:
    made, secret = await invitations.invite(OWNER, "maria", Role.OPERATOR)
    for password in ("", "!", PASSWORD):
        with pytest.raises(Unauthenticated):
            await users.authenticate("maria", password, ORIGIN)
    assert await invitations.named(secret) == "maria"
    with pytest.raises(InvalidInput, match="fraca"):
        await invitations.accept(secret, "maria", ORIGIN)
    assert (await invitations.accept(secret, PASSWORD, ORIGIN)).id == made.id
    assert (await users.authenticate("maria", PASSWORD, ORIGIN)).id == made.id
    for attempt in (invitations.named(secret), invitations.accept(secret, OTHER, ORIGIN)):
        with pytest.raises(NotFound):
            await attempt
    assert secret not in repr([dict(row) for row in await conn.fetch("select * from user_links")])
    rows = repr([dict(row) for row in await conn.fetch("select * from audit_events")])
    assert secret not in rows
    assert PASSWORD not in rows
    assert len(await audited(conn, "user.invited")) == len(await audited(conn, "user.password_set_by_link")) == 1


async def test_a_reset_ends_sessions_only_when_it_is_used(
    invitations: Invitations, users: Users, postgres: Postgres, clock: Any
) -> None:
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    logins = Logins(postgres, users, clock)
    _, session = await logins.enter("maria", PASSWORD, ORIGIN)
    _, first = await invitations.reset(OWNER, "maria")
    _, second = await invitations.reset(OWNER, "maria")
    with pytest.raises(NotFound):
        await invitations.named(first)
    assert await logins.verify(session) is not None
    await invitations.accept(second, OTHER, ORIGIN)
    assert await logins.verify(session) is None
    assert await users.authenticate("maria", OTHER, ORIGIN)


async def test_a_link_ends_after_a_day_and_with_its_person(invitations: Invitations, users: Users, clock: Any) -> None:
    _, secret = await invitations.invite(OWNER, "maria", Role.VIEWER)
    await users.deactivate(OWNER, "maria")
    with pytest.raises(NotFound):
        await invitations.named(secret)
    await users.activate(OWNER, "maria")
    clock.advance(seconds=24 * 3600 - 1)
    assert await invitations.named(secret) == "maria"
    clock.advance(seconds=2)
    with pytest.raises(NotFound):
        await invitations.accept(secret, PASSWORD, ORIGIN)


async def test_of_two_at_once_one_sets_the_password(invitations: Invitations, users: Users) -> None:
    _, secret = await invitations.invite(OWNER, "maria", Role.VIEWER)
    answers = await asyncio.gather(
        invitations.accept(secret, PASSWORD, ORIGIN), invitations.accept(secret, OTHER, ORIGIN), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NotFound", "User"]


async def test_a_login_waits_five_minutes_for_its_code(invitations: Invitations, users: Users, clock: Any) -> None:
    maria: User = await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    secret = await invitations.begin_login(maria)
    waiting = await invitations.waiting_login(secret)
    assert waiting.username == "maria"
    for attempt in (invitations.named(secret), invitations.accept(secret, OTHER, ORIGIN)):
        with pytest.raises(NotFound):
            await attempt
    await invitations.finish_login(waiting)
    for again in (invitations.finish_login(waiting), invitations.waiting_login(secret)):
        with pytest.raises(Unauthenticated):
            await again
    late = await invitations.begin_login(maria)
    clock.advance(seconds=301)
    with pytest.raises(Unauthenticated):
        await invitations.waiting_login(late)


async def test_links_are_for_whoever_may_manage_that_person(invitations: Invitations, users: Users) -> None:
    await users.create(OWNER, "chefe", PASSWORD, Role.ADMIN)
    local = Actor(ActorKind.USER, "ana", Role.ADMIN, uuid4(), frozenset({uuid4()}))
    for attempt in (
        invitations.invite(STRANGER, "maria", Role.VIEWER),
        invitations.reset(STRANGER, "chefe"),
        invitations.reset(local, "chefe"),
        invitations.invite(local, "maria", Role.ADMIN),
    ):
        with pytest.raises(Forbidden):
            await attempt
    with pytest.raises(NotFound):
        await invitations.reset(OWNER, "ninguem")
    with pytest.raises(Conflict):
        await invitations.invite(OWNER, "chefe", Role.VIEWER)
    for secret in ("", "x" * 43, "é" * 43, "\x00" * 43, "a" * 10_000):
        with pytest.raises(NotFound):
            await invitations.named(secret)


async def test_an_administrator_sees_and_ends_sessions_of_others(
    users: Users, postgres: Postgres, clock: Any, conn: Any
) -> None:
    logins = Logins(postgres, users, clock)
    await users.create(OWNER, "maria", PASSWORD, Role.VIEWER)
    secrets = [(await logins.enter("maria", PASSWORD, ORIGIN))[1] for _ in range(3)]
    sessions = await logins.of_person(OWNER, "maria")
    assert len(sessions) == 3
    assert await logins.end_of_person(OWNER, "maria", sessions[0].id) == 1
    with pytest.raises(NotFound):
        await logins.end_of_person(OWNER, "maria", sessions[0].id)
    assert await logins.end_of_person(OWNER, "maria") == 2
    assert [await logins.verify(secret) for secret in secrets] == [None] * 3
    for attempt in (logins.of_person(STRANGER, "maria"), logins.end_of_person(STRANGER, "maria")):
        with pytest.raises(Forbidden):
            await attempt
    assert len(await audited(conn, "login.ended")) == 2
