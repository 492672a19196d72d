"""Standard input that can be ended from inside: a thread that waits for the client's next line hears no signal."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

_BYTES = 65536


def relay_stdin() -> Callable[[], None]:
    """Put a relay between the client and descriptor 0; return what makes its reader see the end of the input."""
    client = os.dup(0)
    ours, theirs = socket.socketpair()
    os.dup2(theirs.fileno(), 0, inheritable=False)
    theirs.close()

    def end() -> None:
        with suppress(OSError):
            ours.shutdown(socket.SHUT_WR)

    def carry() -> None:
        with suppress(OSError):
            while data := os.read(client, _BYTES):
                ours.sendall(data)
        end()

    # Nobody waits for it: the client may stay silent, and open, for as long as it likes.
    threading.Thread(target=carry, name="stdin", daemon=True).start()
    return end
