"""Sealing: what is sealed opens only in its place with its key, and never as garbage."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.companies import Secret
from omie_control.domain.sealing import (
    DOCUMENT_HASH_BYTES,
    Hasher,
    MasterKey,
    canonical,
    commitment,
    key_text,
    new_key,
    open_body,
    open_sealed,
    seal,
    seal_body,
)
from omie_control.errors import Conflict, InvalidInput

KEY = bytes(range(32))
AAD = b"execution_bodies/1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(JSON)
def test_a_body_opens_as_it_was_sealed(value: Any) -> None:
    assert open_body(seal_body(canonical(value), KEY, AAD), KEY, AAD) == value


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**40, -(10**600)])
def test_a_number_beyond_64_bits_opens_as_it_was_sealed(number: int) -> None:
    body = {"saldo": number, "itens": [number]}
    assert open_body(seal_body(canonical(body), KEY, AAD), KEY, AAD) == body


def test_a_number_of_thousands_of_digits_is_kept_as_text() -> None:
    assert open_body(seal_body(canonical({"n": 10**5000}), KEY, AAD), KEY, AAD) == {"n": hex(10**5000)}


def test_the_same_body_is_never_sealed_the_same() -> None:
    assert seal(KEY, b"x", AAD) != seal(KEY, b"x", AAD)


def test_the_wrong_key_is_named_as_the_reason() -> None:
    with pytest.raises(Conflict) as refused:
        open_sealed(new_key(), seal(KEY, b"x", AAD), AAD)
    assert refused.value.code == "chave_errada"


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_an_error(place: int, change: int) -> None:
    sealed = bytearray(seal(KEY, b"o corpo", AAD))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(Conflict):
        open_sealed(KEY, bytes(sealed), AAD)


@given(st.integers(min_value=0, max_value=39))
def test_a_cut_text_is_an_error(length: int) -> None:
    with pytest.raises(Conflict):
        open_sealed(KEY, seal(KEY, b"o corpo", AAD)[:length], AAD)


def test_what_is_sealed_for_one_place_does_not_open_in_another() -> None:
    with pytest.raises(Conflict):
        open_sealed(KEY, seal(KEY, b"x", AAD), b"execution_bodies/2")


@pytest.mark.parametrize(
    "value", [{"a": "\ud800", "b": 2**70, "c": {1}, 5: b"x", "n": float("nan")}, object(), [[[[]]]]]
)
def test_anything_has_a_canonical_form(value: Any) -> None:
    assert open_body(seal_body(canonical(value), KEY, AAD), KEY, AAD) is not None


def test_canonical_ignores_the_order_of_fields() -> None:
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


def test_a_commitment_changes_with_the_body() -> None:
    assert commitment(b"a") == commitment(b"a")
    assert commitment(b"a") != commitment(b"b")


def test_a_master_key_wraps_and_unwraps() -> None:
    master, other, data_key = MasterKey(KEY), MasterKey(new_key()), new_key()
    wrapped = master.wrap(data_key, b"data_keys/1")
    assert data_key not in wrapped
    assert master.unwrap(wrapped, b"data_keys/1") == data_key
    with pytest.raises(Conflict):
        other.unwrap(wrapped, b"data_keys/1")


def test_secrets_come_back_as_secrets() -> None:
    master = MasterKey(KEY)
    # Long enough that no nonce and no ciphertext holds it by chance.
    text = "0123456789abcdef0123456789abcdef"
    sealed = master.seal_secrets({"app_secret": Secret(text)}, b"companies.credentials/1")
    assert text.encode() not in sealed
    assert master.open_secrets(sealed, b"companies.credentials/1") == {"app_secret": Secret(text)}


def test_document_hashes_are_keyed_and_repeatable() -> None:
    hasher = Hasher(MasterKey(KEY).index_key())
    one = hasher.document_hashes(["52998224725"])
    assert len(one) == DOCUMENT_HASH_BYTES
    assert Hasher(MasterKey(KEY).index_key()).document_hashes(["52998224725"]) == one
    other = Hasher(MasterKey(new_key()).index_key())
    assert other.document_hashes(["52998224725"]) != one
    assert hasher.digest("é") == hasher.digest("é") != other.digest("é")


def test_each_document_has_its_own_hash_wherever_it_stands() -> None:
    hasher = Hasher(MasterKey(KEY).index_key())
    documents = ["52998224725", "11222333000181", "12ABC34501DE35"]
    each = [hasher.document_hashes([document]) for document in documents]
    assert len(set(each)) == 3
    assert hasher.document_hashes(documents) == b"".join(each)
    assert hasher.document_hashes(reversed(documents)) == b"".join(reversed(each))
    assert hasher.document_hashes([]) == b""


@pytest.mark.parametrize("text", ["", "abc", "não", key_text(b"x" * 31), key_text(b"x" * 33), "====", "\x00"])
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        MasterKey.from_text(text)


def test_a_master_key_survives_its_text_and_shows_itself_nowhere() -> None:
    master = MasterKey.from_text(key_text(KEY) + "\n")
    assert master.key_id == MasterKey(KEY).key_id
    assert key_text(KEY) not in repr(master)
    with pytest.raises(TypeError):
        pickle.dumps(master)
