"""The web application: routes, guards, and errors as pages or JSON. It serves what `App` gives it and no more."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omie_control.errors import ControlError, InvalidInput, NotFound, StorageDown, TooLarge, Unauthenticated
from omie_control.omie.webhooks import BODY_MAX_BYTES as EVENT_MAX_BYTES
from omie_control.services.pulse import Pulse
from omie_control.services.webhooks import PATH as WEBHOOKS
from omie_control.telemetry import Event, subscribe, tell
from omie_control.web import auth, health, live, metrics, webhooks, well_known
from omie_control.web.api import ROUTERS as API_ROUTERS
from omie_control.web.api.problems import http_problem, is_api, problem, unreadable
from omie_control.web.faults import body_of, headers_of, status_of
from omie_control.web.guard import Guard, allowed_hosts
from omie_control.web.live import Streams
from omie_control.web.metrics import Tally, registry_for
from omie_control.web.pages import account, configuration, entry, executions, identity, language, overview
from omie_control.web.rendering import render
from omie_control.web.secret_paths import shown
from omie_control.web.words import mark

if TYPE_CHECKING:
    from omie_control.app import App

_log = logging.getLogger("omie_control")
_STATIC = Path(__file__).parent / "static"
_ABOVE_THE_PAGE = {"HX-Retarget": "#aviso", "HX-Reswap": "innerHTML"}


class _KeptFiles(StaticFiles):
    """Static files, each kept by the browser for a year: their addresses change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.setdefault("Cache-Control", "public, max-age=31536000, immutable")
        return response


def build_web(app: App) -> FastAPI:
    """Build the web application around an open App. Its lifespan subscribes to telemetry and lets go again."""
    web = FastAPI(title="omie-control", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan)
    tally, streams = Tally(app), Streams()
    web.state.control = app
    web.state.bus = app.bus()
    web.state.pulse = Pulse(app.db.postgres, app.access)
    web.state.streams = streams
    web.state.tally = tally
    web.state.registry = registry_for(tally)
    pages = (overview, executions, configuration, language, account, entry, identity)
    for router in (auth, health, live, metrics, well_known, *pages):
        web.include_router(router.router)
    web.include_router(webhooks.router)
    for api_router in API_ROUTERS:
        web.include_router(api_router)
    web.mount("/static", _KeptFiles(directory=_STATIC), name="static")
    web.add_exception_handler(ControlError, _ours)
    web.add_exception_handler(HTTPException, _http)
    web.add_exception_handler(RequestValidationError, _invalid)
    web.add_middleware(_Net)
    hosts = allowed_hosts(app.settings.host, app.settings.public_url)
    web.add_middleware(Guard, hosts=hosts, public_url=app.settings.public_url, roomier={WEBHOOKS: EVENT_MAX_BYTES})
    return web


@asynccontextmanager
async def _lifespan(web: FastAPI) -> AsyncIterator[None]:
    unsubscribe: list[Callable[[], None]] = [subscribe(web.state.tally.hear), subscribe(web.state.streams.hear)]
    try:
        yield
    finally:
        web.state.streams.close()
        await web.state.bus.close()
        for leave in unsubscribe:
            leave()


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ControlError)
    if isinstance(error, Unauthenticated) and _wants_page(request):
        return _to_login(request)
    return _answer(request, error, status_of(error))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_api(request.scope["path"]):
        return http_problem(request, error)
    if error.status_code == 404:
        return _answer(request, NotFound(mark("Esta página não existe."), hint=mark("Confira o endereço.")), 404)
    if error.status_code == 413:
        return _answer(request, TooLarge(), 413)
    ours = ControlError(mark("O pedido não pôde ser atendido."), hint=mark("Confira o endereço e a forma do pedido."))
    return _answer(request, ours, error.status_code)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # The library's own text would repeat what was sent.
    if is_api(request.scope["path"]):
        return await _ours(request, unreadable(error))
    return await _ours(request, InvalidInput(mark("O pedido tem um campo que não é válido.")))


class _Net:
    """Catches what nobody foresaw, inside the guard, so that even this answer has its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as exc:
            tell(Event.REQUEST_FAILED, path=shown(scope["path"]), error=type(exc).__name__)
            _log.exception("request failed")
            if not has_begun:
                await _unexpected(Request(scope, receive))(scope, receive, send)


def _unexpected(request: Request) -> Response:
    ours = ControlError(
        mark("Algo deu errado aqui dentro."), hint=mark("O erro foi registrado. Tente de novo em instantes.")
    )
    return _answer(request, ours, 500)


def _answer(request: Request, error: ControlError, status: int) -> Response:
    """Shape an error for who asked: a page, a notice above a page that stays, JSON, or a problem of the API."""
    if is_api(request.scope["path"]):
        return problem(request, error, status)
    if not _wants_page(request):
        return JSONResponse(body_of(error), status, headers_of(error))
    since = request.app.state.control.db.postgres.down_since if isinstance(error, StorageDown) else None
    context, headers = {"error": error, "status": status, "since": since}, headers_of(error)
    if "hx-request" in request.headers:
        return render(request, "_trouble.html", context, status=status, headers={**headers, **_ABOVE_THE_PAGE})
    return render(request, "error.html", context, status=status, headers=headers)


def _wants_page(request: Request) -> bool:
    asks_for_one = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    return asks_for_one and not is_api(request.scope["path"])


def _to_login(request: Request) -> Response:
    if "hx-request" in request.headers:
        # A partial cannot show a form of its own: the whole page goes.
        return Response(status_code=204, headers={"HX-Redirect": "/entrar"})
    return RedirectResponse(auth.login_address(request), 303)
