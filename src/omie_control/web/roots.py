"""The address of this server as whoever asks knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request

if TYPE_CHECKING:
    from omie_control.app import App


def root_of(request: Request) -> str:
    """Return the public address, or the one asked for (the guard has looked at its host), without a last slash."""
    app: App = request.app.state.control
    return (app.settings.public_url or str(request.base_url)).rstrip("/")
