"""Addresses that open something by themselves: what a log may say of them."""

from __future__ import annotations

from omie_control.services.webhooks import PATH as WEBHOOKS

_OPENING = (WEBHOOKS, "/convite/")


def shown(path: str) -> str:
    """Return a path as it may be written down: without the secret that it ends in."""
    for prefix in _OPENING:
        if path.startswith(prefix):
            return f"{prefix}•••"
    return path
