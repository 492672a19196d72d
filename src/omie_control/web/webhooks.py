"""`POST /webhooks/omie/<secret>`: where Omie brings its events. No login: the address is the secret.

What is answered with 200 is committed; anything else makes Omie come again, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from omie_control.errors import InvalidInput
from omie_control.services.webhooks import PATH
from omie_control.web.auth import origin_of
from omie_control.web.faults import body_of

if TYPE_CHECKING:
    from omie_control.app import App

router = APIRouter()


@router.post(PATH + "{secret}", include_in_schema=False)
async def receive(request: Request, secret: str) -> JSONResponse:
    """Take one event or ping: 200 once it is committed, 400 for what is no event, 404 for an address that is none."""
    app: App = request.app.state.control
    inbox = app.services.webhook_inbox
    origin = origin_of(request, app.settings.trusted_proxies)
    address = await inbox.admit(secret, origin)
    if address is None:
        raise HTTPException(404)
    try:
        taken = await inbox.take(address, await request.body(), origin)
    except InvalidInput as error:
        return JSONResponse(body_of(error), 400)
    # After the answer: Omie waits for the commit, not for what we make of it.
    work = None if taken.id is None else BackgroundTask(inbox.apply_quietly)
    return JSONResponse({"received": True}, background=work)
