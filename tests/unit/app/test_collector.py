"""What startup loaded stays out of collections while a process serves, and only then."""

from __future__ import annotations

import gc
import weakref

import pytest

from omie_control.app.collector import startup_frozen

# Some versions of Python freeze a few objects of their own.
FROZEN_BY_PYTHON = gc.get_freeze_count()


class Cycle:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.me = self


def test_what_was_loaded_is_frozen_and_let_go_again() -> None:
    """Inside, the loaded modules are not looked at; outside, the collector is as it was."""
    before = gc.get_threshold()
    with startup_frozen():
        assert gc.get_freeze_count() > FROZEN_BY_PYTHON + 10_000
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_freeze_count() <= FROZEN_BY_PYTHON
    assert gc.get_threshold() == before


def test_rubbish_of_startup_is_not_kept() -> None:
    """A cycle that nobody holds when the freeze comes is freed, not frozen."""
    found = weakref.ref(Cycle())
    with startup_frozen():
        assert found() is None


def test_what_calls_leave_behind_is_still_collected() -> None:
    """A frozen startup does not stop the collector."""
    with startup_frozen():
        found = weakref.ref(Cycle())
        gc.collect()
        assert found() is None


def test_the_last_of_several_servers_lets_go() -> None:
    """Two servers in one process: the first to close leaves the other's peace alone, whichever it is."""
    before = gc.get_threshold()
    first, second = startup_frozen(), startup_frozen()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_freeze_count() > FROZEN_BY_PYTHON + 10_000
    assert gc.get_threshold() != before
    second.__exit__(None, None, None)
    assert gc.get_freeze_count() <= FROZEN_BY_PYTHON
    assert gc.get_threshold() == before


def test_an_error_inside_lets_go_too() -> None:
    """Whatever ends the server, the collector is as it was."""
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), startup_frozen():
        raise RuntimeError
    assert gc.get_freeze_count() <= FROZEN_BY_PYTHON
    assert gc.get_threshold() == before
