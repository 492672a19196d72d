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
    EXECUTION_SETTLE = "execution.settle"
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
    CONFIG_READ = "config.read"
    CONFIG_MANAGE = "config.manage"
    CACHE_CLEAR = "cache.clear"


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


# What each right lets somebody do, as people and models read it: "Este acesso não permite <…>."
DESCRIPTIONS: Mapping[Right, str] = {
    Right.EXECUTION_READ: "ver execuções",
    Right.EXECUTION_RUN: "iniciar execuções",
    Right.EXECUTION_CANCEL: "cancelar execuções",
    Right.EXECUTION_SETTLE: "resolver escritas incertas",
    Right.OMIE_READ: "consultar dados no Omie",
    Right.OMIE_WRITE: "incluir ou alterar dados no Omie",
    Right.BODY_REVEAL: "abrir dados pessoais que estão mascarados",
    Right.COMPANY_READ: "ver as empresas conectadas",
    Right.COMPANY_MANAGE: "conectar, alterar ou desativar empresas",
    Right.USER_MANAGE: "criar, alterar ou desativar usuários",
    Right.TOKEN_READ: "ver os tokens",
    Right.TOKEN_MANAGE: "criar ou revogar tokens",
    Right.SYSTEM_READ: "ver o estado do sistema",
    Right.AUDIT_READ: "ler a auditoria",
    Right.CONFIG_READ: "ver a configuração",
    Right.CONFIG_MANAGE: "mudar a configuração",
    Right.CACHE_CLEAR: "descartar as respostas guardadas do Omie",
}


def is_allowed(actor: Actor, right: Right, company: UUID | None = None) -> bool:
    """Decide whether an actor may use a right on a company (None: on nothing of one company)."""
    if right is Right.OMIE_WRITE and not actor.may_write:
        return False
    return right in RIGHTS[actor.role] and actor.may_see(company)


def may_grant(actor: Actor, role: Role, companies: frozenset[UUID] | None) -> bool:
    """Decide whether an actor may give somebody this role on these companies: never more than they hold."""
    if not RIGHTS[role] <= RIGHTS[actor.role] or (Right.OMIE_WRITE in RIGHTS[role] and not actor.may_write):
        return False
    return actor.companies is None or (companies is not None and companies <= actor.companies)
