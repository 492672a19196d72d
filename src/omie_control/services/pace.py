"""How fast one token may go on: a bucket that fills evenly, so that a burst passes and a flood does not.

Counted in each process by itself; with several, a token may go on as many times as fast.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from time import monotonic

from omie_control.domain.actors import Actor
from omie_control.domain.configuration import DEFAULTS, TOKEN_PACE, Values
from omie_control.domain.executions import Origin
from omie_control.errors import Overloaded
from omie_control.postgres.database import Postgres
from omie_control.services.audit_samples import Samples

# What a bucket holds, in seconds of its pace.
BURST_SECONDS = 10.0
_KNOWN_MAX = 4096


class Pace:
    """Takes one drop a request. `per_second` is asked each time, `clock` tells seconds."""

    def __init__(
        self,
        per_second: Callable[[], float],
        burst_seconds: float = BURST_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._per_second = per_second
        self._burst_seconds = burst_seconds
        self._clock = clock
        # By who asks: what is left, and as of when; whoever asked longest ago comes first.
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, who: Hashable) -> float:
        """Take a drop; return 0, or in how many seconds there will be one. A refusal takes none."""
        now, per_second = self._clock(), self._per_second()
        burst = per_second * self._burst_seconds
        left, at = self._left.pop(who, (burst, now))
        left = min(burst, left + (now - at) * per_second)
        wait = 0.0 if left >= 1 else (1 - left) / per_second
        self._left[who] = (left - 1 if wait == 0 else left, now)
        while len(self._left) > _KNOWN_MAX:
            self._left.popitem(last=False)
        return wait


class TokenPace:
    """The pace of every token in this process, whichever face it was shown to: REST and MCP share one bucket."""

    def __init__(self, postgres: Postgres, *, configuration: Values = DEFAULTS) -> None:
        self.pace = Pace(lambda: float(configuration.get(TOKEN_PACE)))
        self._samples = Samples(postgres)

    async def admit(self, actor: Actor, origin: Origin) -> None:
        """Let a request of a token pass. Raises Overloaded with when to come back, and keeps that by sample.

        Who came without a token (no id) is never held up.
        """
        if actor.id is None:
            return
        wait = self.pace.take(actor.id)
        if not wait:
            return
        await self._samples.refused(
            actor.id, actor, "token.throttled", object_type="token", object_id=str(actor.id), origin=origin
        )
        raise Overloaded(
            "Este token fez pedidos demais em pouco tempo.",
            hint="Espere esse tempo e siga mais devagar.",
            code="muitos_pedidos",
            until=datetime.now(UTC) + timedelta(seconds=wait),
        )
