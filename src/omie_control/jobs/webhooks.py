"""Webhooks that were taken and not applied: whoever took them died, or the cache was away."""

from __future__ import annotations

from omie_control.app import App


async def apply(app: App) -> None:
    """Apply every event that waits."""
    await app.services.webhook_inbox.apply()
