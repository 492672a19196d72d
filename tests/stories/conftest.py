"""Stories are told on busy machines too: where the product gives up after a moment, it is given longer here.

That it gives up in time is told in the rooms of those parts, and by the processes that stories start by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import patience

from omie_control import outgoing
from omie_control.services import audit_samples, provider_wire, webhook_trials
from omie_control.services.idempotency import IdempotentWrites

_SECONDS = 60.0
_PATIENCES = (
    (provider_wire, "_TIMEOUT_SECONDS"),
    (provider_wire, "_WHOLE_SECONDS"),
    (outgoing, "_RESOLVE_SECONDS"),
    (webhook_trials, "_ANSWER_SECONDS"),
    (webhook_trials, "_APPLY_SECONDS"),
)


def patient(patch: pytest.MonkeyPatch) -> None:
    """Let nobody of this process take a server for away that is only slow; refusals of one story are of one minute."""
    patience.with_postgres(patch)
    patience.with_valkey(patch, _SECONDS)
    for room, name in _PATIENCES:
        patch.setattr(room, name, _SECONDS)
    patch.setitem(IdempotentWrites.__init__.__kwdefaults__, "wait_seconds", _SECONDS)
    patch.setattr(audit_samples, "_SPAN_SECONDS", 3_600.0)


@pytest.fixture(autouse=True)
def longer() -> Iterator[None]:
    """Be patient for one story."""
    with pytest.MonkeyPatch.context() as patch:
        patient(patch)
        yield
