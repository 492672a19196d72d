"""This system's own records for models: how it stands, what ran, what happened to one execution."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastmcp import FastMCP
from fastmcp.tools import ToolResult
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from omie_control.app import App
from omie_control.domain.companies import Company
from omie_control.domain.executions import Call, Execution, Status
from omie_control.mcp.control import this_call
from omie_control.mcp.tools.hints import offer, reads_control
from omie_control.mcp.tools.words import answer, bullets, cell, filled, instant, table
from omie_control.services.blocks import CompanyBlock
from omie_control.services.system import SystemState

PAGE_MAX = 100
# Twenty years: nothing is older, and no id tells of an instant before 1970.
_HOURS_MAX = 20 * 366 * 24


class Degradado(TypedDict, total=False):
    """One part that does not work as it should."""

    modo: str
    desde: str
    significado: str


class Empresa(TypedDict):
    """One company of this access."""

    empresa: str
    nome: str
    demonstracao: bool


class Bloqueio(TypedDict):
    """One company that Omie blocks: nothing of it leaves before `ate`."""

    empresa: str
    metodo: str
    ate: str
    faltam_segundos: int
    significado: str


class Estado(TypedDict):
    """How the system stands."""

    versao: str
    pronto: bool
    fila_de_gravacao: int
    sessoes_ativas: int | None
    degradado: list[Degradado]
    bloqueios_do_omie: list[Bloqueio]
    empresas: list[Empresa]


class Linha(TypedDict, total=False):
    """One execution in a list; instants in the system's time zone."""

    execution_id: str
    tipo: str
    situacao: str
    inicio: str
    fim: str
    duracao_ms: int
    empresa: str
    ator: str
    codigo_do_erro: str
    erro: str


class Lista(TypedDict, total=False):
    """A page of executions, newest first; `proxima` is the cursor of the next one."""

    execucoes: list[Linha]
    proxima: str | None


class Detalhe(Linha, total=False):
    """One execution with its bodies (masked), its calls to Omie and its children.

    `resumida`: it is old, and what was long in its bodies was cut; `_resumido` or an ellipsis marks each cut.
    """

    entrada: Any
    pedido: Any
    resposta: Any
    resumida: bool
    metodo_omie: str
    chamadas: list[dict[str, Any]]
    pai: str
    filhas: list[str]


_COLUMNS = {
    "execution_id": "execution_id",
    "tipo": "tipo",
    "situacao": "situação",
    "inicio": "início",
    "duracao_ms": "ms",
    "erro": "erro",
}


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""

    @offer(
        server,
        reads_control("Estado do sistema"),
        "Mostra como está o sistema de controle: banco, memória de apoio, fila de gravação, empresas deste acesso "
        "e o que estiver degradado ou bloqueado pelo Omie, e até quando. Use quando chamadas falharem sem motivo "
        "claro, ou para saber as empresas.",
        TypeAdapter(Estado).json_schema(),
    )
    async def estado_do_sistema() -> ToolResult:
        actor = this_call().handle.request.actor
        blocks = await app.blocks.list(actor)
        facts = _state(await app.system.state(actor), blocks, await app.companies.list(actor), app)
        return answer(facts, _state_text(facts))

    @offer(
        server,
        reads_control("Buscar execuções"),
        "Procura execuções (chamadas de ferramentas já registradas), da mais nova para a mais antiga. Use para "
        "saber o que rodou, o que falhou ou se uma escrita já foi feita; depois chame mostrar_execucao com o "
        "execution_id. Para a página seguinte, passe `proxima` em `cursor`.",
        TypeAdapter(Lista).json_schema(),
    )
    async def buscar_execucoes(
        *,
        situacao: Annotated[Status | None, Field(description="Situação da execução.")] = None,
        tipo: Annotated[
            str | None, Field(description="Tipo de processo, como consultar_clientes.", max_length=100)
        ] = None,
        empresa: Annotated[str | None, Field(description="Nome curto da empresa.", max_length=60)] = None,
        sessao: Annotated[str | None, Field(description="Sessão de quem chamou.", max_length=100)] = None,
        ultimas_horas: Annotated[int | None, Field(description="Só as iniciadas nas últimas horas.", ge=1)] = None,
        cursor: Annotated[str | None, Field(description="`proxima` da página anterior.", max_length=100)] = None,
        limite: Annotated[int, Field(description="Execuções por página.", ge=1, le=PAGE_MAX)] = 20,
    ) -> ToolResult:
        actor = this_call().handle.request.actor
        page = await app.executions.list(
            actor,
            status=situacao,
            process_type=tipo,
            company=(await app.companies.resolve(actor, empresa)).id if empresa else None,
            session=sessao,
            since=datetime.now(UTC) - timedelta(hours=min(ultimas_horas, _HOURS_MAX)) if ultimas_horas else None,
            before=cursor,
            limit=limite,
        )
        rows = [_line(execution, app) for execution in page.items]
        text = table(_COLUMNS, rows) if rows else "Nenhuma execução com estes filtros."
        more = f"Há mais: chame de novo com cursor={page.next}." if page.next else None
        return answer({"execucoes": rows, "proxima": page.next}, text, more)

    @offer(
        server,
        reads_control("Mostrar execução"),
        "Mostra uma execução pelo execution_id: entrada e resposta (dados pessoais mascarados), erro, cada "
        "chamada HTTP ao Omie e as execuções filhas. Use para entender uma falha ou conferir uma escrita.",
        TypeAdapter(Detalhe).json_schema(),
    )
    async def mostrar_execucao(
        *,
        execution_id: Annotated[str, Field(description="O execution_id devolvido pela chamada.", max_length=100)],
    ) -> ToolResult:
        found = await app.executions.get(this_call().handle.request.actor, execution_id)
        shown = _whole(found, app)
        facts = [(name, value) for name, value in shown.items() if type(value) in (str, int)]
        calls = shown.get("chamadas")
        return answer(
            shown,
            bullets(facts),
            table(_CALL_COLUMNS, calls) if calls else None,
            _SLIMMED if found.is_slimmed else None,
        )


_SLIMMED = (
    "Execução antiga: o que era longo na entrada, no pedido e na resposta foi resumido; cada corte está marcado com "
    "_resumido ou reticências."
)
_CALL_COLUMNS = {"metodo": "método do Omie", "quando": "quando", "ms": "ms", "http": "HTTP", "falha": "falha"}


def _state(
    state: SystemState, blocks: Sequence[CompanyBlock], companies: Sequence[Company], app: App
) -> dict[str, Any]:
    return {
        "versao": state.version,
        "pronto": state.is_ready,
        "fila_de_gravacao": state.recorder_depth,
        "sessoes_ativas": state.active_sessions,
        "degradado": [
            filled({"modo": part.mode, "desde": instant(part.since, app.settings.zone), "significado": part.meaning})
            for part in state.degraded
        ],
        "bloqueios_do_omie": [
            {
                "empresa": block.company,
                "metodo": block.endpoint,
                "ate": instant(block.until, app.settings.zone),
                "faltam_segundos": math.ceil(block.seconds_left),
                "significado": block.sentence(app.settings.zone),
            }
            for block in blocks
        ],
        "empresas": [
            {"empresa": company.slug, "nome": company.name, "demonstracao": company.is_demo} for company in companies
        ],
    }


def _state_text(facts: Mapping[str, Any]) -> str:
    sessions = facts["sessoes_ativas"]
    troubles = [f"- {part['modo']}: {part['significado']}" for part in facts["degradado"]]
    companies = [f"- {cell(row['empresa'])} ({cell(row['nome'])})" for row in facts["empresas"]]
    return "\n".join(
        [
            "Pronto." if facts["pronto"] else "Fora de serviço.",
            f"Versão {facts['versao']}; {facts['fila_de_gravacao']} registros na fila de gravação.",
            *([] if sessions is None else [f"Sessões ativas nos últimos 15 minutos: {sessions}."]),
            "Degradado:" if troubles else "Nada degradado.",
            *troubles,
            *[f"- {block['significado']}" for block in facts["bloqueios_do_omie"]],
            "Empresas deste acesso:" if companies else "Nenhuma empresa cadastrada para este acesso.",
            *companies,
        ]
    )


def _line(execution: Execution, app: App) -> dict[str, Any]:
    return filled(
        {
            "execution_id": execution.execution_id,
            "tipo": execution.process_type,
            "situacao": execution.status.value,
            "inicio": instant(execution.started_at, app.settings.zone),
            "fim": instant(execution.completed_at, app.settings.zone),
            "duracao_ms": execution.duration_ms,
            "empresa": execution.company,
            "ator": execution.actor,
            "codigo_do_erro": execution.error_code,
            "erro": execution.error_message,
        }
    )


def _whole(execution: Execution, app: App) -> dict[str, Any]:
    return _line(execution, app) | filled(
        {
            "entrada": execution.input_parameters,
            "pedido": execution.request_payload,
            "resposta": execution.response_data,
            "resumida": execution.is_slimmed,
            "metodo_omie": execution.omie_endpoint,
            "pai": execution.parent,
            "filhas": list(execution.children),
            "chamadas": [_call(call, app) for call in execution.calls],
        }
    )


def _call(call: Call, app: App) -> dict[str, Any]:
    return filled(
        {
            "metodo": call.endpoint,
            "quando": instant(call.at, app.settings.zone),
            "ms": call.response_time_ms,
            "http": call.status_code,
            "sucesso": call.success,
            "falha": call.fault_code,
        }
    )
