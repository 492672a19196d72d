"""The control as people see it: server-made pages that re-read the truth whenever the bus hints at a change."""

from omie_control.web.server import build_web

__all__ = ["build_web"]
