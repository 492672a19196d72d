"""Time for a PostgreSQL that shares its machine with the other tests."""

from __future__ import annotations

import pytest
from tests import patience


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than in life; a test that asks how long we wait says so itself."""
    patience.with_postgres(monkeypatch)
