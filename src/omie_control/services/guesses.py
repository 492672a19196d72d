"""How often an address came with a text that is no token: in this process, within a minute."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from omie_control.domain.networks import Address
from omie_control.errors import Overloaded

GUESSES_A_MINUTE = 60
_ADDRESSES_MAX = 4096
_MINUTE = 60.0


class Guesses:
    """Counts wrong texts by address; bounded, and silent about callers without one."""

    def __init__(
        self,
        message: str = "Muitas tentativas com tokens que não valem.",
        hint: str = "Espere um minuto e confira o token.",
    ) -> None:
        self._message = message
        self._hint = hint
        self._counted: dict[Address, tuple[float, int]] = {}

    def require_patience(self, address: Address | None) -> None:
        """Raise Overloaded, with the instant when to come again, for an address that has guessed too often."""
        since, count = self._counted.get(address, (0.0, 0)) if address is not None else (0.0, 0)
        left = since + _MINUTE - time.monotonic()
        if count >= GUESSES_A_MINUTE and left > 0:
            raise Overloaded(
                self._message,
                hint=self._hint,
                code="muitas_tentativas",
                until=datetime.now(UTC) + timedelta(seconds=left),
            )

    def count(self, address: Address | None) -> None:
        """Count a wrong text. Raises Overloaded for one too many."""
        if address is None:
            return
        self.require_patience(address)
        now = time.monotonic()
        since, count = self._counted.pop(address, (now, 0))
        while len(self._counted) >= _ADDRESSES_MAX:
            self._counted.pop(next(iter(self._counted)))
        self._counted[address] = (since, count + 1) if now - since < _MINUTE else (now, 1)
