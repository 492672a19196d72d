"""Who calls the API: a token in `Authorization: Bearer`, ours or the identity provider's, or nobody.

Asked before anything else is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from omie_control.domain.actors import Actor
from omie_control.errors import Unauthenticated
from omie_control.web.auth import origin_of

if TYPE_CHECKING:
    from omie_control.app import App

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="Um token do omie-control (`omie-control token create`), ou um do provedor de identidade da empresa.",
)


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Actor:
    """Return the actor of this request. Raises Unauthenticated, Overloaded for who comes too often, StorageDown."""
    app: App = request.app.state.control
    origin = origin_of(request, app.settings.trusted_proxies)
    actor = None if given is None else await app.services.bearers.verify(given.credentials.strip(), origin)
    if actor is None:
        raise Unauthenticated
    await app.services.token_pace.admit(actor, origin)
    return actor


Caller = Annotated[Actor, Depends(caller)]
