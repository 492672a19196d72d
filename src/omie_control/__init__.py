"""The control tower between AI agents and the Omie ERP.

Public names load when they are first used, so that importing the rules alone starts no server's code.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from omie_control.app import DatabaseManager as DatabaseManager
    from omie_control.app import ProcessController as ProcessController
    from omie_control.domain.executions import Execution as Execution
    from omie_control.mcp.control import control as control
    from omie_control.settings import Settings as Settings

_HOMES = {
    "DatabaseManager": "omie_control.app",
    "ProcessController": "omie_control.app",
    "Execution": "omie_control.domain.executions",
    "Settings": "omie_control.settings",
    "control": "omie_control.mcp.control",
}
__all__ = ["DatabaseManager", "Execution", "ProcessController", "Settings", "__version__", "control"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'omie_control' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
