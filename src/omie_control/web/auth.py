"""Who looks at a page: the login form, the session cookie, the CSRF token of every form."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from omie_control.domain.actors import Actor
from omie_control.domain.executions import Origin
from omie_control.domain.networks import caller_address, trusted_networks
from omie_control.errors import ControlError, Forbidden, InvalidInput, Overloaded, StorageDown, Unauthenticated
from omie_control.web.faults import headers_of, status_of
from omie_control.web.rendering import has_query, page_of, render
from omie_control.web.words import mark

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.logins import Logins

SESSION_COOKIE = "omie_control_sessao"
FORM_COOKIE = "omie_control_formulario"
# Somebody whose password was right and who still owes the code of their second factor.
WAITING_COOKIE = "omie_control_espera"
WAITING_SECONDS = 300
# The longest that browsers keep a cookie. When a session ends is decided here: `login.hours` after its last use,
# `login.days` after it began.
SESSION_SECONDS = 400 * 24 * 3600
_FORM_SECONDS = 3600
_USERNAME_MAX = 100
PASSWORD_LONGEST = 1_000

router = APIRouter()
_networks = lru_cache(trusted_networks)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person whose session was just verified."""

    actor: Actor
    csrf_token: str
    logins: Logins
    secret: str

    async def asked_again(self) -> Actor | None:
        """Return who the session stands for now, with the role and companies of now; None when for nobody any more."""
        login = await self.logins.verify(self.secret)
        return None if login is None else login.actor


async def find_visitor(request: Request) -> Visitor | None:
    """Return who the cookie stands for, or None."""
    app: App = request.app.state.control
    secret = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    if not secret:
        return None
    login = await app.logins.verify(secret)
    return Visitor(login.actor, login.csrf_token, app.logins, secret) if login is not None else None


async def require_visitor(request: Request) -> Visitor:
    """Return the visitor. Raises Unauthenticated, which a page turns into the login form."""
    visitor = await find_visitor(request)
    if visitor is None:
        raise Unauthenticated(mark("A sua sessão terminou."), hint=mark("Entre de novo."))
    request.state.visitor = visitor
    return visitor


def require_csrf(visitor: Visitor, token: str) -> None:
    """Raise Forbidden unless a form carries its session's own token."""
    if not secrets.compare_digest(visitor.csrf_token.encode(), token.encode()):
        raise Forbidden(mark("Este formulário não vale mais."), hint=mark("Recarregue a página e tente de novo."))


def local_path(target: str | None) -> str:
    """Return a path of our own to go on to; anything that could lead elsewhere becomes the first page."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    parts = urlsplit(target)
    has_surprise = any(ord(letter) < 32 or letter == "\\" for letter in target)
    return "/" if parts.scheme or parts.netloc or has_surprise or parts.path == "/entrar" else target


def login_address(request: Request) -> str:
    """Name the login form that comes back to this page: after a form, to the page that it stands on."""
    query = f"?{request.url.query}" if has_query(request) else ""
    here = page_of(request) + query
    return "/entrar" if here == "/" else f"/entrar?continuar={quote(here, safe='/')}"


@router.get("/entrar", include_in_schema=False)
async def form(request: Request, continuar: str = "/") -> Response:
    """Show the login form; who is in already goes on."""
    if await find_visitor(request) is not None:
        return RedirectResponse(local_path(continuar), 303)
    return login_form(request, continuar)


@router.post("/entrar", include_in_schema=False)
async def enter(
    request: Request,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    csrf_token: Annotated[str, Form()] = "",
    continuar: Annotated[str, Form()] = "/",
) -> Response:
    """Check username and password, open a session, go on."""
    app: App = request.app.state.control
    if not is_own_form(request, csrf_token):
        return login_form(
            request, continuar, InvalidInput(mark("O formulário expirou."), hint=mark("Envie de novo.")), username
        )
    origin = origin_of(request, app.settings.trusted_proxies)
    try:
        user = await app.users.authenticate(username[:_USERNAME_MAX], password[:PASSWORD_LONGEST], origin)
        if user.has_totp:
            return ask_for_code(request, await app.services.invitations.begin_login(user), continuar)
        secret = await app.logins.open(user, origin)
    except (Unauthenticated, InvalidInput, Overloaded, StorageDown) as error:
        return login_form(request, continuar, error, username)
    return let_in(request, secret, continuar)


def let_in(request: Request, secret: str, continuar: str) -> Response:
    """Give the cookie of a session that was just opened, and go on."""
    response = RedirectResponse(local_path(continuar), 303)
    set_cookie(request, response, SESSION_COOKIE, secret, SESSION_SECONDS)
    for name in (FORM_COOKIE, WAITING_COOKIE):
        forget_cookie(request, response, name)
    return response


def is_own_form(request: Request, csrf_token: str) -> bool:
    """Say whether a form of somebody who is not in yet carries the token that we gave its browser."""
    expected = request.cookies.get(cookie_name(request, FORM_COOKIE), "")
    return bool(expected) and secrets.compare_digest(expected.encode(), csrf_token.encode())


def render_form(
    request: Request, template: str, context: Mapping[str, object], error: ControlError | None = None
) -> Response:
    """Show a form to somebody who is not in yet, with its token also in a cookie."""
    token = request.cookies.get(cookie_name(request, FORM_COOKIE)) or secrets.token_urlsafe(24)
    status = 200 if error is None else status_of(error)
    shown = {"csrf_token": token, "error": error, **context}
    response = render(request, template, shown, status=status, headers=headers_of(error) if error else None)
    set_cookie(request, response, FORM_COOKIE, token, _FORM_SECONDS)
    return response


def ask_for_code(request: Request, waiting: str, continuar: str) -> Response:
    """Send somebody who was recognised, by a password or the identity provider, on to their second factor."""
    target = local_path(continuar)
    response = RedirectResponse(f"/entrar/codigo?continuar={quote(target, safe='/')}", 303)
    set_cookie(request, response, WAITING_COOKIE, waiting, WAITING_SECONDS)
    return response


@router.post("/sair", include_in_schema=False)
async def leave(request: Request, csrf_token: Annotated[str, Form()] = "") -> Response:
    """End the session."""
    app: App = request.app.state.control
    visitor = await find_visitor(request)
    if visitor is not None:
        require_csrf(visitor, csrf_token)
        await app.logins.end(visitor.secret)
    response = RedirectResponse("/entrar", 303)
    forget_cookie(request, response, SESSION_COOKIE)
    return response


def origin_of(request: Request, trusted_proxies: tuple[str, ...]) -> Origin:
    """Say where a request came from, believing X-Forwarded-For only from a trusted proxy."""
    peer = request.client.host if request.client else None
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    address = caller_address(peer, forwarded, _networks(trusted_proxies))
    return Origin("web", (request.headers.get("user-agent") or "")[:500] or None, address)


def login_form(request: Request, continuar: str, error: ControlError | None = None, username: str = "") -> Response:
    """Show the login form, with what went wrong."""
    app: App = request.app.state.control
    return render_form(
        request,
        "login.html",
        {
            "continuar": local_path(continuar),
            "username": username[:_USERNAME_MAX],
            "by_provider": app.services.identity_logins.is_offered,
        },
        error,
    )


def forget_cookie(request: Request, response: Response, name: str) -> None:
    """Have the browser drop a cookie: one named `__Host-` it drops only when told as it was set, over HTTPS."""
    response.delete_cookie(
        cookie_name(request, name), path="/", secure=_is_secure(request), httponly=True, samesite="lax"
    )


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Give a cookie that no script reads and no other site sends along."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )


def _is_secure(request: Request) -> bool:
    app: App = request.app.state.control
    return bool(app.settings.public_url and app.settings.public_url.startswith("https:"))


def cookie_name(request: Request, name: str) -> str:
    """Name a cookie as this installation does."""
    # The prefix makes the browser refuse a cookie of this name from a sister domain or over plain HTTP.
    return f"__Host-{name}" if _is_secure(request) else name
