"""Taking a port: before anything else starts, and with a clear word when it is not free."""

from __future__ import annotations

import errno
import socket

import psutil

from omie_control.errors import Conflict, ControlError, InvalidInput


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts.

    Raises Conflict that names the port and who has it, InvalidInput for an address or a port that is not ours to take.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Named, because asyncio switches Nagle's wait off (40 ms an answer) only for sockets that say TCP.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as exc:
        raise _not_here(host) from exc
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise _refused(host, port, exc) from exc
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def _refused(host: str, port: int, exc: OSError) -> ControlError:
    another = "escolha outra porta: --port 8001 (ou OMIE_CONTROL_PORT)."
    match exc.errno:
        case errno.EADDRNOTAVAIL:
            return _not_here(host)
        case errno.EACCES | errno.EPERM:
            return InvalidInput(
                f"Esta conta do sistema não pode escutar na porta {port}.",
                hint=f"Rode com uma conta que possa, ou {another}",
            )
        case _:
            return Conflict(
                f"A porta {port} de {host} não está livre{_holder(port)}.", hint=f"Encerre esse programa ou {another}"
            )


def _not_here(host: str) -> InvalidInput:
    return InvalidInput(f"O endereço '{host}' não existe nesta máquina.", hint="Confira OMIE_CONTROL_HOST ou --host.")


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr
            if connection.status == psutil.CONN_LISTEN and here and here[1] == port and connection.pid:
                return f": o processo {connection.pid} ({psutil.Process(connection.pid).name()}) escuta nela"
    except (psutil.Error, OSError):
        return ""
    return ""
