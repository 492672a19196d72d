"""The last look before a write leaves: whoever was taken for dead meanwhile must not send it any more.

A process that was frozen, asleep or cut off from PostgreSQL wakes in the middle of its way to Omie. By then a rescue
may have ended its execution, a look-up may have found the write undone, and its key may be another's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from omie_control.errors import Conflict
from omie_control.postgres import idempotency as store
from omie_control.postgres.database import Postgres
from omie_control.services.recording import Handle

# A rescue needs twenty seconds of silence, and "not carried out" two look-ups a minute apart: a look that is this
# young is still true for whatever leaves now.
GOOD_FOR_SECONDS = 20.0


class Fence:
    """Looks whether an execution still stands as its process believes."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def passed(self, handle: Handle) -> Callable[[], bool]:
        """Return what says, at the very wire, whether this look is young enough to send a write by.

        Raises Conflict when somebody has ended the execution; StorageDown.
        """
        began, began_at = time.monotonic(), time.time()
        async with self._postgres.transaction() as tx:
            runs = await store.still_runs(tx, handle.id, handle.attempt)
        if not runs:
            raise Conflict(
                "Este processo ficou parado ou sem o banco de dados, e a execução já foi dada por encerrada.",
                hint="Nada foi enviado ao Omie; chame de novo com os mesmos dados.",
                code="execucao_encerrada",
                execution_id=handle.execution_id,
            )
        # The one clock stands still while a machine sleeps, the other may be set back: the longer one counts.
        return lambda: max(time.monotonic() - began, time.time() - began_at) < GOOD_FOR_SECONDS
