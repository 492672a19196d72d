"""`omie-control mcp`: the same tools over stdio, for a client that starts us itself."""

from __future__ import annotations

import logging

from omie_control.app import open_app
from omie_control.app.collector import startup_frozen
from omie_control.cli.address import as_noted
from omie_control.cli.session import configure_telemetry, run_async
from omie_control.cli.signals import on_signals
from omie_control.cli.stdin import relay_stdin
from omie_control.domain.actors import SYSTEM, Actor, ActorKind, Role
from omie_control.mcp.server import build_server
from omie_control.settings import Settings


def mcp(*, company: str | None, allow_writes: bool, all_tools: bool) -> None:
    """Speak MCP on stdin and stdout until the client leaves, or a signal says that it has."""

    async def work() -> None:
        settings = as_noted(Settings.from_environment())
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
            server = build_server(app, stdio_actor=principal, lists_all=all_tools)
            end_input = relay_stdin()
            on_signals(lambda _: end_input())
            with startup_frozen():
                await server.run_stdio_async(show_banner=False)

    run_async(work())
