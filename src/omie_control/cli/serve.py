"""The HTTP server: dashboard, REST and metrics from the web room, `/mcp` from the MCP room, one port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from omie_control.app import App, open_app
from omie_control.app.collector import startup_frozen
from omie_control.cli.address import noted
from omie_control.cli.ports import bind
from omie_control.cli.session import configure_telemetry, run_async, settings_with
from omie_control.cli.signals import on_signals
from omie_control.mcp.server import build_mcp_app
from omie_control.telemetry import Event, tell
from omie_control.web.server import build_web

GRACE_SECONDS = 10


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the command decides when and in which order things stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the command."""
        yield


class Door:
    """One port for two applications: `/mcp` to the agents' face, the rest to the people's."""

    def __init__(self, web: ASGIApp, mcp: ASGIApp) -> None:
        self._web = web
        self._mcp = mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_mcp = path == "/mcp" or path.startswith("/mcp/")
        await (self._mcp if is_mcp else self._web)(scope, receive, send)


async def run_http(app: App, listener: socket.socket) -> None:
    """Serve until `app.stopping` is set, then let the calls in flight end."""
    web, mcp = build_web(app), build_mcp_app(app)
    config = uvicorn.Config(
        Door(web, mcp),
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = Server(config)
    async with web.router.lifespan_context(web), mcp.router.lifespan_context(mcp):
        with startup_frozen():
            serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
            watching = asyncio.create_task(app.stopping.wait(), name="stopping")
            await asyncio.wait([serving, watching], return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            watching.cancel()
            await serving


def stop_at_signals(app: App) -> None:
    """Set `app.stopping` at the first signal; a second one changes nothing, so that nothing is lost in haste."""

    def stop(_: int) -> None:
        if not app.stopping.is_set():
            tell(Event.PROCESS_STOPPING)
            app.stopping.set()

    on_signals(stop)


def serve(*, host: str | None, port: int | None) -> None:
    """Run one HTTP server until a signal."""

    async def work() -> None:
        settings = settings_with(host=host, port=port)
        configure_telemetry(settings, "serve")
        listener = bind(settings.host, settings.port)
        with noted(settings, listener) as settings:
            async with open_app(settings, kind="serve") as app:
                stop_at_signals(app)
                tell(Event.PROCESS_STARTED, kind="serve", port=settings.port)
                await run_http(app, listener)

    run_async(work())
