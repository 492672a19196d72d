"""Who calls the API: a token in `Authorization: Bearer`, ours or the identity provider's, or nobody.

Asked before anything else is read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from omie_control.domain.actors import Actor
from omie_control.errors import Overloaded, Unauthenticated
from omie_control.services.audit_samples import Samples
from omie_control.web.api.pace import Pace
from omie_control.web.auth import origin_of

if TYPE_CHECKING:
    from omie_control.app import App

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="Um token do omie-control (`omie-control token create`), ou um do provedor de identidade da empresa.",
)


class Entrance:
    """The state of the API in one process: how fast each token goes, and the refusals already kept."""

    def __init__(self, app: App, pace: Pace | None = None) -> None:
        self._app = app
        self.pace = pace or Pace()
        self._samples = Samples(app.db.postgres)

    async def admit(self, request: Request, text: str | None) -> Actor:
        """Return whose token this is. Raises Unauthenticated, Overloaded for one that comes too often, StorageDown."""
        origin = origin_of(request, self._app.settings.trusted_proxies)
        actor = None if text is None else await self._app.services.bearers.verify(text, origin)
        if actor is None:
            raise Unauthenticated
        wait = self.pace.take(actor.id)
        if wait:
            await self._samples.refused(
                actor.id, actor, "token.throttled", object_type="token", object_id=str(actor.id), origin=origin
            )
            raise Overloaded(
                "Este token fez pedidos demais em pouco tempo.",
                hint="Espere o tempo de Retry-After e siga mais devagar.",
                code="muitos_pedidos",
                until=datetime.now(UTC) + timedelta(seconds=wait),
            )
        return actor


async def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Actor:
    """Return the actor of this request."""
    entrance: Entrance = request.app.state.entrance
    return await entrance.admit(request, None if given is None else given.credentials.strip())


Caller = Annotated[Actor, Depends(caller)]
