"""The partition maker: the months to come always have their partitions before the first row of theirs."""

from __future__ import annotations

from omie_control.app import App
from omie_control.postgres import partitions
from omie_control.telemetry import Event, tell


async def make_partitions(app: App) -> None:
    """Make the partitions of this month and the next three."""
    async with app.db.postgres.transaction() as tx:
        made = await partitions.make_ahead(tx)
    if made:
        tell(Event.PARTITIONS_MADE, count=made)
