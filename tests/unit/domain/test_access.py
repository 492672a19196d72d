"""Who may do what: the whole matrix, written out, so that a change of it is seen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from omie_control.domain.access import DESCRIPTIONS, READING, RIGHTS, SHARED, Right, is_allowed, may_grant, rights_of
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Category, Complexity
from omie_control.domain.roles import AnyRole, OwnRole, own_role
from omie_control.errors import InvalidInput

HERE, THERE = UUID(int=1), UUID(int=2)
#                      viewer auditor agent operator approver admin
MATRIX = """
execution.read         x      x       x     x        x        x
execution.run          -      -       x     x        -        x
execution.cancel       -      -       -     x        x        x
execution.settle       -      -       -     x        -        x
omie.read              -      -       x     x        -        x
omie.write             -      -       x     x        -        x
body.reveal            -      -       -     -        -        x
company.read           x      x       x     x        x        x
company.manage         -      -       -     -        -        x
user.manage            -      -       -     -        -        x
token.read             -      x       -     -        -        x
token.manage           -      -       -     -        -        x
system.read            x      x       x     x        x        x
audit.read             -      x       -     -        -        x
config.read            -      x       -     x        -        x
config.manage          -      -       -     -        -        x
key.manage             -      -       -     -        -        x
person.report          -      -       -     -        -        x
person.erase           -      -       -     -        -        x
hold.manage            -      -       -     -        -        x
cache.clear            -      -       -     x        -        x
"""
ROLES = [Role.VIEWER, Role.AUDITOR, Role.AGENT, Role.OPERATOR, Role.APPROVER, Role.ADMIN]
CELLS = [
    (role, Right(words[0]), mark == "x")
    for line in MATRIX.strip().splitlines()
    for words in [line.split()]
    for role, mark in zip(ROLES, words[1:], strict=True)
]


def somebody(role: AnyRole, companies: frozenset[UUID] | None = None, *, may_write: bool = True) -> Actor:
    return Actor(ActorKind.TOKEN, "alguém", role, companies=companies, may_write=may_write)


@pytest.mark.parametrize(("role", "right", "expected"), CELLS)
def test_a_role_has_exactly_the_rights_of_the_matrix(role: Role, right: Right, expected: bool) -> None:
    assert is_allowed(somebody(role), right) is expected


def test_the_matrix_is_whole() -> None:
    assert {(role, right) for role, right, _ in CELLS} == {(role, right) for role in Role for right in Right}
    assert set(RIGHTS) == set(Role)


def test_every_right_has_a_plain_description() -> None:
    assert set(DESCRIPTIONS) == set(Right)
    assert all(text and text[0].islower() for text in DESCRIPTIONS.values())


@pytest.mark.parametrize("right", Right)
def test_no_right_reaches_a_company_outside_the_scope(right: Right) -> None:
    admin = somebody(Role.ADMIN, frozenset({HERE}))
    assert is_allowed(admin, right, HERE) is (right not in SHARED)
    assert not is_allowed(admin, right, THERE)


@pytest.mark.parametrize("right", sorted(SHARED))
def test_what_all_companies_share_is_for_nobody_who_is_kept_to_some(right: Right) -> None:
    own_admin = somebody(own(*Right), frozenset({HERE}))
    for company in (None, HERE):
        assert not is_allowed(somebody(Role.ADMIN, frozenset({HERE})), right, company)
        assert not is_allowed(own_admin, right, company)
    assert is_allowed(somebody(Role.ADMIN), right)
    assert {Right.CONFIG_MANAGE, Right.KEY_MANAGE} == SHARED


def test_what_ran_for_no_company_is_for_whoever_ran_it_and_who_sees_all() -> None:
    local, everywhere = somebody(Role.ADMIN, frozenset({HERE})), somebody(Role.VIEWER)
    assert local.may_look_at(HERE, "token:outro") and not local.may_look_at(THERE, local.label)
    assert local.may_look_at(None, local.label)
    assert not local.may_look_at(None, "token:outro") and not local.may_look_at(None, None)
    assert everywhere.may_look_at(None, None) and everywhere.may_look_at(THERE, "token:outro")


def test_who_may_not_write_may_still_read() -> None:
    reader = somebody(Role.AGENT, may_write=False)
    assert is_allowed(reader, Right.OMIE_READ)
    assert not is_allowed(reader, Right.OMIE_WRITE)


def test_nobody_gives_more_than_they_hold() -> None:
    operator, local = somebody(Role.OPERATOR), somebody(Role.ADMIN, frozenset({HERE}))
    assert may_grant(operator, Role.AGENT, None)
    assert not may_grant(operator, Role.ADMIN, None)
    assert not may_grant(operator, Role.AUDITOR, None)
    assert may_grant(local, Role.ADMIN, frozenset({HERE}))
    assert not may_grant(local, Role.VIEWER, None)
    assert not may_grant(local, Role.VIEWER, frozenset({HERE, THERE}))
    assert not may_grant(somebody(Role.ADMIN, may_write=False), Role.AGENT, None)


def own(*rights: Right, read_only: bool = False, **limits: Any) -> OwnRole:
    return own_role(UUID(int=9), "contas-a-pagar", rights=rights, is_read_only=read_only, **limits)


WORKER = (Right.EXECUTION_RUN, Right.OMIE_READ, Right.OMIE_WRITE)


@pytest.mark.parametrize("right", Right)
def test_a_role_of_ones_own_has_exactly_its_rights(right: Right) -> None:
    assert {each for each in Right if is_allowed(somebody(own(right)), each)} == {right}
    assert is_allowed(somebody(own(right, read_only=True)), right) is (right in READING)


def test_a_role_of_ones_own_reaches_only_tools_of_its_kind() -> None:
    payer = somebody(own(*WORKER, categories=["financeiro"], complexities=["basica", "intermediaria"]))
    for category in (*Category, None):
        for complexity in (*Complexity, None):
            is_within = category is Category.FINANCEIRO and complexity in (Complexity.BASICA, Complexity.INTERMEDIARIA)
            assert is_allowed(payer, Right.OMIE_WRITE, HERE, (category, complexity)) is is_within
    assert is_allowed(payer, Right.OMIE_WRITE, HERE)
    assert not is_allowed(somebody(payer.role, frozenset({THERE})), Right.OMIE_READ, HERE, (Category.FINANCEIRO, None))


@pytest.mark.parametrize("role", Role)
def test_built_in_roles_know_no_kinds_of_tools(role: Role) -> None:
    for right in Right:
        assert is_allowed(somebody(role), right, None, (None, None)) is is_allowed(somebody(role), right)


def test_nobody_gives_a_role_of_ones_own_that_holds_more_than_they() -> None:
    manager = somebody(own(*WORKER, Right.USER_MANAGE, categories=["financeiro", "comercial"]))
    assert may_grant(manager, own(Right.OMIE_READ, categories=["financeiro"]), None)
    assert not may_grant(manager, own(Right.OMIE_READ, categories=["financeiro", "produtos"]), None)
    assert not may_grant(manager, own(Right.OMIE_READ), None)
    assert not may_grant(manager, Role.VIEWER, None), "a built-in role knows no limits"
    assert not may_grant(manager, own(Right.CACHE_CLEAR, categories=["financeiro"]), None)
    assert not may_grant(somebody(own(*WORKER, read_only=True)), own(Right.OMIE_WRITE), None)
    assert may_grant(somebody(own(*WORKER, read_only=True)), own(*WORKER, read_only=True), None)
    assert may_grant(somebody(Role.ADMIN), own(*Right), None)


def test_a_new_right_is_no_reading_right_until_somebody_says_so() -> None:
    changing = {Right.EXECUTION_CANCEL, Right.EXECUTION_SETTLE, Right.OMIE_WRITE, Right.CACHE_CLEAR}
    assert READING.isdisjoint(changing | {right for right in Right if right.value.endswith(".manage")})
    assert rights_of(own(*Right, read_only=True)) == READING


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        ("admin", {"rights": ["omie.read"]}, "Escolha outro nome"),
        ("A B", {"rights": ["omie.read"]}, "Exemplo"),
        ("x" * 41, {"rights": ["omie.read"]}, "Exemplo"),
        ("a\x00b", {"rights": ["omie.read"]}, "Exemplo"),
        ("bom", {"rights": []}, "Existem"),
        ("bom", {"rights": ["omie.reed"]}, "omie.read?"),
        ("bom", {"rights": ["omie.read"], "categories": ["financeira"]}, "financeiro?"),
        ("bom", {"rights": ["omie.read"], "complexities": ["difícil"]}, "Use: basica"),
    ],
)
def test_a_wrong_word_of_a_role_is_named(name: str, words: dict[str, Any], hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        own_role(UUID(int=1), name, **words)
    assert hint in refused.value.for_people()
