"""Who a bearer token stands for, whichever face it was shown to: one of ours, or one of the identity provider."""

from __future__ import annotations

from dataclasses import dataclass

from omie_control.domain.actors import Actor
from omie_control.domain.executions import Origin
from omie_control.services.identities import Identities
from omie_control.services.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Bearers:
    """The one place that decides; MCP, REST and metrics ask it."""

    tokens: Tokens
    identities: Identities

    @property
    def issuer(self) -> str | None:
        """The identity provider whose tokens are taken, or None."""
        return None if self.identities.issuer is None else self.identities.issuer.issuer

    async def verify(self, text: str, origin: Origin | None = None) -> Actor | None:
        """Return whom a token stands for, or None.

        Raises StorageDown when nobody can tell, Overloaded for an address that has guessed too often.
        """
        # A token of ours has no dot; one of a provider has two.
        if self.issuer is not None and "." in text:
            return await self.identities.verify(text, origin)
        return await self.tokens.verify(text, origin)
