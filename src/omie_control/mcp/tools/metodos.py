"""All of Omie: find any of its 460 methods, read what it takes, run it under the same control as every other tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastmcp import FastMCP
from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.app import App
from omie_control.domain.executions import Category, Complexity
from omie_control.errors import ControlError, InvalidInput
from omie_control.mcp.control import this_call
from omie_control.mcp.tools import metodo_record as record
from omie_control.mcp.tools.hints import offer, reads_control, writes_omie
from omie_control.mcp.tools.parameters import Chave, Empresa
from omie_control.mcp.tools.words import answer, table
from omie_control.mcp.traits import Traits, varying
from omie_control.omie.classes import category_of, complexity_of
from omie_control.omie.risks import changes
from omie_control.services.methods import find_methods, method_named

FOUND_MAX = 30
_COLUMNS = {"metodo": "método", "titulo": "serviço", "tipo": "tipo", "ferramentas": "ferramenta pronta"}
Metodo = Annotated[
    str,
    Field(
        description="Nome completo, como geral/clientes/ListarClientes; ou só o método, com `servico`.",
        min_length=1,
        max_length=200,
    ),
]
Servico = Annotated[
    str | None, Field(description="Serviço, como geral/clientes, quando `metodo` vem sem ele.", max_length=100)
]
# Endpoint of a method to the tools of ours that do the same.
Curated = Mapping[str, Sequence[str]]


def register(server: FastMCP[Any], app: App, curated: Curated) -> None:
    """Add the three tools to a server; `curated` tells which methods have a tool of their own."""
    _register_search(server, curated)
    _register_execution(server, app)


def _register_search(server: FastMCP[Any], curated: Curated) -> None:
    @offer(
        server,
        reads_control("Buscar métodos do Omie"),
        "Procura entre os 460 métodos da API do Omie por palavras em português, como 'faturar pedido' ou 'notas de "
        "serviço'. Use quando nenhuma ferramenta pronta servir; se vier `ferramentas`, prefira uma delas. "
        "Depois chame descrever_metodo_omie e executar_metodo_omie.",
        record.FOUND_SCHEMA,
    )
    async def buscar_metodos_omie(
        *,
        consulta: Annotated[str, Field(description="Palavras do que se quer fazer.", min_length=2, max_length=200)],
        tipo: Annotated[
            Literal["leitura", "escrita"] | None, Field(description="Só os que leem, ou só os que escrevem.")
        ] = None,
        limite: Annotated[int, Field(description="Métodos na resposta.", ge=1, le=FOUND_MAX)] = 10,
    ) -> ToolResult:
        found = find_methods(consulta, writes=None if tipo is None else tipo == "escrita")
        rows = [record.line(method, curated) for method in found[:limite]]
        text = table(_COLUMNS, [{**row, "ferramentas": ", ".join(row.get("ferramentas", []))} for row in rows])
        none = "Nenhum método com estas palavras. Tente o nome do documento ou cadastro, no singular."
        return answer({"metodos": rows, "encontrados": len(found)}, text if rows else none)

    @offer(
        server,
        reads_control("Descrever método do Omie"),
        "Mostra o que um método do Omie recebe e devolve: campos com tipo, obrigatoriedade, tamanho e valores aceitos, "
        "paginação, um exemplo, se escreve, se não tem volta e se está obsoleto. Use antes de executar_metodo_omie.",
        record.DESCRIBED_SCHEMA,
    )
    async def descrever_metodo_omie(
        *,
        metodo: Metodo,
        servico: Servico = None,
        dentro_de: Annotated[
            str | None,
            Field(description="Abre só este objeto dos parâmetros, como det ou det.produto.", max_length=200),
        ] = None,
    ) -> ToolResult:
        shown = record.described(method_named(metodo, servico), curated, dentro_de)
        return answer(shown, record.described_text(shown))


def _register_execution(server: FastMCP[Any], app: App) -> None:
    @offer(
        server,
        writes_omie(
            "Executar método do Omie",
            Category.SISTEMA,
            Complexity.ESPECIALIZADA,
            destructive=True,
            idempotent=False,
        ),
        "Executa qualquer método do catálogo do Omie, com os mesmos limites, registro e conferência das outras "
        "ferramentas; métodos que escrevem exigem acesso de escrita e vão sob chave de idempotência. Os `parametros` "
        "são conferidos antes de sair. Chame antes descrever_metodo_omie. Se falhar, chame por_que_falhou.",
        record.ANSWERED_SCHEMA,
    )
    @varying(method_traits)
    async def executar_metodo_omie(
        *,
        metodo: Metodo,
        servico: Servico = None,
        parametros: Annotated[
            dict[str, Any] | None, Field(description="Os campos do método, com os nomes da API do Omie.")
        ] = None,
        campos: Annotated[
            list[str] | None, Field(description="Numa lista, só estes campos de cada registro.", max_length=50)
        ] = None,
        confirmo_irreversivel: Annotated[
            bool, Field(description="true: uma pessoa confirmou esta ação, que não tem volta.")
        ] = False,
        chave_idempotencia: Chave = None,
        empresa: Empresa = None,
    ) -> ToolResult:
        call = this_call()
        if call.company is None:
            raise InvalidInput("Nenhuma empresa foi escolhida.", hint="Informe `empresa`.")
        method = method_named(metodo, servico)
        ran = await app.services.methods.run(
            call.handle,
            call.company,
            method,
            parametros or {},
            key=chave_idempotencia,
            is_confirmed=confirmo_irreversivel,
        )
        shown = record.answered(method, ran, campos)
        shown |= {"empresa": call.company.slug, "execution_id": call.handle.execution_id}
        return answer(shown, record.answered_text(shown))


def method_traits(base: Traits, arguments: Mapping[str, Any]) -> Traits:
    """Give an execution the traits of its method; an unknown one writes nothing, since nothing leaves."""
    name, service = arguments.get("metodo"), arguments.get("servico")
    if not isinstance(name, str) or not isinstance(service, str | None):
        return replace(base, writes=False)
    try:
        method = method_named(name, service)
    except ControlError:
        return replace(base, writes=False)
    return replace(
        base, writes=changes(method), category=category_of(method), complexity=complexity_of(method), varies=None
    )
