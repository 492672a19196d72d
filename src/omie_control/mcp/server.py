"""Our own MCP server: the tools of Omie and of this system, every call of them under control."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fastmcp import FastMCP
from fastmcp.server.http import StarletteWithLifespan

from omie_control import __version__
from omie_control.app import App
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.errors import InvalidInput
from omie_control.mcp import prompts, resources, search
from omie_control.mcp.auth import ControlVerifier
from omie_control.mcp.control import Admit, control
from omie_control.mcp.door import Door
from omie_control.mcp.errands import grouping
from omie_control.mcp.reading import Reading
from omie_control.mcp.search import Shelf
from omie_control.mcp.tools import (
    anexos,
    boletos,
    cache,
    categorias,
    clientes,
    cobranca,
    compras,
    contas_correntes,
    contas_pagar,
    contas_receber,
    contratos,
    crm,
    departamentos,
    dre,
    empresas,
    estoque,
    exportacao,
    extrato,
    falhas,
    faturamento,
    fluxo_caixa,
    fornecedores,
    lancamentos,
    metodos,
    movimentos_estoque,
    notas,
    orcamentos,
    ordens_servico,
    painel_financeiro,
    parcelas,
    pedidos,
    pix,
    precos,
    produtos,
    projetos,
    relatorio_estoque,
    relatorio_vendas,
    servicos,
    sistema,
    tarefas,
    tipos_documento,
    titulos,
    titulos_abertos,
    vendedores,
    webhooks,
)
from omie_control.mcp.traits import Traits

INSTRUCTIONS = """\
Acesso controlado ao ERP Omie. Cada chamada fica registrada e devolve um execution_id em _meta.

- Comece por consultar_clientes (sem argumentos: a primeira página da empresa deste acesso).
- Com várias empresas, informe `empresa` com o nome curto; estado_do_sistema mostra quais existem.
- Para mudar um cadastro: consulte o registro por código, altere, confira o retorno.
- Se uma escrita terminar como incerta, não repita: consulte o registro pelo código de integração.
- Num trabalho de várias chamadas, abra uma tarefa com iniciar_tarefa e feche-a com encerrar_tarefa.
- Em caso de falha, leia "O que fazer" na resposta; por_que_falhou explica a última falha e diz se cabe repetir.
- A lista de ferramentas é curta: buscar_ferramentas acha as outras, e buscar_metodos_omie toda a API do Omie.
"""
# A module a noun, each with its `register(server, app)`.
FAMILIES = (
    parcelas,
    precos,
    compras,
    boletos,
    cache,
    categorias,
    clientes,
    anexos,
    cobranca,
    contas_correntes,
    contas_pagar,
    contas_receber,
    contratos,
    crm,
    departamentos,
    dre,
    empresas,
    estoque,
    exportacao,
    extrato,
    falhas,
    faturamento,
    fluxo_caixa,
    fornecedores,
    lancamentos,
    movimentos_estoque,
    notas,
    orcamentos,
    ordens_servico,
    painel_financeiro,
    pedidos,
    pix,
    produtos,
    projetos,
    relatorio_estoque,
    relatorio_vendas,
    servicos,
    tarefas,
    tipos_documento,
    titulos,
    titulos_abertos,
    vendedores,
    webhooks,
    sistema,
)
# Who calls over stdio: least rights; `omie-control mcp --allow-writes` lets it write.
STDIO = Actor(ActorKind.STDIO, "stdio", Role.AGENT, may_write=False)


def _log_with_ours() -> None:
    """Take FastMCP's own handler away: its lines belong in our log, on stderr or in the file, in our form."""
    logger = logging.getLogger("fastmcp")
    logger.handlers.clear()
    logger.propagate = True


def build_server(app: App, *, stdio_actor: Actor | None = None, lists_all: bool = False) -> FastMCP[Any]:
    """Make the server. Without a token (stdio) the caller is `stdio_actor`: by default an agent that only reads.

    Clients see the short list of tools, unless they or `lists_all` ask for the whole one.
    """
    _log_with_ours()

    async def near(actor: Actor, name: str) -> str | None:
        return await catalogue.near(actor, name)

    controlled = control(
        app.controller,
        actor=stdio_actor or STDIO,
        admit=_admission(app),
        group=grouping(app.services.errands),
        hold=app.services.token_pace.admit,
        near=near,
    )
    server: FastMCP[Any] = FastMCP(
        "omie-control",
        instructions=INSTRUCTIONS,
        version=__version__,
        auth=ControlVerifier(app.services.bearers, app.settings.trusted_proxies),
        mask_error_details=True,
        on_duplicate="error",
        middleware=[Shelf(controlled.who, is_whole=lists_all), Reading(controlled), controlled],
    )
    catalogue = register_tools(server, app)
    resources.register(server, app, _curated())
    prompts.register(server, app)
    return server


def register_tools(server: FastMCP[Any], app: App) -> search.Catalogue:
    """Add every tool to a server; return them by their words."""
    for family in FAMILIES:
        family.register(server, app)
    metodos.register(server, app, _curated())
    return search.register(server)


def _curated() -> dict[str, list[str]]:
    """Tell which tools of ours ask which methods of Omie."""
    asked: dict[str, list[str]] = {}
    for module in FAMILIES:
        for tool in getattr(getattr(module, "family", None), "tools", ()):
            for each in tool.asks:
                asked.setdefault(each.method.endpoint, []).append(tool.names[0])
    return asked


def build_mcp_app(app: App, *, path: str = "/mcp") -> StarletteWithLifespan:
    """Make the ASGI application of the server, for both protocol eras; the caller runs its `lifespan`."""
    public = app.settings.public_url
    http = build_server(app).http_app(
        path=path,
        host_origin_protection=True,
        allowed_hosts=[urlsplit(public).netloc] if public else None,
        allowed_origins=[public] if public else None,
    )
    http.add_middleware(Door, announces=app.services.bearers.issuer is not None, public_url=public)
    return http


def _admission(app: App) -> Admit:
    async def admit(actor: Actor, traits: Traits, arguments: Mapping[str, Any]) -> Company | None:
        """Find the company a call is for and ask whether the actor may; tools that stay in the house are for none."""
        if not traits.calls_omie:
            await app.access.require(actor, traits.right, kind=traits.kind)
            return None
        wanted = arguments.get("empresa")
        if wanted is not None and not isinstance(wanted, str):
            raise InvalidInput("empresa: esperado um texto.", hint="Use o nome curto da empresa.")
        company = await app.companies.resolve(actor, wanted)
        await app.access.require(actor, traits.right, company.id, kind=traits.kind)
        return company

    return admit
