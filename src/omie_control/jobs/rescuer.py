"""The rescuer: what a dead process left running gets its end, so that nothing stays `running` for ever.

Processes that are long gone are forgotten.
"""

from __future__ import annotations

from omie_control.app import App


async def rescue(app: App) -> None:
    """End the executions of instances that went silent."""
    await app.db.instance.rescue()


async def forget(app: App) -> None:
    """Forget instances that are long gone."""
    await app.db.instance.forget()
