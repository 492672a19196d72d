"""The one place that wires: `DatabaseManager`, `ProcessController` and, for our own faces, `open_app()`."""

from omie_control.app.controller import ProcessController, Track
from omie_control.app.database import DatabaseManager
from omie_control.app.declarations import Declaration
from omie_control.app.wiring import App, open_app

__all__ = ["App", "DatabaseManager", "Declaration", "ProcessController", "Track", "open_app"]
