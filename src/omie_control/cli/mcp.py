"""`omie-control mcp`: the same tools over stdio, for a client that starts us itself."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from omie_control.app import open_app
from omie_control.cli.session import configure_telemetry, run_async
from omie_control.domain.actors import SYSTEM, Actor, ActorKind, Role
from omie_control.mcp.server import build_server
from omie_control.settings import Settings


def mcp(
    *,
    company: Annotated[str | None, typer.Option(help="Só esta empresa. Sem ela: todas.")] = None,
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", help="Permite incluir e alterar; sem isto, só leitura.")
    ] = False,
) -> None:
    """Roda o servidor MCP por stdio; só leitura, a menos que se permita escrever."""

    async def work() -> None:
        settings = Settings.from_environment()
        # stdout belongs to the protocol; the log goes to stderr, where clients keep it.
        configure_telemetry(settings, "mcp", level=logging.WARNING)
        async with open_app(settings, kind="mcp") as app:
            chosen = (await app.companies.resolve(SYSTEM, company)).id if company else None
            principal = Actor(
                ActorKind.STDIO,
                "local",
                Role.AGENT,
                companies=None if chosen is None else frozenset({chosen}),
                default_company=chosen,
                may_write=allow_writes,
            )
            await build_server(app, stdio_actor=principal).run_stdio_async(show_banner=False)

    run_async(work())
