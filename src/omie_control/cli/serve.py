"""The HTTP server: dashboard, REST and metrics from the web room, `/mcp` from the MCP room, one port."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import psutil
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from omie_control.app import App, open_app
from omie_control.cli.session import configure_telemetry, run_async
from omie_control.errors import Conflict, InvalidInput
from omie_control.mcp.server import build_mcp_app
from omie_control.settings import Settings
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


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts. Raises Conflict that names the port and who has it."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Named, because asyncio switches Nagle's wait off (40 ms an answer) only for sockets that say TCP.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as exc:
        raise InvalidInput(
            f"O endereço '{host}' não existe nesta máquina.", hint="Confira OMIE_CONTROL_HOST ou --host."
        ) from exc
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise Conflict(
            f"A porta {port} de {host} não está livre{_holder(port)}.",
            hint="Encerre esse programa ou escolha outra porta: --port 8001 (ou OMIE_CONTROL_PORT).",
        ) from exc
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr
            if connection.status == psutil.CONN_LISTEN and here and here[1] == port and connection.pid:
                return f": o processo {connection.pid} ({psutil.Process(connection.pid).name()}) escuta nela"
    except (psutil.Error, OSError):
        return ""
    return ""


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
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        watching = asyncio.create_task(app.stopping.wait(), name="stopping")
        await asyncio.wait([serving, watching], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        watching.cancel()
        await serving


@contextlib.contextmanager
def stopped_by_signals(app: App) -> Iterator[None]:
    """Set `app.stopping` on SIGINT or SIGTERM; a second one changes nothing, so that nothing is lost in haste."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not app.stopping.is_set():
            tell(Event.PROCESS_STOPPING)
            app.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def settings_with(**overrides: object) -> Settings:
    """Read the environment; a command's options win over it."""
    settings = Settings.from_environment()
    given = {name: value for name, value in overrides.items() if value is not None}
    return settings.model_copy(update=given) if given else settings


def serve(*, host: str | None, port: int | None) -> None:
    """Run one HTTP server until a signal."""

    async def work() -> None:
        settings = settings_with(host=host, port=port)
        configure_telemetry(settings, "serve")
        listener = bind(settings.host, settings.port)
        async with open_app(settings, kind="serve") as app:
            with stopped_by_signals(app):
                tell(Event.PROCESS_STARTED, kind="serve", port=listener.getsockname()[1])
                await run_http(app, listener)

    run_async(work())
