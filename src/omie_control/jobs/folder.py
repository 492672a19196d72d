"""The folder: deltas of all processes become roll-ups, by one folder at a time."""

from __future__ import annotations

from omie_control.app import App
from omie_control.postgres import rollups
from omie_control.telemetry import Event, tell


async def fold(app: App) -> None:
    """Fold what gathered since the last turn, a piece at a time."""
    folded = rollups.AT_ONCE
    while folded == rollups.AT_ONCE:
        async with app.db.postgres.transaction() as tx:
            folded = await rollups.fold(tx, app.settings.zone)
        if folded:
            tell(Event.ROLLUPS_FOLDED, deltas=folded)
