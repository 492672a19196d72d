"""Every action that the audit knows, and what it means. A refusal carries the name of the right instead."""

from __future__ import annotations

from collections.abc import Mapping

# A test holds this list to what the verbs write.
ACTIONS: Mapping[str, str] = {
    "audit.exported": "exportou a auditoria de um período para um arquivo",
    "audit.stated": "pôs uma declaração assinada na auditoria",
    "audit.verified": "verificou a auditoria",
    "body.revealed": "abriu dados pessoais que estão mascarados",
    "cache.cleared": "esqueceu respostas guardadas",
    "cache.preloaded": "carregou respostas de antemão",
    "company.activated": "reativou uma empresa",
    "company.added": "conectou uma empresa",
    "company.credentials_replaced": "trocou as credenciais de uma empresa",
    "company.credentials_used": "abriu as credenciais de uma empresa para chamar o Omie (uma vez por dia e processo)",
    "company.deactivated": "desativou uma empresa",
    "company.demo_ended": "encerrou a empresa de demonstração",
    "company.demo_renewed": "apontou a empresa de demonstração para o simulador de hoje",
    "company.renamed": "mudou o nome de uma empresa",
    "config.changed": "mudou a configuração",
    "config.rolled_back": "voltou a configuração a uma revisão anterior",
    "data_key.created": "criou uma chave de dados",
    "errand.closed": "encerrou uma tarefa",
    "errand.opened": "abriu uma tarefa",
    "execution.cancelled": "cancelou uma execução",
    "execution.settled": "resolveu uma escrita incerta",
    "login.ended": "encerrou uma sessão",
    "login.refused": "tentou entrar com usuário ou senha errados",
    "login.succeeded": "entrou",
    "login.throttled": "tentou entrar vezes demais (no máximo um registro por minuto)",
    "master_key.rotated": "trocou a chave mestra",
    "role.changed": "mudou um papel",
    "role.created": "criou um papel",
    "role.deleted": "removeu um papel",
    "schema.migrated": "atualizou o esquema do banco de dados",
    "seal_key.created": "criou a chave que assina os selos",
    "token.created": "criou um token",
    "token.refused": "usou um token que não vale: vencido, revogado, inexistente, antes da hora ou de outro endereço "
    "(no máximo um registro por minuto)",
    "token.revoked": "revogou um token",
    "user.activated": "reativou um usuário",
    "user.created": "criou um usuário",
    "user.deactivated": "desativou um usuário",
    "user.password_changed": "trocou uma senha",
    "user.role_changed": "deu outro papel a um usuário",
}
