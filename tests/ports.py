"""Ports of this machine that stay a test's own: nobody else is given them between asking and use."""

from __future__ import annotations

import socket


def reserved() -> socket.socket:
    """Bind a free port of loopback without listening: who shares addresses may listen there, as every server does.

    Until it is closed, nobody else gets the port; a connection to it is refused while no server listens.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def port_of(held: socket.socket) -> int:
    """Return the port of a bound socket."""
    return int(held.getsockname()[1])
