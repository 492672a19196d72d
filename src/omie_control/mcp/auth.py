"""Who calls over HTTP: one of our own tokens, or nobody."""

from __future__ import annotations

from typing import Protocol

from fastmcp.server.auth import AccessToken, TokenVerifier
from pydantic import Field

from omie_control.domain.actors import Actor


class Tokens(Protocol):
    """What the verifier needs of `services.tokens`."""

    async def verify(self, text: str) -> Actor | None:
        """Return whose token this is, or None."""
        ...


class ControlToken(AccessToken):
    """A verified token of ours. The type is the proof: no claim of somebody else's token can imitate it."""

    actor: Actor = Field(exclude=True, repr=False)


class ControlVerifier(TokenVerifier):
    """Lets our own tokens in; anything else gets 401 from FastMCP."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    async def verify_token(self, token: str) -> ControlToken | None:
        """Return the token with its actor, or None. Raises StorageDown when nobody can tell."""
        actor = await self._tokens.verify(token)
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
