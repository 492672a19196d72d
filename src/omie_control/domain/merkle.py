"""Merkle trees as RFC 6962 builds them: one root that stands for every leaf and for their order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

EMPTY_ROOT = hashlib.sha256(b"").digest()
_LEAF, _NODE = b"\x00", b"\x01"


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root (32 bytes) over leaves in their order; of none, the hash of nothing."""
    sha256 = hashlib.sha256
    level = [sha256(_LEAF + leaf).digest() for leaf in leaves]
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        above = [sha256(_NODE + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            # The odd one out goes up as it is: the same tree as RFC 6962's split at powers of two.
            above.append(level[-1])
        level = above
    return level[0]
