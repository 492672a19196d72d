"""The record of processing operations (LGPD, art. 37), made of what the code itself does.

Names of fields come from the masking, spans of time from whoever deletes; a test holds the columns against the schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from omie_control.domain.freshness import OFFICIAL_SECONDS
from omie_control.domain.personal_fields import FIELDS, Kind
from omie_control.services.erasure_list import FILE_NAME
from omie_control.services.idempotency import DERIVED_LIVES, GIVEN_LIVES
from omie_control.valkey.exports import KEPT_SECONDS

_KINDS = {
    Kind.DOCUMENT: "CPF e CNPJ",
    Kind.EMAIL: "e-mail",
    Kind.PHONE: "telefone",
    Kind.ACCOUNT: "dados bancários e chaves Pix",
}
_RECIPIENTS = "clientes, fornecedores, contatos e vendedores que estão no Omie"
_WORKERS = "quem usa o painel ou o sistema"
_PURPOSE = "registrar, conferir e repetir com segurança o que agentes fazem no Omie"
_OWN_BASIS = "legítimo interesse e execução de contrato; quem decide é a empresa, como controladora"
_SECURITY_BASIS = "legítimo interesse em segurança e prestação de contas (art. 7, IX; art. 46)"
_DUTY_BASIS = "cumprimento de obrigação legal (art. 7, II; art. 18)"
_ALWAYS = "enquanto durar a instalação; não há prazo automático"


@dataclass(frozen=True, slots=True)
class Processing:
    """One operation of processing. `columns`: those of the database that hold it, as `table.column`."""

    subject: str
    data: str
    where: str
    form: str
    kept: str
    purpose: str
    basis: str
    columns: tuple[str, ...] = ()


def record() -> Sequence[Processing]:
    """Return every operation."""
    return (*_of_omie(), *_of_people_here())


def _of_omie() -> Sequence[Processing]:
    sealed = "cifrado (AES-256-GCM, chave por empresa e mês); abre só quem tem o direito body.reveal, com registro"
    return (
        _omie(
            _kinds(),
            "mascarado; nomes e endereços não são mascarados",
            _ALWAYS,
            "process_executions.input_parameters",
            "process_executions.request_payload",
            "process_executions.response_data",
            "process_executions.error_message",
        ),
        _omie(
            f"{_kinds()}, nomes, endereços e o resto do conteúdo em claro",
            sealed,
            f"{_ALWAYS}; uma pessoa é apagada com person erase",
            "execution_bodies.sealed",
        ),
        _omie(
            "código calculado com chave de cada CPF e CNPJ do conteúdo",
            "não pode ser lido de volta sem a chave mestra",
            "como o conteúdo cifrado ao lado",
            "execution_bodies.document_hashes",
        ),
        _omie(
            f"eventos que o Omie envia por webhook: {_kinds()}, e quem agiu no Omie",
            "mascarado; nomes e endereços não são mascarados",
            _ALWAYS,
            "webhook_events.body",
            "webhook_events.author",
        ),
        _omie(
            "o conteúdo desses eventos em claro, e código calculado com chave de cada CPF e CNPJ nele",
            sealed.partition(";")[0],
            f"{_ALWAYS}; uma pessoa é apagada com person erase",
            "webhook_events.sealed",
            "webhook_events.document_hashes",
        ),
        _omie(
            "conteúdo de cada escrita, do registro antes dela e da primeira resposta",
            f"{sealed.partition(';')[0]}; depois de uma eliminação, só a forma mascarada",
            f"{_span(GIVEN_LIVES)} ({_span(DERIVED_LIVES)} sem chave dada); mais, enquanto a escrita está incerta",
            "idempotency_keys.request",
            "idempotency_keys.before",
            "idempotency_keys.answer",
        ),
        Processing(
            _RECIPIENTS,
            "respostas do Omie e partes de exportações",
            "Valkey: cache:*, export:*",
            "cifrado",
            f"até {_span(timedelta(seconds=OFFICIAL_SECONDS))}; exportações {_span(timedelta(seconds=KEPT_SECONDS))}",
            "responder sem perguntar de novo ao Omie",
            _OWN_BASIS,
        ),
    )


def _of_people_here() -> Sequence[Processing]:
    return (
        _here(
            "nome de usuário, código da senha, segundo fator",
            "a senha só como Argon2id; o segundo fator cifrado",
            "saber quem entra",
            "users.username",
            "users.totp_sealed",
        ),
        _here(
            "e-mail e identificador no provedor de identidade da empresa",
            "em claro",
            "reconhecer quem entra pelo provedor de identidade",
            "users.email",
            "user_identities.subject",
        ),
        _here(
            "endereço IP e navegador de cada sessão",
            "em claro",
            "mostrar e encerrar sessões",
            "web_sessions.ip_address",
            "web_sessions.user_agent",
            kept="30 dias depois do fim da sessão",
        ),
        _here(
            "usuário e endereço de tentativas de entrar",
            "código calculado",
            "frear quem adivinha senhas",
            "login_attempts.subject",
            kept="1 dia depois da última",
        ),
        _here(
            "quem fez o quê, endereço IP e programa",
            "em claro; conteúdo mascarado; selado, não pode ser mudado",
            "prestar contas",
            "audit_events.before",
            "audit_events.after",
            "audit_events.detail",
            "audit_events.ip_address",
            "audit_events.user_agent",
            "audit_events.actor",
            "process_executions.ip_address",
            "process_executions.user_agent",
            "process_executions.actor",
            "process_executions.cancel_reason",
        ),
        _here(
            "textos escritos por quem trabalha: metas de tarefas, alertas",
            "mascarado",
            "acompanhar o trabalho",
            "errands.goal",
            "errands.outcome",
            "errands.actor",
            "integration_alerts.message",
            "integration_alerts.title",
            "integration_alerts.context_data",
        ),
        Processing(
            "pessoas apagadas ou sob retenção legal",
            "código calculado do CPF ou CNPJ, motivo, quem, quando",
            f"erasures.person_hash, legal_holds.person_hash, {FILE_NAME} na pasta de dados",
            "não pode ser lido de volta sem a chave mestra",
            _ALWAYS,
            "que uma restauração não traga de volta quem foi apagado",
            _DUTY_BASIS,
            ("erasures.person_hash", "legal_holds.person_hash"),
        ),
    )


def _omie(data: str, form: str, kept: str, *columns: str) -> Processing:
    return Processing(_RECIPIENTS, data, ", ".join(columns), form, kept, _PURPOSE, _OWN_BASIS, columns)


def _here(data: str, form: str, purpose: str, *columns: str, kept: str = _ALWAYS) -> Processing:
    return Processing(_WORKERS, data, ", ".join(columns), form, kept, purpose, _SECURITY_BASIS, columns)


def _kinds() -> str:
    found = [f"{words} ({len(FIELDS[kind])} nomes de campo)" for kind, words in _KINDS.items()]
    return ", ".join(found) + ", e o que se parece com eles em textos"


def _span(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours} h" if not minutes else f"{minutes} min"
