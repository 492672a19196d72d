"""The things that an actor may be allowed to do, one word each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
    KEY_MANAGE = "key.manage"
    PERSON_REPORT = "person.report"
    PERSON_ERASE = "person.erase"
    HOLD_MANAGE = "hold.manage"


# Rights that change nothing: all that a read-only role can ever hold. A new right is not among them until put here.
READING = frozenset(
    {
        Right.EXECUTION_READ,
        Right.EXECUTION_RUN,
        Right.OMIE_READ,
        Right.BODY_REVEAL,
        Right.PERSON_REPORT,
        Right.COMPANY_READ,
        Right.TOKEN_READ,
        Right.SYSTEM_READ,
        Right.AUDIT_READ,
        Right.CONFIG_READ,
    }
)

# Rights over what all companies share: the address that every credential is sent to, the keys of everything sealed.
# Whoever is kept to some companies does not have them, whatever the role.
SHARED = frozenset({Right.CONFIG_MANAGE, Right.KEY_MANAGE})

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
    Right.KEY_MANAGE: "ver e trocar as chaves mestras",
    Right.PERSON_REPORT: "ver o que se guarda de uma pessoa",
    Right.PERSON_ERASE: "apagar os dados de uma pessoa",
    Right.HOLD_MANAGE: "reter dados ou liberar o que está retido",
    Right.CACHE_CLEAR: "descartar as respostas guardadas do Omie",
}
