"""The memory of Omie's answers: how it stands, having it ready, and throwing it away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastmcp import FastMCP
from fastmcp.tools import ToolResult

from omie_control.app import App
from omie_control.domain import freshness
from omie_control.domain.companies import Company
from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.control import this_call
from omie_control.mcp.tools.hints import keeps_control, offer, reads_control, reads_omie
from omie_control.mcp.tools.parameters import Empresa
from omie_control.mcp.tools.shapes import result_schema
from omie_control.mcp.tools.words import answer, filled, instant, table
from omie_control.mcp.traits import keeping, varying

_COLUMNS = {"metodo": "tabela", "guardada": "à mão", "idade_segundos": "idade (s)", "vale_por_segundos": "vale (s)"}
_ROW = {
    "type": "object",
    "properties": {
        "metodo": {"type": "string"},
        "guardada": {"type": "boolean"},
        "idade_segundos": {"type": "integer"},
        "vale_por_segundos": {"type": "integer"},
    },
}
_STATE = result_schema(
    {
        "ligado": {"type": "boolean"},
        "fora_desde": {"type": "string"},
        "tabelas": {"type": "array", "items": _ROW},
        "validade_segundos": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "ligado",
    "tabelas",
)
_PRELOADED = result_schema(
    {
        "paginas": {"type": "integer"},
        "paginas_lidas_do_omie": {"type": "integer"},
        "recusadas": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "paginas",
    "paginas_lidas_do_omie",
)
_CLEARED = result_schema({"descartado": {"type": "boolean"}}, "descartado")
# For how long answers are told again, by what they are about.
_LIVES = {
    "saldos_e_estoque": freshness.SHORTEST_SECONDS,
    "listas": freshness.LIST_SECONDS,
    "tabelas_da_empresa": freshness.TABLE_SECONDS,
    "tabelas_oficiais": freshness.OFFICIAL_SECONDS,
}


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""

    @offer(
        server,
        reads_control("Estado do cache"),
        "Mostra se as respostas do Omie estão sendo guardadas, por quanto tempo valem e quais tabelas pequenas da "
        "empresa estão à mão, com a idade. Use quando um dado parecer velho. Cada resposta já diz sua idade em "
        "idade_segundos, e uma escrita feita por aqui descarta o que ela muda.",
        _STATE,
    )
    async def cache_status(*, empresa: Empresa = None) -> ToolResult:
        company = await app.companies.resolve(this_call().handle.request.actor, empresa)
        state = await app.services.kept_answers.state(this_call().handle.request.actor, company)
        rows = [
            filled(
                {
                    "metodo": each.endpoint,
                    "guardada": each.age_seconds is not None,
                    "idade_segundos": None if each.age_seconds is None else round(each.age_seconds),
                    "vale_por_segundos": each.life_seconds,
                }
            )
            for each in state.tables
        ]
        facts = {"ligado": state.is_up, "fora_desde": instant(state.down_since, app.settings.zone), "tabelas": rows}
        said = "O cache está ligado." if state.is_up else "O cache está fora: cada consulta vai ao Omie."
        return _answer(company, filled(facts) | {"validade_segundos": _LIVES}, said, table(_COLUMNS, rows))

    @offer(
        server,
        keeps_control("Limpar o cache"),
        "Descarta as respostas guardadas de uma empresa: a próxima consulta de cada tipo vai ao Omie. Use quando algo "
        "foi mudado direto no Omie e precisa aparecer já. O que foi lido há menos de um minuto só pode ser lido de "
        "novo depois dele: o Omie recusa perguntas repetidas. Só para quem opera o sistema; fica na auditoria.",
        _CLEARED,
    )
    @varying(keeping)
    async def cache_clear(*, empresa: Empresa = None) -> ToolResult:
        actor = this_call().handle.request.actor
        company = await app.companies.resolve(actor, empresa)
        await app.services.kept_answers.clear(actor, company)
        return _answer(
            company, {"descartado": True}, f"As respostas guardadas da empresa {company.slug} foram descartadas."
        )

    @offer(
        server,
        reads_omie("Preparar o cache", Category.SISTEMA, Complexity.BASICA),
        "Lê do Omie as tabelas pequenas que quase toda tarefa usa (categorias, departamentos, parcelas, etapas, "
        "bancos) e as deixa guardadas, em páginas de 100 registros. Use antes de um trabalho longo, como o "
        "fechamento do mês; o que já está guardado não é pedido de novo. Confira com cache_status.",
        _PRELOADED,
    )
    async def cache_preload(*, empresa: Empresa = None) -> ToolResult:
        company = this_call().company
        if company is None:
            raise InvalidInput("Nenhuma empresa foi escolhida.", hint="Informe `empresa`.")
        done = await app.services.kept_answers.preload(this_call().handle, company)
        facts: dict[str, Any] = {"paginas": done.pages, "paginas_lidas_do_omie": done.asked}
        refused = [f"- {endpoint}: {said}" for endpoint, said in done.refused.items()]
        return _answer(
            company,
            facts | filled({"recusadas": dict(done.refused)}),
            f"{done.pages} páginas de tabelas à mão na empresa {company.slug}, {done.asked} lidas agora do Omie.",
            "\n".join(["O Omie recusou:", *refused]) if refused else None,
        )


def _answer(company: Company, facts: Mapping[str, Any], *paragraphs: str | None) -> ToolResult:
    stamp = {"empresa": company.slug, "execution_id": this_call().handle.execution_id}
    return answer({**facts, **stamp}, *paragraphs)
