"""Who calls over HTTP: one of our own tokens, one of the company's identity provider, or nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from fastmcp.server.auth import AccessToken, TokenVerifier
from fastmcp.server.dependencies import get_http_request
from pydantic import Field

from omie_control.domain.actors import Actor
from omie_control.domain.executions import Origin
from omie_control.mcp.origin import origin_of_request, trusted_networks


class Bearers(Protocol):
    """What the verifier needs of `services.bearers`."""

    async def verify(self, text: str, origin: Origin | None = None) -> Actor | None:
        """Return whom a token stands for, or None."""
        ...


class ControlToken(AccessToken):
    """A verified token, ours or the provider's. The type is the proof: no claim can imitate it."""

    actor: Actor = Field(exclude=True, repr=False)


class ControlVerifier(TokenVerifier):
    """Lets our own tokens in, and those of the identity provider; anything else gets 401 from FastMCP."""

    def __init__(self, bearers: Bearers, trusted_proxies: Iterable[str] = ()) -> None:
        super().__init__()
        self._bearers = bearers
        self._trusted = trusted_networks(trusted_proxies)

    async def verify_token(self, token: str) -> ControlToken | None:
        """Return the token with its actor, or None.

        Raises StorageDown when nobody can tell, Overloaded for an address that has guessed too often.
        """
        actor = await self._bearers.verify(token, self._origin())
        if actor is None:
            return None
        return ControlToken(
            # Kept for nothing but FastMCP's own bookkeeping, so not in the clear.
            token="•••",  # noqa: S106
            client_id=actor.label,
            subject=actor.label,
            scopes=[actor.role.value],
            claims={"actor": actor.label, "role": actor.role.value},
            actor=actor,
        )

    def _origin(self) -> Origin | None:
        try:
            return origin_of_request(get_http_request(), self._trusted)
        except RuntimeError:
            # Asked outside of any request: only a token that holds from anywhere passes.
            return None
