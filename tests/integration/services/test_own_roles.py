"""Roles of the company's own: given, changed for everybody at once, and never more than their giver holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.conftest import eventually
from tests.integration.services.conftest import OWNER, STRANGER, Firm, audited

from omie_control.domain.access import Right
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Category
from omie_control.domain.roles import OwnRole, RoleWords
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound
from omie_control.postgres.database import Postgres
from omie_control.services import tokens as token_room
from omie_control.services.access import Access
from omie_control.services.roles import Roles
from omie_control.services.tokens import Tokens
from omie_control.services.users import Users

PASSWORD = "cavalo bateria grampo certo"
PAYER = RoleWords(["execution.run", "omie.read", "omie.write"], ["financeiro"], description="Contas a pagar")


@pytest.fixture
def roles(postgres: Postgres, access: Access) -> Roles:
    return Roles(postgres, access)


async def test_a_role_is_given_and_found_again(roles: Roles, postgres: Postgres, access: Access, conn: Any) -> None:
    made = await roles.create(OWNER, "contas-a-pagar", PAYER)
    assert await roles.named(" Contas-a-Pagar ") == made
    users, tokens = Users(postgres, access), Tokens(postgres, access)
    maria = await users.create(OWNER, "maria", PASSWORD, made)
    assert (maria.role, maria.actor.role) == (made, made)
    assert [person.role for person in await users.list(OWNER)] == [made]
    token, text = await tokens.create(OWNER, "claude", made)
    actor = await tokens.verify(text)
    assert actor is not None
    assert (token.role, actor.role) == (made, made)
    assert [(held.role, held.holders) for held in await roles.list(OWNER)] == [(made, 2)]
    # To code that does not know own roles, they are viewers.
    stored = await conn.fetch("select role from users union select role from api_tokens")
    assert [row["role"] for row in stored] == ["viewer"]
    (row,) = await audited(conn, "role.created")
    assert "financeiro" in row["after"]


async def test_a_change_holds_for_all_who_have_the_role(roles: Roles, postgres: Postgres, access: Access) -> None:
    made = await roles.create(OWNER, "contas-a-pagar", PAYER)
    tokens = Tokens(postgres, access)
    _, text = await tokens.create(OWNER, "claude", made)
    assert await tokens.verify(text) is not None
    changed = await roles.change(OWNER, made.name, RoleWords(categories=["comercial"], is_read_only=True))
    assert (changed.categories, changed.rights) == (frozenset({Category.COMERCIAL}), made.rights)

    async def is_changed() -> bool:
        actor = await tokens.verify(text)
        return actor is not None and actor.role == changed

    assert token_room.SEEN_FOR_SECONDS <= 2
    await eventually(is_changed)
    assert (await roles.change(OWNER, made.name, RoleWords(categories=()))).categories is None


async def test_a_role_goes_when_nobody_has_it(roles: Roles, postgres: Postgres, access: Access, conn: Any) -> None:
    made = await roles.create(OWNER, "contas-a-pagar", PAYER)
    users, tokens = Users(postgres, access), Tokens(postgres, access)
    await users.create(OWNER, "maria", PASSWORD, made)
    await tokens.create(OWNER, "claude", made)
    with pytest.raises(Conflict):
        await roles.delete(OWNER, made.name)
    await users.change_role(OWNER, "maria", Role.VIEWER)
    await tokens.revoke(OWNER, "claude")
    await roles.delete(OWNER, made.name)
    with pytest.raises(InvalidInput, match="não existe"):
        await roles.named(made.name)
    assert len(await audited(conn, "role.deleted")) == 1
    assert len(await audited(conn, "user.role_changed")) == 1


async def test_nobody_makes_or_changes_a_role_beyond_their_own(roles: Roles, firm: Firm, conn: Any) -> None:
    manager = await roles.create(
        OWNER, "gestora", RoleWords(["user.manage", "token.manage", "omie.read"], ["financeiro", "comercial"])
    )
    ana = Actor(ActorKind.USER, "ana", manager)
    mine = await roles.create(ana, "leitora", RoleWords(["omie.read"], ["financeiro"]))
    for rights, categories in ((["omie.write"], ["financeiro"]), (["omie.read"], []), (["omie.read"], ["produtos"])):
        with pytest.raises(Forbidden):
            await roles.create(ana, "mais", RoleWords(rights, categories))
        with pytest.raises(Forbidden):
            await roles.change(ana, mine.name, RoleWords(rights, categories))
    strong = await roles.create(OWNER, "forte", RoleWords(["audit.read"]))
    for attempt in (
        roles.change(ana, strong.name, RoleWords(["omie.read"], ["financeiro"])),
        roles.delete(ana, strong.name),
        roles.create(STRANGER, "minha", RoleWords(["omie.read"])),
        roles.create(replace(OWNER, companies=frozenset({firm.padaria.id})), "minha", RoleWords(["omie.read"])),
        roles.list(STRANGER),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert len(await audited(conn, Right.USER_MANAGE, "refused")) == 11


async def test_wrong_names_are_refused(roles: Roles) -> None:
    made: OwnRole = await roles.create(OWNER, "contas-a-pagar", PAYER)
    with pytest.raises(Conflict):
        await roles.create(OWNER, made.name, PAYER)
    for name in ("admin", " VIEWER "):
        with pytest.raises(Conflict):
            await roles.change(OWNER, name, PAYER)
    for name in ("ninguem", "a\x00b", "x" * 500, ""):
        with pytest.raises(NotFound):
            await roles.delete(OWNER, name)
        with pytest.raises(InvalidInput):
            await roles.named(name)
