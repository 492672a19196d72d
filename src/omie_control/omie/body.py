"""Reading an answer's body under a cap, so that neither a flood nor a gzip bomb fills the memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BodyTooBig(Exception):
    """The body, as it would stand in memory, is over the cap."""


class BodyUnreadable(Exception):
    """The body is in an encoding that we did not ask for, or its compression is broken."""


async def read_capped(chunks: AsyncIterator[bytes], encoding: str, limit: int) -> tuple[bytes, int]:
    """Return the decoded body and its size on the wire. `encoding` is the Content-Encoding header."""
    inflate = _inflater(encoding.strip().lower())
    parts: list[bytes] = []
    held = on_wire = 0
    async for chunk in chunks:
        on_wire += len(chunk)
        part = _inflate(inflate, chunk, limit - held) if inflate is not None else chunk
        held += len(part)
        if held > limit:
            raise BodyTooBig
        parts.append(part)
    return b"".join(parts), on_wire


def _inflater(encoding: str) -> zlib._Decompress | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(_GZIP_OR_ZLIB)
    raise BodyUnreadable


def _inflate(inflate: zlib._Decompress, chunk: bytes, room: int) -> bytes:
    """Unpack at most one byte more than there is room for, which is enough to know that it is too much."""
    try:
        return inflate.decompress(chunk, room + 1)
    except zlib.error as exc:
        raise BodyUnreadable from exc
