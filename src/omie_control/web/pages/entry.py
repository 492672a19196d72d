"""The other ways in: the code of a second factor, and the link by which somebody sets a password of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from omie_control.errors import ControlError, InvalidInput, NotFound, Overloaded, StorageDown, Unauthenticated
from omie_control.web.auth import (
    PASSWORD_LONGEST,
    WAITING_COOKIE,
    cookie_name,
    is_own_form,
    let_in,
    local_path,
    origin_of,
    render_form,
)
from omie_control.web.words import mark

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter()
_CODE_MAX = 40


@router.get("/entrar/codigo", include_in_schema=False)
async def ask_for_code(request: Request, continuar: str = "/") -> Response:
    """Ask for the code of the second factor; without a login that waits for one, back to its beginning."""
    if cookie_name(request, WAITING_COOKIE) not in request.cookies:
        return RedirectResponse("/entrar", 303)
    return _code_form(request, continuar)


@router.post("/entrar/codigo", include_in_schema=False)
async def take_code(
    request: Request,
    code: Annotated[str, Form()] = "",
    csrf_token: Annotated[str, Form()] = "",
    continuar: Annotated[str, Form()] = "/",
) -> Response:
    """Check the code, open a session, go on."""
    app: App = request.app.state.control
    if not is_own_form(request, csrf_token):
        return _code_form(request, continuar, _expired())
    origin = origin_of(request, app.settings.trusted_proxies)
    invitations = app.services.invitations
    try:
        waiting = await invitations.waiting_login(request.cookies.get(cookie_name(request, WAITING_COOKIE), ""))
        user = await app.services.second_factors.verify(waiting.username, code[:_CODE_MAX], origin)
        await invitations.finish_login(waiting)
        await app.users.entered(user, origin)
        secret = await app.logins.open(user, origin)
    except (Unauthenticated, Overloaded, StorageDown) as error:
        return _code_form(request, continuar, error)
    return let_in(request, secret, continuar)


@router.get("/convite/{secret}", include_in_schema=False)
async def invitation(request: Request, secret: str) -> Response:
    """Show the form by which the holder of a one-time link sets a password."""
    app: App = request.app.state.control
    username = await app.services.invitations.named(secret)
    return render_form(request, "account/invitation.html", {"secret": secret, "username": username})


@router.post("/convite/{secret}", include_in_schema=False)
async def accept(
    request: Request,
    secret: str,
    password: Annotated[str, Form()] = "",
    csrf_token: Annotated[str, Form()] = "",
) -> Response:
    """Set the password; from here on it goes by the login form."""
    app: App = request.app.state.control
    username = await app.services.invitations.named(secret)
    error: ControlError
    try:
        if not is_own_form(request, csrf_token):
            raise _expired()
        origin = origin_of(request, app.settings.trusted_proxies)
        await app.services.invitations.accept(secret, password[:PASSWORD_LONGEST], origin)
    except NotFound:
        raise
    except (InvalidInput, StorageDown) as problem:
        error = problem
    else:
        return RedirectResponse("/entrar", 303)
    return render_form(request, "account/invitation.html", {"secret": secret, "username": username}, error)


def _code_form(request: Request, continuar: str, error: ControlError | None = None) -> Response:
    return render_form(request, "account/code.html", {"continuar": local_path(continuar)}, error)


def _expired() -> InvalidInput:
    return InvalidInput(mark("O formulário expirou."), hint=mark("Envie de novo."))
