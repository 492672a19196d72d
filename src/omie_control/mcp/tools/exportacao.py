"""Long work for models: read a whole list in the background, wait for any execution, stop one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastmcp import Context, FastMCP
from fastmcp.dependencies import CurrentContext
from fastmcp.tools import ToolResult
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from omie_control.app import App
from omie_control.domain.executions import Category, Complexity, Execution, Status
from omie_control.errors import InvalidInput
from omie_control.mcp.control import this_call
from omie_control.mcp.tools.hints import keeps_control, offer, reads_control, reads_omie
from omie_control.mcp.tools.metodos import Metodo, Servico, method_traits
from omie_control.mcp.tools.parameters import Empresa
from omie_control.mcp.tools.words import answer, bullets, filled
from omie_control.mcp.traits import Traits, keeping, varying
from omie_control.services.exports import PROCESS_TYPE, Progress
from omie_control.services.methods import method_named

WAIT_MAX = 50
_POLL_SECONDS = 0.5
# What the record of an export that has ended tells of it.
_KEPT = ("partes", "registros", "total_de_registros", "dados_completos")
_UNDER_WAY = frozenset({Status.QUEUED, Status.RUNNING, Status.AWAITING_APPROVAL})
Id = Annotated[str, Field(description="O execution_id de que se espera o fim.", min_length=1, max_length=100)]


class Pendente(TypedDict):
    """An export that was begun."""

    execution_id_da_exportacao: str
    metodo: str
    empresa: str
    execution_id: str


class Espera(TypedDict, total=False):
    """How an execution stands, and a part of what an export has read."""

    execution_id: str
    tipo: str
    situacao: str
    terminou: bool
    erro: str
    partes: int
    paginas: int
    registros: int
    total_de_registros: int
    dados_completos: bool
    parte: int
    linhas: list[Any]
    proxima_parte: int


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""

    @offer(
        server,
        reads_omie("Exportar lista do Omie", Category.RELATORIOS, Complexity.AVANCADA),
        "Lê em segundo plano todas as páginas de um método de lista do Omie e devolve logo um execution_id; os dados "
        "se buscam com aguardar_execucao, uma parte por vez, por até uma hora. Use para listas longas; para uma "
        "página, use a ferramenta da lista. cancelar_execucao interrompe. Com dados_completos=false não veio tudo.",
        TypeAdapter(Pendente).json_schema(),
    )
    @varying(_reading)
    async def exportar_metodo_omie(
        *,
        metodo: Metodo,
        servico: Servico = None,
        parametros: Annotated[
            dict[str, Any] | None, Field(description="Os filtros do método, com os nomes da API do Omie.")
        ] = None,
        empresa: Empresa = None,
    ) -> ToolResult:
        call = this_call()
        if call.company is None:
            raise InvalidInput("Nenhuma empresa foi escolhida.", hint="Informe `empresa`.")
        method = method_named(metodo, servico)
        pending = await app.services.exports.start(call.handle, call.company, method, parametros or {})
        facts = {
            "execution_id_da_exportacao": pending,
            "metodo": method.endpoint,
            "empresa": call.company.slug,
            "execution_id": call.handle.execution_id,
        }
        return answer(facts, f"Exportação iniciada: {pending}. Chame aguardar_execucao com este execution_id.")

    @offer(
        server,
        reads_control("Aguardar execução"),
        "Espera uma execução terminar, até o tempo dado, e diz como ela está. De uma exportação terminada devolve "
        "também uma parte das linhas: chame de novo com `parte` igual a proxima_parte até não haver mais.",
        TypeAdapter(Espera).json_schema(),
    )
    async def aguardar_execucao(
        *,
        execution_id: Id,
        segundos: Annotated[int, Field(description="Espera máxima.", ge=0, le=WAIT_MAX)] = 20,
        parte: Annotated[int, Field(description="Parte da exportação, a partir de 1.", ge=1)] = 1,
        ctx: Context = CurrentContext(),  # noqa: B008 - FastMCP's way to hand it in
    ) -> ToolResult:
        found, progress = await _wait(app, execution_id, segundos, ctx)
        shown = _standing(found, progress)
        if found.process_type != PROCESS_TYPE or found.status is not Status.COMPLETED:
            return answer(shown, bullets([*shown.items()]))
        kept = found.response_data
        parts = kept["partes"]
        shown |= {name: kept[name] for name in _KEPT if name in kept}
        if parts == 0:
            return answer(shown | {"linhas": []}, _warning(shown) or "A lista está vazia.")
        rows = await app.services.exports.part(this_call().handle.request.actor, found, parte)
        more = parte + 1 if parte < parts else None
        shown |= {"parte": parte, "linhas": rows} | ({} if more is None else {"proxima_parte": more})
        text = f"Parte {parte} de {parts}: {len(rows)} de {shown['registros']} registros, em `linhas`."
        return answer(shown, _warning(shown), text, None if more is None else f"Próxima: parte={more}.")

    @offer(
        server,
        keeps_control("Cancelar execução"),
        "Interrompe uma execução que este acesso iniciou e que ainda roda, como uma exportação. O que já chegou ao "
        "Omie não é desfeito. Execuções de outros só quem tem o direito cancela.",
        TypeAdapter(Espera).json_schema(),
    )
    @varying(keeping)
    async def cancelar_execucao(
        *,
        execution_id: Annotated[str, Field(description="O execution_id a interromper.", min_length=1, max_length=100)],
        motivo: Annotated[str, Field(description="Por que; fica no registro.", min_length=3, max_length=300)],
    ) -> ToolResult:
        after = await app.executions.cancel(this_call().handle.request.actor, execution_id, motivo)
        shown = _standing(after, None)
        return answer(shown, "Parada pedida; veja o fim com aguardar_execucao.", bullets([*shown.items()]))


def _reading(base: Traits, arguments: Mapping[str, Any]) -> Traits:
    """Take the method's category; an export only ever reads, and refuses what does not."""
    return replace(method_traits(base, arguments), writes=False)


async def _wait(app: App, execution_id: str, seconds: int, ctx: Context) -> tuple[Execution, Progress | None]:
    actor = this_call().handle.request.actor
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        found = await app.executions.get(actor, execution_id)
        is_export = found.process_type == PROCESS_TYPE and found.actor == actor.label
        progress = await app.services.exports.progress(actor, found) if is_export else None
        if progress is not None:
            await ctx.report_progress(progress.parts, progress.pages, f"{progress.rows} registros")
        if found.status not in _UNDER_WAY or loop.time() >= until:
            return found, progress
        await asyncio.sleep(min(_POLL_SECONDS, max(0.0, until - loop.time())))


def _warning(shown: Mapping[str, Any]) -> str | None:
    """Say that an export is not the whole list; those of before this was recorded say nothing."""
    if shown.get("dados_completos", True):
        return None
    of = f" de {shown['total_de_registros']}" if "total_de_registros" in shown else ""
    return (
        f"**Atenção: dados incompletos.** Foram lidos {shown['registros']}{of} registros. Use filtros, páginas de 100 "
        "registros, ou continue em outra exportação, de uma página mais adiante."
    )


def _standing(found: Execution, progress: Progress | None) -> dict[str, Any]:
    return filled(
        {
            "execution_id": found.execution_id,
            "tipo": found.process_type,
            "situacao": found.status.value,
            "erro": found.error_message,
            "partes": None if progress is None else progress.parts,
            "paginas": None if progress is None else progress.pages,
            "registros": None if progress is None else progress.rows,
        }
    ) | {"terminou": found.status not in _UNDER_WAY}
