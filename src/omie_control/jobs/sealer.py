"""The sealer: what ended or happened gets its place in the chain of seals, by one sealer at a time."""

from __future__ import annotations

from omie_control.app import App


async def seal(app: App) -> None:
    """Seal everything that waits."""
    await app.services.seals.turn()
