"""What a model asks when something went wrong, or before it does: why did it fail, and what may I still do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastmcp import FastMCP
from fastmcp.tools import ToolResult
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from omie_control.app import App
from omie_control.domain.freshness import LIST_SECONDS, OFFICIAL_SECONDS, SHORTEST_SECONDS, TABLE_SECONDS
from omie_control.mcp.control import this_call
from omie_control.mcp.tools.hints import offer, reads_control
from omie_control.mcp.tools.tarefas import Tarefa
from omie_control.mcp.tools.words import answer, bullets, filled, instant, table
from omie_control.services.allowances import Allowance
from omie_control.services.failures import Explanation

_SPENT_SHOWN = 30
_SPENT = {"empresa": "empresa", "metodo": "método", "chamadas": "no último minuto", "restantes": "restam"}
_HOW_OLD = {
    "saldos_estoque_e_extratos": SHORTEST_SECONDS,
    "listas": LIST_SECONDS,
    "tabelas_da_empresa": TABLE_SECONDS,
    "tabelas_oficiais": OFFICIAL_SECONDS,
}


class Falha(TypedDict, total=False):
    """Why an execution failed, and what to do."""

    execution_id: str
    tipo: str
    situacao: str
    quando: str
    causa: str
    codigo: str
    metodo_omie: str
    codigo_do_omie: str
    http: int
    chamadas_ao_omie: int
    escrevia: bool
    pode_repetir: str
    o_que_fazer: list[str]
    tarefa: str
    objetivo_da_tarefa: str


class Bloqueio(TypedDict):
    """A company that Omie shut out."""

    empresa: str
    metodo: str
    ate: str
    segundos: int


class Gasto(TypedDict):
    """Calls of one method that count for the minute's limit."""

    empresa: str
    metodo: str
    chamadas: int
    restantes: int


class Pausa(TypedDict):
    """A method that rests after errors in a row."""

    empresa: str
    metodo: str
    erros: int
    segundos: int


class Limites(TypedDict):
    """What this access may do and has left."""

    acesso: str
    papel: str
    pode: list[str]
    empresas: list[str]
    por_minuto_e_metodo: int
    por_minuto: int
    leituras_ao_mesmo_tempo: int
    escritas_ao_mesmo_tempo: int
    gasto: list[Gasto]
    pausas: list[Pausa]
    bloqueios: list[Bloqueio]
    idade_maxima_segundos: dict[str, int]


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""

    @offer(
        server,
        reads_control("Por que falhou?"),
        "Explica uma execução que não deu certo: a causa, se a mesma chamada pode ser repetida e o que fazer agora. "
        "Sem argumentos: a última falha deste acesso. Use logo depois de um erro, antes de tentar de novo.",
        TypeAdapter(Falha).json_schema(),
    )
    async def por_que_falhou(
        *,
        execution_id: Annotated[
            str | None, Field(description="O execution_id da falha. Omita para a última.", max_length=100)
        ] = None,
        tarefa: Tarefa = None,
    ) -> ToolResult:
        request = this_call().handle.request
        found = await app.services.failures.explain(
            request.actor, execution_id, errand=tarefa, besides=request.process_type
        )
        shown = _failure(found, app)
        facts = [(name, value) for name, value in shown.items() if isinstance(value, str | int) and name != "causa"]
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(shown["o_que_fazer"], 1))
        return answer(shown, shown.get("causa"), f"O que fazer:\n{steps}", bullets(facts))

    @offer(
        server,
        reads_control("Meus limites"),
        "Mostra o que este acesso pode fazer, em quais empresas, quantas chamadas restam por método neste minuto, "
        "bloqueios e pausas que valem agora, e a idade que uma leitura guardada pode ter. Use antes de um trabalho "
        "com muitas chamadas, ou quando o Omie pedir para esperar.",
        TypeAdapter(Limites).json_schema(),
    )
    async def meus_limites() -> ToolResult:
        shown = _limits(await app.services.allowances.of(this_call().handle.request.actor), app)
        return answer(shown, *_limits_text(shown))


def _failure(found: Explanation, app: App) -> dict[str, Any]:
    execution, errand = found.execution, found.errand
    last = execution.calls[-1] if execution.calls else None
    return filled(
        {
            "execution_id": execution.execution_id,
            "tipo": execution.process_type,
            "situacao": execution.status.value,
            "quando": instant(execution.started_at, app.settings.zone),
            "causa": execution.error_message,
            "codigo": execution.error_code,
            "metodo_omie": execution.omie_endpoint,
            "codigo_do_omie": None if last is None else last.fault_code,
            "http": None if last is None else last.status_code,
            "tarefa": execution.session_id if errand is not None else None,
            "objetivo_da_tarefa": None if errand is None else errand.goal,
        }
    ) | {
        "chamadas_ao_omie": len(execution.calls),
        "escrevia": execution.writes,
        "pode_repetir": found.advice.repeat.value,
        "o_que_fazer": list(found.advice.steps),
    }


def _limits(found: Allowance, app: App) -> dict[str, Any]:
    slugs = {str(company.id): company.slug for company in found.companies}
    return {
        "acesso": found.actor.label,
        "papel": found.actor.role.value,
        "pode": list(found.rights),
        "empresas": [company.slug for company in found.companies],
        "por_minuto_e_metodo": found.limits.per_method,
        "por_minuto": found.limits.per_egress,
        "leituras_ao_mesmo_tempo": found.limits.reads_at_once,
        "escritas_ao_mesmo_tempo": found.limits.writes_at_once,
        "gasto": [
            {
                "empresa": slugs[each.company],
                "metodo": each.endpoint,
                "chamadas": each.calls,
                "restantes": found.left(each),
            }
            for each in found.spent[:_SPENT_SHOWN]
        ],
        "pausas": [
            {
                "empresa": slugs[each.company],
                "metodo": each.endpoint,
                "erros": each.errors,
                "segundos": round(each.seconds_left),
            }
            for each in found.paused
        ],
        "bloqueios": [
            {
                "empresa": block.company,
                "metodo": block.endpoint,
                "ate": instant(block.until, app.settings.zone),
                "segundos": round(block.seconds_left),
            }
            for block in found.blocks
        ],
        "idade_maxima_segundos": _HOW_OLD,
    }


def _limits_text(shown: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{shown['acesso']}, papel {shown['papel']}. Pode: {', '.join(shown['pode']) or 'nada'}.",
        f"Empresas: {', '.join(shown['empresas']) or 'nenhuma'}.",
        f"Limites do Omie: {shown['por_minuto_e_metodo']} chamadas por minuto e método, {shown['por_minuto']} ao todo.",
    ]
    lines += [
        f"BLOQUEADA pelo Omie: {each['empresa']}, por mais {each['segundos']} s. Não chame o Omie por ela até lá."
        for each in shown["bloqueios"]
    ]
    lines += [
        f"Em pausa depois de {each['erros']} erros seguidos: {each['metodo']} ({each['empresa']}), por mais "
        f"{each['segundos']} s."
        for each in shown["pausas"]
    ]
    spent = table(_SPENT, shown["gasto"]) if shown["gasto"] else "Nenhuma chamada ao Omie no último minuto."
    return ["\n".join(lines), spent]
