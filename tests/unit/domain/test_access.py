"""Who may do what: the whole matrix, written out, so that a change of it is seen."""

from __future__ import annotations

from uuid import UUID

import pytest

from omie_control.domain.access import DESCRIPTIONS, RIGHTS, Right, is_allowed, may_grant
from omie_control.domain.actors import Actor, ActorKind, Role

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
cache.clear            -      -       -     x        -        x
"""
ROLES = [Role.VIEWER, Role.AUDITOR, Role.AGENT, Role.OPERATOR, Role.APPROVER, Role.ADMIN]
CELLS = [
    (role, Right(words[0]), mark == "x")
    for line in MATRIX.strip().splitlines()
    for words in [line.split()]
    for role, mark in zip(ROLES, words[1:], strict=True)
]


def somebody(role: Role, companies: frozenset[UUID] | None = None, *, may_write: bool = True) -> Actor:
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
    assert is_allowed(admin, right, HERE)
    assert not is_allowed(admin, right, THERE)


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
