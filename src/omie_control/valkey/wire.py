"""Commands as bytes. The client's own pipeline costs about ten microseconds a command; this costs one."""

from __future__ import annotations

SILENCE = b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n"
SPEAK = b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n"
PING = b"*1\r\n$4\r\nPING\r\n"
ASKING = b"*1\r\n$6\r\nASKING\r\n"


def pack(*parts: bytes) -> bytes:
    """Encode any command."""
    head = b"*%d\r\n" % len(parts)
    return head + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


def setex(key: bytes, seconds: int, value: bytes) -> bytes:
    """Encode SETEX, the hot one, without a loop."""
    span = b"%d" % seconds
    return b"*4\r\n$5\r\nSETEX\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
        len(key),
        key,
        len(span),
        span,
        len(value),
        value,
    )


def key_of(command: bytes) -> bytes:
    """Return the first argument of an encoded command: its key, or its channel."""
    _, _, _, length, rest = command.split(b"\r\n", 4)
    return rest[: int(length[1:])]
