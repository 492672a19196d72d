"""Entering by the company's identity provider: the way there, and the way back with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from omie_control.errors import Forbidden, NotFound, Overloaded, StorageDown, Unauthenticated
from omie_control.services.identity_logins import LOGIN_SECONDS
from omie_control.web.auth import (
    ask_for_code,
    cookie_name,
    find_visitor,
    forget_cookie,
    let_in,
    local_path,
    login_form,
    origin_of,
    set_cookie,
)
from omie_control.web.roots import root_of
from omie_control.web.words import mark

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.identity_logins import Arrival

router = APIRouter()
# What this browser began a login with, sealed.
IDENTITY_COOKIE = "omie_control_identidade"
RETURN = "/entrar/oidc/volta"
_REFUSALS = (Unauthenticated, Forbidden, Overloaded, StorageDown)


@router.get("/entrar/oidc", include_in_schema=False)
async def leave_for_provider(request: Request, continuar: str = "/") -> Response:
    """Send the browser to the identity provider; who is in already goes on."""
    app = _app(request)
    if await find_visitor(request) is not None:
        return RedirectResponse(local_path(continuar), 303)
    origin = origin_of(request, app.settings.trusted_proxies)
    try:
        departure = await app.services.identity_logins.begin(local_path(continuar), root_of(request) + RETURN, origin)
    except _REFUSALS as error:
        return login_form(request, continuar, error)
    response = RedirectResponse(departure.address, 303)
    set_cookie(request, response, IDENTITY_COOKIE, departure.cookie, LOGIN_SECONDS)
    return response


@router.get(RETURN, include_in_schema=False)
async def come_back(request: Request) -> Response:
    """Take the provider's answer, open a session, go on to where one wanted to."""
    app = _app(request)
    cookie = request.cookies.get(cookie_name(request, IDENTITY_COOKIE))
    origin = origin_of(request, app.settings.trusted_proxies)
    try:
        # Of a name that comes twice, the last counts everywhere below.
        arrival = await app.services.identity_logins.finish(cookie, dict(request.query_params), origin)
        response = await _welcome(request, arrival)
    except _REFUSALS as error:
        response = login_form(request, "/", error)
    forget_cookie(request, response, IDENTITY_COOKIE)
    return response


async def _welcome(request: Request, arrival: Arrival) -> Response:
    app = _app(request)
    if arrival.user.has_totp:
        return ask_for_code(request, await app.services.invitations.begin_login(arrival.user), arrival.target)
    origin = origin_of(request, app.settings.trusted_proxies)
    return let_in(request, await app.logins.open(arrival.user, origin), arrival.target)


def _app(request: Request) -> App:
    app: App = request.app.state.control
    if not app.services.identity_logins.is_offered:
        raise NotFound(mark("Esta página não existe."), hint=mark("Confira o endereço."))
    return app
