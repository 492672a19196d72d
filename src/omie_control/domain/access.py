"""Who may do what: one table of rights and one pure decision that every verb asks.

A permission is an action on a resource (the right), for a company, by a kind of tool (category and complexity).
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from omie_control.domain.actors import Actor, AnyRole, OwnRole, Role
from omie_control.domain.executions import Category, Complexity
from omie_control.domain.rights import DESCRIPTIONS, READING, SHARED, Right

__all__ = ["DESCRIPTIONS", "READING", "RIGHTS", "SHARED", "Kind", "Right", "is_allowed", "may_grant", "rights_of"]

# What kind of tool is asked for; None within: nobody said, which no limit lets pass.
Kind = tuple[Category | None, Complexity | None]

_WATCH = frozenset({Right.EXECUTION_READ, Right.COMPANY_READ, Right.SYSTEM_READ})
_WORK = frozenset({Right.EXECUTION_RUN, Right.OMIE_READ, Right.OMIE_WRITE})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: _WATCH,
    Role.AUDITOR: _WATCH | {Right.AUDIT_READ, Right.TOKEN_READ, Right.CONFIG_READ},
    Role.AGENT: _WATCH | _WORK,
    Role.OPERATOR: _WATCH
    | _WORK
    | {Right.EXECUTION_CANCEL, Right.EXECUTION_SETTLE, Right.CACHE_CLEAR, Right.CONFIG_READ},
    Role.APPROVER: _WATCH | {Right.EXECUTION_CANCEL},
    Role.ADMIN: frozenset(Right),
}


def rights_of(role: AnyRole) -> frozenset[Right]:
    """Return every right that a role gives."""
    if isinstance(role, OwnRole):
        return role.rights & READING if role.is_read_only else role.rights
    return RIGHTS[role]


def is_allowed(actor: Actor, right: Right, company: UUID | None = None, kind: Kind | None = None) -> bool:
    """Decide whether an actor may use a right on a company (None: on nothing of one company), by a kind of tool.

    `kind` None: not by a tool, so no limit on tools applies.
    """
    role = actor.role
    if isinstance(role, OwnRole):
        if right not in role.rights or (role.is_read_only and right not in READING):
            return False
        if kind is not None and not role.holds(*kind):
            return False
    elif right not in RIGHTS[role]:
        return False
    if right is Right.OMIE_WRITE and not actor.may_write:
        return False
    if right in SHARED and actor.companies is not None:
        return False
    return actor.may_see(company)


def may_grant(actor: Actor, role: AnyRole, companies: frozenset[UUID] | None) -> bool:
    """Decide whether an actor may give somebody this role on these companies: never more than they hold."""
    rights = rights_of(role)
    if not rights <= rights_of(actor.role) or (Right.OMIE_WRITE in rights and not actor.may_write):
        return False
    if isinstance(actor.role, OwnRole) and not actor.role.spans(role):
        return False
    return actor.companies is None or (companies is not None and companies <= actor.companies)
