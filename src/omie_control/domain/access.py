"""Who may do what: one table of rights and one pure decision that every verb asks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from omie_control.domain.actors import Actor, Role


class Right(StrEnum):
    """One thing an actor may be allowed to do; each service verb asks for exactly one."""

    EXECUTION_READ = "execution.read"
    EXECUTION_RUN = "execution.run"
    EXECUTION_CANCEL = "execution.cancel"
    OMIE_READ = "omie.read"
    OMIE_WRITE = "omie.write"
    BODY_REVEAL = "body.reveal"
    COMPANY_READ = "company.read"
    COMPANY_MANAGE = "company.manage"
    USER_MANAGE = "user.manage"
    TOKEN_READ = "token.read"
    TOKEN_MANAGE = "token.manage"
    SYSTEM_READ = "system.read"
    AUDIT_READ = "audit.read"


_WATCH = frozenset({Right.EXECUTION_READ, Right.COMPANY_READ, Right.SYSTEM_READ})
_WORK = frozenset({Right.EXECUTION_RUN, Right.OMIE_READ, Right.OMIE_WRITE})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: _WATCH,
    Role.AUDITOR: _WATCH | {Right.AUDIT_READ, Right.TOKEN_READ},
    Role.AGENT: _WATCH | _WORK,
    Role.OPERATOR: _WATCH | _WORK | {Right.EXECUTION_CANCEL},
    Role.APPROVER: _WATCH | {Right.EXECUTION_CANCEL},
    Role.ADMIN: frozenset(Right),
}


def is_allowed(actor: Actor, right: Right, company: UUID | None = None) -> bool:
    """Decide whether an actor may use a right on a company (None: on nothing of one company)."""
    if right is Right.OMIE_WRITE and not actor.may_write:
        return False
    return right in RIGHTS[actor.role] and actor.may_see(company)
