"""Python's garbage collector in a process that serves: it looks at what calls leave behind, not at what startup loaded.

A full collection walks every object of the process, and an installation's tools and models are some 170,000 of them:
0.1 s in which nobody is served, brought on by the ordinary calls of a busy server every few hundred calls.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects made and still alive before the youngest are looked at; Python's own 700 are one call of FastMCP or two.
_YOUNG_OBJECTS = 10_000

_holders = 0
_before = gc.get_threshold()


@contextmanager
def startup_frozen() -> Iterator[None]:
    """Leave out of every collection what the process has loaded by now, until the last such block is left."""
    global _holders, _before  # noqa: PLW0603 - there is one collector in a process, and several servers may share it
    # What is rubbish already would be kept with the rest.
    gc.collect()
    gc.freeze()
    if not _holders:
        _before = gc.get_threshold()
        gc.set_threshold(_YOUNG_OBJECTS, *_before[1:])
    _holders += 1
    try:
        yield
    finally:
        _holders -= 1
        if not _holders:
            gc.set_threshold(*_before)
            gc.unfreeze()
