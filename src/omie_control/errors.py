"""Every error that this system raises on purpose.

ControlError
├─ InvalidInput          the caller sent something we cannot accept
├─ NotFound              there is no such thing
├─ Conflict              the thing is not in the state that this needs
├─ Unauthenticated       we do not know who asks
├─ Forbidden             we know who asks, and the answer is no
├─ TooLarge              the request is over a size limit
├─ Overloaded            we have no room now; `until` says when to try again
├─ ApprovalRequired      a person has to say yes first
├─ Uncertain             the outcome of a write is not known yet
├─ OmieFault             Omie refused the call
├─ OmieBusy              Omie (or our gate in front of it) asks to wait; `until`
├─ OmieUnreachable       no usable answer came from Omie
└─ StorageDown           PostgreSQL is away, so no call may leave

The class docstring is the default message: Portuguese, for people and models. `hint` says what to do
next. `cause` (the `from` exception) is for the log only. Imports nothing, so that every room may use it.
"""

from __future__ import annotations

from datetime import datetime


class ControlError(Exception):
    """Algo deu errado no controle."""

    code = "erro_interno"
    hint = "Tente de novo; se persistir, informe o execution_id a quem opera o sistema."
    # What the room that raised it knows beyond words, as a value of its own (omie: `OmieFacts`).
    facts: object = None

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        code: str | None = None,
        until: datetime | None = None,
        execution_id: str | None = None,
    ) -> None:
        self.message = message if message is not None else (type(self).__doc__ or "").strip()
        if hint is not None:
            self.hint = hint
        if code is not None:
            self.code = code
        self.until = until
        self.execution_id = execution_id
        super().__init__(self.message)

    def for_people(self) -> str:
        """Say what happened and what to do next, in one short text."""
        return f"{self.message} {self.hint}".strip()


class InvalidInput(ControlError):
    """Um dos dados enviados não é válido."""

    code = "dado_invalido"
    hint = "Corrija o campo indicado e chame de novo."


class NotFound(ControlError):
    """Não encontrado."""

    code = "nao_encontrado"
    hint = "Confira o identificador."


class Conflict(ControlError):
    """O estado atual não permite esta ação."""

    code = "conflito"
    hint = "Consulte o estado atual antes de tentar de novo."


class Unauthenticated(ControlError):
    """Não foi possível identificar quem está chamando."""

    code = "nao_autenticado"
    hint = "Envie um token válido no cabeçalho Authorization: Bearer."


class Forbidden(ControlError):
    """Este acesso não permite esta ação."""

    code = "sem_permissao"
    hint = "Peça a quem administra o sistema a permissão necessária."


class TooLarge(ControlError):
    """O pedido é maior que o limite."""

    code = "grande_demais"
    hint = "Divida o pedido em partes menores."


class Overloaded(ControlError):
    """O sistema está no limite da sua capacidade agora."""

    code = "sobrecarga"
    hint = "Espere alguns segundos e tente de novo."


class ApprovalRequired(ControlError):
    """Esta ação precisa da aprovação de uma pessoa."""

    code = "aguardando_aprovacao"
    hint = "Peça a aprovação no painel e aguarde."


class Uncertain(ControlError):
    """Não se sabe se o Omie executou esta escrita."""

    code = "incerto"
    hint = "Não repita a chamada: consulte o registro no Omie antes de qualquer nova tentativa."


class OmieFault(ControlError):
    """O Omie recusou a chamada."""

    code = "falha_omie"
    hint = "Leia o motivo, corrija os dados e chame de novo."


class OmieBusy(ControlError):
    """O Omie pediu para esperar antes de uma nova chamada."""

    code = "omie_ocupado"
    hint = "Espere o tempo indicado e chame de novo uma única vez."


class OmieUnreachable(ControlError):
    """O Omie não deu uma resposta que se possa usar."""

    code = "omie_indisponivel"
    hint = "Tente de novo em alguns minutos."


class StorageDown(ControlError):
    """O banco de dados do controle está fora do ar; nenhuma chamada sai sem registro."""

    code = "banco_indisponivel"
    hint = "Espere alguns segundos e tente de novo; se persistir, avise quem opera o sistema."
