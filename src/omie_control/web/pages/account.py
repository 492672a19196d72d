"""`/conta`: one's own password, second factor and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from omie_control.domain.executions import Origin
from omie_control.errors import ControlError
from omie_control.web.auth import PASSWORD_LONGEST, Visitor, origin_of, require_csrf, require_visitor
from omie_control.web.faults import headers_of, status_of
from omie_control.web.rendering import render

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.second_factors import Enrolment

router = APIRouter()
_CODE_MAX = 40
Token = Annotated[str, Form()]


@router.get("/conta", include_in_schema=False)
async def show(request: Request) -> Response:
    """Show one's own account."""
    return await _page(request, await require_visitor(request))


@router.post("/conta/senha", include_in_schema=False)
async def change_password(
    request: Request,
    current: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    csrf_token: Token = "",
) -> Response:
    """Change the password; all sessions end, also this one."""
    visitor, app = await _own(request, csrf_token)
    try:
        await app.users.change_own_password(
            visitor.actor, current[:PASSWORD_LONGEST], password[:PASSWORD_LONGEST], _origin(request)
        )
    except ControlError as error:
        return await _page(request, visitor, error=error)
    return RedirectResponse("/entrar", 303)


@router.post("/conta/sessoes/{session_id}/encerrar", include_in_schema=False)
async def end_session(request: Request, session_id: UUID, csrf_token: Token = "") -> Response:
    """End one of one's own sessions."""
    visitor, app = await _own(request, csrf_token)
    await app.logins.end_other(visitor.actor, session_id)
    return RedirectResponse("/conta", 303)


@router.post("/conta/segundo-fator", include_in_schema=False)
async def begin(request: Request, current: Annotated[str, Form()] = "", csrf_token: Token = "") -> Response:
    """Show the secret for the phone, once the password was said again."""
    visitor, app = await _own(request, csrf_token)
    try:
        await app.users.require_password_of(visitor.actor, current[:PASSWORD_LONGEST], _origin(request))
        enrolment = await app.services.second_factors.begin(visitor.actor, visitor.actor.name)
    except ControlError as error:
        return await _page(request, visitor, error=error)
    return await _page(request, visitor, enrolment=enrolment)


@router.post("/conta/segundo-fator/confirmar", include_in_schema=False)
async def confirm(request: Request, code: Annotated[str, Form()] = "", csrf_token: Token = "") -> Response:
    """Put the second factor in force by its first code, and show the recovery codes this once."""
    visitor, app = await _own(request, csrf_token)
    try:
        codes = await app.services.second_factors.confirm(
            visitor.actor, visitor.actor.name, code[:_CODE_MAX], _origin(request)
        )
    except ControlError as error:
        return await _page(request, visitor, error=error, is_waiting=True)
    return await _page(request, visitor, codes=codes)


@router.post("/conta/segundo-fator/desligar", include_in_schema=False)
async def remove(request: Request, code: Annotated[str, Form()] = "", csrf_token: Token = "") -> Response:
    """Turn the second factor off, for whoever still has it."""
    visitor, app = await _own(request, csrf_token)
    factors = app.services.second_factors
    try:
        await factors.verify(visitor.actor.name, code[:_CODE_MAX], _origin(request))
        await factors.remove(visitor.actor, visitor.actor.name)
    except ControlError as error:
        return await _page(request, visitor, error=error)
    return RedirectResponse("/conta", 303)


async def _own(request: Request, csrf_token: str) -> tuple[Visitor, App]:
    visitor = await require_visitor(request)
    require_csrf(visitor, csrf_token)
    app: App = request.app.state.control
    return visitor, app


def _origin(request: Request) -> Origin:
    app: App = request.app.state.control
    return origin_of(request, app.settings.trusted_proxies)


async def _page(
    request: Request,
    visitor: Visitor,
    *,
    error: ControlError | None = None,
    enrolment: Enrolment | None = None,
    codes: list[str] | None = None,
    is_waiting: bool = False,
) -> Response:
    app: App = request.app.state.control
    login = await app.logins.verify(visitor.secret)
    user_id = visitor.actor.id
    context = {
        "sessions": await app.logins.list(visitor.actor),
        "here_session": None if login is None else login.id,
        "has_totp": login is not None and login.user.has_totp,
        "codes_left": 0 if user_id is None else await app.services.second_factors.recovery_left(user_id),
        "error": error,
        "enrolment": enrolment,
        # Drawn here: the secret leaves for no picture of its own, and lies in no cache.
        "qr": None if enrolment is None else Markup(segno.make(enrolment.uri).svg_inline(scale=5)),  # noqa: S704 - drawn by us
        "codes": codes,
        "is_waiting": is_waiting or enrolment is not None,
    }
    status = 200 if error is None else status_of(error)
    # Nobody is thrown out for a wrong word on a page that they may see.
    status = 422 if status == 401 else status
    headers = None if error is None else headers_of(error)
    return render(request, "account/show.html", context, status=status, headers=headers)
