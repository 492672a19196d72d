"""Errands for models: say what is to be done, do it in as many calls as it takes, say how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastmcp import FastMCP
from fastmcp.tools import ToolResult
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from omie_control.app import App
from omie_control.domain.actors import Actor
from omie_control.domain.errands import ErrandOutcome, is_errand_name
from omie_control.domain.executions import Status
from omie_control.mcp.control import this_call
from omie_control.mcp.origin import ERRAND_HEADER
from omie_control.mcp.tools.hints import keeps_control, offer, reads_control
from omie_control.mcp.tools.parameters import Empresa
from omie_control.mcp.tools.words import answer, bullets, filled, instant, table
from omie_control.mcp.traits import keeping, varying
from omie_control.services.errands import TEXT_MAX, Account

Tarefa = Annotated[
    str | None,
    Field(description="Nome que iniciar_tarefa devolveu. Omita para a tarefa aberta deste acesso.", max_length=100),
]
Situacao = Literal["concluida", "parcial", "abandonada"]
OUTCOMES: Mapping[str, ErrandOutcome] = {
    "concluida": ErrandOutcome.DONE,
    "parcial": ErrandOutcome.PARTIAL,
    "abandonada": ErrandOutcome.GIVEN_UP,
}
_SAID = {outcome: word for word, outcome in OUTCOMES.items()}
_BAD = frozenset({Status.FAILED, Status.TIMEOUT, Status.CANCELLED})
_COLUMNS = {"tipo": "ferramenta", "situacao": "situação", "execucoes": "execuções", "ms": "ms no total"}


class Aberta(TypedDict, total=False):
    """An errand that was opened."""

    tarefa: str
    objetivo: str
    aberta_em: str
    anterior: str


class Linha(TypedDict):
    """What ran within an errand, by tool and status."""

    tipo: str
    situacao: str
    execucoes: int
    ms: int


class Resumo(TypedDict, total=False):
    """An errand and what was done for it."""

    tarefa: str
    objetivo: str
    situacao: str
    resultado: str
    aberta_em: str
    encerrada_em: str
    execucoes: int
    escritas: int
    falhas: int
    incertas: int
    por_ferramenta: list[Linha]


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""

    @offer(
        server,
        keeps_control("Iniciar tarefa"),
        "Abre uma tarefa: o trabalho que as próximas chamadas fazem juntas, com o objetivo nas palavras de quem pediu. "
        "Elas ficam agrupadas nela até encerrar_tarefa, sem mais nada a informar. Use no começo de um trabalho de "
        "várias chamadas. Outros acessos entram na mesma tarefa com `tarefa` nos argumentos de qualquer ferramenta, ou "
        f"com o cabeçalho {ERRAND_HEADER}.",
        TypeAdapter(Aberta).json_schema(),
    )
    @varying(keeping)
    async def iniciar_tarefa(
        *,
        objetivo: Annotated[
            str,
            Field(description="O que se quer, nas palavras de quem pediu.", min_length=3, max_length=TEXT_MAX),
        ],
        empresa: Empresa = None,
    ) -> ToolResult:
        actor, session = _where()
        company = None if empresa is None else (await app.companies.resolve(actor, empresa)).id
        errand, before = await app.services.errands.open(actor, objetivo, session=session, company=company)
        shown = filled(
            {
                "tarefa": errand.name,
                "objetivo": errand.goal,
                "aberta_em": instant(errand.opened_at, app.settings.zone),
                "anterior": None if before is None else before.name,
            }
        )
        left_open = None if before is None else f"A tarefa {before.name} continua aberta; encerre-a se ela terminou."
        return answer(shown, f"Tarefa aberta: {errand.name}. Ao terminar, chame encerrar_tarefa.", left_open)

    @offer(
        server,
        keeps_control("Encerrar tarefa"),
        "Encerra a tarefa aberta e diz como ela terminou. Use quando o trabalho acabou ou não vai continuar; a "
        "resposta conta o que foi feito, o que falhou e o que ficou incerto.",
        TypeAdapter(Resumo).json_schema(),
    )
    @varying(keeping)
    async def encerrar_tarefa(
        *,
        resultado: Annotated[
            str, Field(description="O que foi feito e o que ficou por fazer.", min_length=3, max_length=TEXT_MAX)
        ],
        situacao: Annotated[Situacao, Field(description="Como terminou.")] = "concluida",
        tarefa: Tarefa = None,
    ) -> ToolResult:
        actor, session = _where()
        closed = await app.services.errands.close(actor, tarefa, OUTCOMES[situacao], resultado, session=session)
        return _told(await app.services.errands.account(actor, closed.name), app)

    @offer(
        server,
        reads_control("Resumo da tarefa"),
        "Mostra uma tarefa: objetivo, o que rodou nela por ferramenta e situação, escritas, falhas e incertas. Use "
        "para saber onde o trabalho parou; por_que_falhou explica as falhas.",
        TypeAdapter(Resumo).json_schema(),
    )
    async def resumo_da_tarefa(*, tarefa: Tarefa = None) -> ToolResult:
        actor, session = _where()
        return _told(await app.services.errands.account(actor, tarefa, session=session), app)


def _where() -> tuple[Actor, str | None]:
    """Return who calls, and the session of the protocol that tells their conversations apart."""
    request = this_call().handle.request
    named = request.origin.errand
    session = None if named is not None and is_errand_name(named) else request.origin.session_id
    return request.actor, session


def _told(account: Account, app: App) -> ToolResult:
    errand, tallies = account.errand, account.tallies
    counts: Counter[Status] = Counter()
    for tally in tallies:
        counts[tally.status] += tally.count
    rows = [
        {"tipo": each.process_type, "situacao": each.status.value, "execucoes": each.count, "ms": each.total_ms}
        for each in tallies
    ]
    shown = filled(
        {
            "tarefa": errand.name,
            "objetivo": errand.goal,
            "situacao": "aberta" if errand.outcome is None else _SAID[errand.outcome],
            "resultado": errand.result,
            "aberta_em": instant(errand.opened_at, app.settings.zone),
            "encerrada_em": instant(errand.closed_at, app.settings.zone),
        }
    ) | {
        "execucoes": sum(counts.values()),
        "escritas": sum(each.writes for each in tallies),
        "falhas": sum(count for status, count in counts.items() if status in _BAD),
        "incertas": counts[Status.UNCERTAIN],
        "por_ferramenta": rows,
    }
    facts = [(name, value) for name, value in shown.items() if name != "por_ferramenta"]
    uncertain = "Há escritas incertas: não as repita; o sistema as resolve." if counts[Status.UNCERTAIN] else None
    return answer(shown, bullets(facts), table(_COLUMNS, rows) if rows else None, uncertain)
