"""Roots as RFC 6962 has them, seals that say what they hold, words that agree with what they are said of."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.damages import Damage, Finding, differences
from omie_control.domain.merkle import EMPTY_ROOT, root_of
from omie_control.domain.sealed_records import CONTENT_COLUMNS, EXECUTION_COLUMNS, Record
from omie_control.domain.seals import (
    EVENT_TAG,
    FIRST_PREVIOUS,
    FOLLOWING,
    Kind,
    Leaf,
    SigningKey,
    State,
    instant_of,
    is_signed,
    make_seal,
    new_signing_key,
    record_hash,
    state_of,
    unpack,
)

# The test vectors of Certificate Transparency's own implementation.
VECTORS = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
VECTORS.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
KEY = SigningKey(new_signing_key())
LEAVES = st.builds(
    Leaf,
    st.sampled_from(Kind),
    st.sampled_from(State),
    st.uuids(),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=8, max_size=8),
)


def test_roots_are_those_of_rfc_6962() -> None:
    assert [root_of(VECTORS[:count]).hex() for count in range(1, 9)] == ROOTS
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(st.lists(st.binary(max_size=5), min_size=2, max_size=20, unique=True), st.data())
def test_a_root_stands_for_the_order_too(leaves: list[bytes], data: st.DataObject) -> None:
    other = data.draw(st.permutations(leaves))
    assert (root_of(leaves) == root_of(other)) == (leaves == other)
    assert root_of(leaves) != root_of(leaves[:-1])


@given(st.lists(LEAVES, max_size=20))
def test_leaves_are_read_as_they_were_written(leaves: list[Leaf]) -> None:
    packed = b"".join(leaf.packed for leaf in leaves)
    assert list(unpack(packed)) == leaves
    if leaves:
        with pytest.raises(ValueError, match="cut"):
            list(unpack(packed[:-1]))


@given(st.lists(st.none() | st.text(alphabet="a1:-", max_size=6), max_size=5), st.data())
def test_no_two_rows_have_one_hash(row: list[str | None], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.none() | st.text(alphabet="a1:-", max_size=6), max_size=5))
    assert (record_hash(EVENT_TAG, row) == record_hash(EVENT_TAG, other)) == (row == other)


def test_whatever_a_seal_says_is_in_its_hash() -> None:
    leaf = Leaf(Kind.EVENT, State.NONE, UUID(int=7), bytes(32))
    seal = make_seal(KEY, 1, 1_000_000, FIRST_PREVIOUS, [leaf])
    assert (seal.events, seal.executions, seal.hash) == (1, 0, seal.digest())
    assert is_signed(KEY.public, seal.hash, seal.signature)
    changes = {
        "sequence": 2,
        "at": 1_000_001,
        "previous": bytes([1]) * 32,
        "root": bytes(32),
        "executions": 1,
        "events": 0,
        "contents": 1,
        "notes": "[]",
        "key_id": "sk-x",
    }
    assert len({replace(seal, **{name: value}).digest() for name, value in changes.items()} | {seal.hash}) == 10  # type: ignore[arg-type]
    assert not is_signed(SigningKey(new_signing_key()).public, seal.hash, seal.signature)
    assert not is_signed(b"short", seal.hash, b"")


def test_a_signing_key_shows_itself_to_nobody() -> None:
    assert repr(KEY) == f"SigningKey({KEY.id}, •••)"
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


def test_content_written_anew_leaves_the_rest_proved() -> None:
    columns = tuple(f"{name}!" for name in EXECUTION_COLUMNS)
    whole = Record(Kind.EXECUTION, UUID(int=1), columns, tuple("{}" for _ in CONTENT_COLUMNS))
    slim = replace(whole, content=(None, None, "[]"), content_hash=whole.hash_of_content)
    assert slim.hash == whole.hash
    assert slim.hash_of_content != whole.hash_of_content
    assert replace(slim, columns=("x", *columns[1:])).hash != whole.hash


def test_states_that_another_may_follow() -> None:
    assert state_of("timeout", "instance_lost") is State.LOST
    assert state_of("timeout", None) is State.TIMEOUT
    assert state_of("running", None) is None
    assert set(FOLLOWING) == {State.UNCERTAIN, State.LOST}


def test_an_instant_that_no_calendar_has_is_none() -> None:
    assert instant_of(2**62) is None


def test_findings_agree_with_what_they_are_said_of() -> None:
    assert Finding(Damage.CHANGED, "execution", "1", "nome", 3).message == (
        "A execução nome (selo 3) foi alterada depois de selada."
    )
    assert Finding(Damage.REMOVED, "event", "1").message.endswith(" 1 foi removido depois de selado.")
    assert Finding(Damage.SEAL_REMOVED, "seal", "2").message == "O selo 2 foi removido."
    assert (differences(1), differences(2)) == ("1 diferença", "2 diferenças")
