"""The methods that are simulated, a file a service; what is not here answers that it is not simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from omie_control.simulator.families import clientes
from omie_control.simulator.world import Desk, Record

Handler = Callable[[Desk, Record], dict[str, Any]]

HANDLERS: Mapping[str, Handler] = {
    family.PATH + call: handler for family in (clientes,) for call, handler in family.HANDLERS.items()
}
