"""JSON is read as it was written, or refused; nothing is rounded in between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.json_text import read_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(JSON, st.sampled_from([None, 1]))
def test_what_was_written_is_read(value: Any, indent: int | None) -> None:
    assert read_json(json.dumps(value, indent=indent).encode()) == value


@pytest.mark.parametrize("text", [b"35260112345678000190550010000012341000012345", b'{"chave":9999999999999999999999}'])
def test_a_long_number_keeps_its_last_digits(text: bytes) -> None:
    assert json.dumps(read_json(text), separators=(",", ":")).encode() == text


def test_lone_surrogates_are_read() -> None:
    assert read_json(rb'"\ud800"') == "\ud800"


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b"[1e5,NaN]", b"[12345678901234567890,NaN]", b"9" * 5000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(text)
