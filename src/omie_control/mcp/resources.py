"""What clients may read without calling a tool: how the system stands, its figures, alerts, companies, help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastmcp import FastMCP

from omie_control.app import App
from omie_control.domain.actors import Actor
from omie_control.errors import Forbidden
from omie_control.mcp.control import this_call
from omie_control.mcp.tools import metodo_record as record
from omie_control.mcp.tools.words import filled, instant
from omie_control.services.methods import method_named

JSON, MARKDOWN = "application/json", "text/markdown"


def register(server: FastMCP[Any], app: App, curated: Mapping[str, Sequence[str]]) -> None:
    """Add the resources to a server; `curated` tells which methods have a tool of their own."""
    _register_state(server, app)
    _register_records(server, app)

    @server.resource(
        "omie://metodos/{grupo}/{servico}/{metodo}",
        name="Ajuda de um método do Omie",
        description="O que um método recebe e devolve, como descrever_metodo_omie: "
        "omie://metodos/geral/clientes/ListarClientes.",
        mime_type=MARKDOWN,
    )
    async def ajuda_do_metodo(grupo: str, servico: str, metodo: str) -> str:
        return record.described_text(record.described(method_named(f"{grupo}/{servico}/{metodo}"), curated))


def _register_state(server: FastMCP[Any], app: App) -> None:
    @server.resource(
        "omie://database/status",
        name="Estado do banco de dados",
        description="PostgreSQL e memória de apoio: no ar ou não, versão, tamanho, conexões, o que está degradado.",
        mime_type=JSON,
    )
    async def estado_do_banco() -> str:
        state = await app.system.state(_actor())
        database = state.database
        return _json(
            {
                "pronto": state.is_ready,
                "medido_em": instant(state.at, app.settings.zone),
                "postgresql": None
                if database is None
                else {
                    "versao": database.version,
                    "esquema": database.schema_version,
                    "replica": database.is_replica,
                    "fuso": database.timezone,
                    "bytes": database.database_bytes,
                    "conexoes": database.connections,
                    "conexoes_maximo": database.max_connections,
                    "meses_preparados": database.months_ahead,
                },
                "fila_de_gravacao": state.recorder_depth,
                "sessoes_ativas": state.active_sessions,
                "degradado": [
                    filled(
                        {
                            "modo": part.mode,
                            "desde": instant(part.since, app.settings.zone),
                            "significado": part.meaning,
                        }
                    )
                    for part in state.degraded
                ],
            }
        )

    @server.resource(
        "omie://metrics/summary",
        name="Resumo das métricas",
        description="Execuções das últimas 24 horas por tipo: quantas, quantas deram certo, tempo médio.",
        mime_type=JSON,
    )
    async def resumo_das_metricas() -> str:
        actor = _actor()
        if actor.companies is not None:
            raise Forbidden(
                "Este resumo conta as execuções de todas as empresas, e este acesso só vê algumas.",
                hint="Use buscar_execucoes, que mostra as deste acesso.",
            )
        types = await app.executions.summary(actor)
        return _json(
            {
                "ultimas_horas": 24,
                "execucoes": sum(each.total for each in types),
                "falhas": sum(each.failed for each in types),
                "por_tipo": [
                    {
                        "tipo": each.process_type,
                        "execucoes": each.total,
                        "certas": each.succeeded,
                        "falhas": each.failed,
                        "ms_em_media": round(each.total_ms / each.total) if each.total else None,
                    }
                    for each in types
                ],
            }
        )


def _register_records(server: FastMCP[Any], app: App) -> None:
    @server.resource(
        "omie://alerts/active",
        name="Alertas ativos",
        description="Alertas que ninguém resolveu, do mais novo ao mais antigo.",
        mime_type=JSON,
    )
    async def alertas_ativos() -> str:
        found = await app.services.alerts.active(_actor())
        return _json(
            {
                "alertas": [
                    filled(
                        {
                            "id": alert.id,
                            "tipo": alert.alert_type,
                            "gravidade": alert.severity.value,
                            "titulo": alert.title,
                            "mensagem": alert.message,
                            "metodo_omie": alert.endpoint,
                            "desde": instant(alert.created_at, app.settings.zone),
                        }
                    )
                    for alert in found
                ]
            }
        )

    @server.resource(
        "omie://companies",
        name="Empresas",
        description="As empresas deste acesso, pelo nome curto que as ferramentas recebem em `empresa`.",
        mime_type=JSON,
    )
    async def empresas() -> str:
        companies = await app.companies.list(_actor())
        return _json(
            {
                "empresas": [
                    {"empresa": company.slug, "nome": company.name, "demonstracao": company.is_demo}
                    for company in companies
                ]
            }
        )


def _actor() -> Actor:
    return this_call().handle.request.actor


def _json(facts: Mapping[str, Any]) -> str:
    return orjson.dumps(facts).decode()
