"""To which errand a call belongs: the one it names, else the one its actor has open."""

from __future__ import annotations

from dataclasses import replace

from omie_control.domain.errands import is_errand_name
from omie_control.domain.executions import Origin
from omie_control.errors import StorageDown
from omie_control.mcp.control import Group
from omie_control.mcp.traits import Traits
from omie_control.services.errands import Errands
from omie_control.services.recording import Request


def grouping(errands: Errands) -> Group:
    """Make the part of `control()` that finds a call's errand."""

    async def group(request: Request, traits: Traits) -> Origin:
        """Return the origin with its errand. A named one must be open for calls to Omie; other labels just group."""
        origin = request.origin
        if origin.errand is not None and is_errand_name(origin.errand):
            if traits.calls_omie:
                await errands.joined(request.actor, origin.errand)
            return origin
        try:
            current = await errands.current(request.actor, origin.session_id)
        except StorageDown:
            # The start of the execution is about to find out as well, and says it better.
            return origin
        return origin if current is None else replace(origin, joined=current.name)

    return group
