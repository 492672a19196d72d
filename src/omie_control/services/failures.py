"""Why something failed, for whoever has to do better next time: the cause, whether to repeat, what to do now.

The cause was written when it happened; what is added here is advice by error code, never a guess about data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from omie_control.domain.actors import Actor
from omie_control.domain.errands import Errand
from omie_control.domain.executions import Execution, Status
from omie_control.errors import NotFound
from omie_control.postgres import errands as store
from omie_control.postgres.database import Postgres
from omie_control.services.errands import Errands
from omie_control.services.executions import Executions

# How far back the last failure of an actor is looked for.
_LOOK_BACK = timedelta(hours=24)
_EDGE = timedelta(seconds=1)


class Repeat(StrEnum):
    """Whether the same call may be made again."""

    CORRECTED = "depois_de_corrigir"
    LATER = "depois_de_esperar"
    NEVER = "nao"
    NEEDLESS = "nao_precisa"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a kind of failure means for whoever calls."""

    repeat: Repeat
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failed execution with advice. `errand` is the one it belongs to, if any."""

    execution: Execution
    advice: Advice
    errand: Errand | None


class Failures:
    """The verbs of a failure."""

    def __init__(self, postgres: Postgres, executions: Executions, errands: Errands) -> None:
        self._postgres = postgres
        self._executions = executions
        self._errands = errands

    async def explain(
        self,
        actor: Actor,
        execution_id: str | None = None,
        *,
        errand: str | None = None,
        session: str | None = None,
        besides: str = "",
    ) -> Explanation:
        """Explain an execution; by default the last that went wrong in the errand named, else the actor's own last one.

        Failures of the process type `besides` are passed over. Raises NotFound when nothing went wrong.
        """
        wanted = execution_id or await self._last(actor, errand, besides)
        found = await self._executions.get(actor, wanted)
        name = found.session_id
        belongs = None if name is None else await self._errands.find(actor, name)
        return Explanation(found, advice_for(found), belongs)

    async def _last(self, actor: Actor, errand: str | None, besides: str) -> str:
        now = datetime.now(UTC)
        since = now - _LOOK_BACK
        if errand is not None:
            since = (await self._errands.get(actor, errand)).opened_at - _EDGE
        async with self._postgres.reading() as connection:
            found = await store.last_failure(
                connection,
                name=errand,
                actor=actor.label if errand is None else None,
                asker=actor.label,
                besides=besides,
                since=since,
                until=now + _EDGE,
                companies=None if actor.companies is None else list(actor.companies),
            )
        if found is None:
            where = "desta tarefa" if errand is not None else "deste acesso nas últimas 24 horas"
            raise NotFound(
                f"Nenhuma execução {where} falhou.",
                hint="Para outra, informe o execution_id; buscar_execucoes mostra o que rodou.",
                code="nenhuma_falha",
            )
        return found


def advice_for(execution: Execution) -> Advice:
    """Say what to do about an execution, by how it ended."""
    if execution.status is Status.COMPLETED:
        return Advice(Repeat.NEEDLESS, ("Esta execução terminou bem; veja a resposta com mostrar_execucao.",))
    if execution.status in (Status.RUNNING, Status.QUEUED, Status.AWAITING_APPROVAL):
        return Advice(Repeat.NEVER, ("Ainda não terminou: espere e pergunte de novo.",))
    if execution.status is Status.UNCERTAIN:
        return _UNCERTAIN
    code = execution.error_code or ""
    found = _BY_CODE.get(code)
    if found is not None:
        return found
    if execution.status is Status.TIMEOUT:
        return _UNCERTAIN if execution.writes and execution.calls else _SLOW
    return _OTHER_FAULT if code.startswith("omie_") or code == "falha_omie" else _UNKNOWN


_FIX = "Corrija os campos que a causa nomeia e chame de novo; nada foi gravado."
_FIELDS = "descrever_metodo_omie mostra os campos e valores que o método aceita."
_READ_FIRST = "Antes de repetir uma escrita, consulte o registro para saber como ele está."
_UNCERTAIN = Advice(
    Repeat.NEVER,
    (
        "Não repita: o Omie pode ter executado a escrita.",
        "O sistema consulta o Omie sozinho e conclui esta execução; veja de novo em alguns minutos.",
        "Se for urgente, consulte o registro pelo código de integração, ou peça a uma pessoa que confira.",
    ),
)
_SLOW = Advice(Repeat.LATER, ("Espere um minuto e peça menos dados por chamada: página menor, período mais curto.",))
_OTHER_FAULT = Advice(Repeat.CORRECTED, ("Leia na causa o que o Omie recusou e mude o pedido.", _FIELDS))
_UNKNOWN = Advice(
    Repeat.CORRECTED, ("Leia a causa. Se ela não bastar, informe o execution_id a quem opera o sistema.",)
)
_INVALID = Advice(Repeat.CORRECTED, (_FIX, _FIELDS))
_MISSING = Advice(
    Repeat.CORRECTED,
    ("Procure o registro pela ferramenta de lista do assunto e use o código que ela devolver.",),
)
_WAIT = Advice(
    Repeat.LATER,
    (
        "Espere o tempo que a causa indica e chame uma única vez; meus_limites mostra bloqueios e saldo.",
        "Insistir antes disso prolonga a espera, para todos os que usam a empresa.",
    ),
)
_ALREADY = Advice(
    Repeat.NEVER,
    ("O registro já existe ou já está assim: consulte-o pelo código que a causa mostra e siga dali.",),
)
_RIGHTS = Advice(
    Repeat.NEVER,
    ("Este acesso não pode fazer isto; meus_limites mostra o que pode.", "Peça o direito a um administrador."),
)
_CREDENTIALS = Advice(
    Repeat.NEVER,
    (
        "As credenciais da empresa no Omie não valem ou a API está desligada: quem administra precisa agir.",
        "Outras chamadas para esta empresa falharão do mesmo modo.",
    ),
)
_OURS = Advice(Repeat.LATER, ("O problema é do sistema, não do pedido: espere alguns segundos e chame de novo.",))
_STOPPED = Advice(Repeat.NEVER, ("Alguém do sistema parou esta execução: fale com essa pessoa antes de repetir.",))
_LEFT = Advice(Repeat.CORRECTED, ("Quem chamou desistiu antes da resposta.", _READ_FIRST))
_KEY = Advice(
    Repeat.CORRECTED,
    ("Para outra escrita use outra chave_idempotencia; para repetir a mesma, envie exatamente os mesmos dados.",),
)
_REPEATED = Advice(Repeat.NEVER, ("Use a resposta da execução que a causa nomeia: mostrar_execucao a mostra.",))
_MEANT = Advice(
    Repeat.CORRECTED,
    ("Mostre a uma pessoa o registro exato e o efeito; com o acordo dela, repita com confirmo_irreversivel: true.",),
)
_ERRAND = Advice(Repeat.CORRECTED, ("Abra uma tarefa nova com iniciar_tarefa, ou chame sem indicar a tarefa.",))
_TOOL = Advice(Repeat.CORRECTED, ("Ache o nome certo com buscar_ferramentas.",))
_FIRST = Advice(Repeat.NEVER, ("Uma tentativa anterior, igual, ainda está incerta: espere que ela seja resolvida.",))

_BY_CODE = {
    "dado_invalido": _INVALID,
    "grande_demais": Advice(Repeat.CORRECTED, ("Divida o pedido em partes menores.",)),
    "nao_encontrado": _MISSING,
    "conflito": Advice(Repeat.CORRECTED, ("Consulte como o registro está agora e refaça o pedido a partir disso.",)),
    "sem_permissao": _RIGHTS,
    "nao_autenticado": _RIGHTS,
    "ferramenta_desconhecida": _TOOL,
    "sobrecarga": _OURS,
    "banco_indisponivel": _OURS,
    "falta_confirmacao": _MEANT,
    "chave_ja_usada": _KEY,
    "ja_executada": _REPEATED,
    "recusada_antes": _REPEATED,
    "ainda_executando": Advice(Repeat.LATER, ("A mesma escrita ainda roda: espere e chame com os mesmos dados.",)),
    "primeira_incerta": _FIRST,
    "tarefa_encerrada": _ERRAND,
    "tarefa_desconhecida": _ERRAND,
    "cancelada": _STOPPED,
    "cliente_desistiu": _LEFT,
    "omie_ocupado": _WAIT,
    "omie_indisponivel": Advice(Repeat.LATER, ("O Omie não respondeu: espere alguns minutos.", _READ_FIRST)),
    "omie_redundante": _WAIT,
    "omie_metodo_em_uso": _WAIT,
    "omie_bloqueio": _WAIT,
    "omie_limite": _WAIT,
    "omie_ainda_calculando": _WAIT,
    "omie_ja_processada": _UNCERTAIN,
    "omie_resposta_quebrada": _SLOW,
    "omie_credenciais": _CREDENTIALS,
    "omie_api_desligada": _CREDENTIALS,
    "omie_nao_encontrado": _MISSING,
    "omie_referencia_invalida": _MISSING,
    "omie_codigo_ja_usado": _ALREADY,
    "omie_documento_ja_usado": _ALREADY,
    "omie_duplicado": _ALREADY,
    "omie_ja_liquidado": _ALREADY,
    "omie_campo_desconhecido": _INVALID,
    "omie_campo_obrigatorio": _INVALID,
    "omie_valor_nao_aceito": _INVALID,
    "omie_data_invalida": _INVALID,
    "omie_filtro_curto": _INVALID,
    "omie_campos_excludentes": _INVALID,
}
