"""The master keys' file: whole or absent, private, never replaced; a rotation adds to it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omie_control.domain.sealing import MasterKey, key_text, new_key
from omie_control.errors import InvalidInput
from omie_control.services.master_ring import FILE_NAME, MasterRing


def first(home: Path) -> str:
    """Make the first key where there is none, and name it."""
    ring = MasterRing(None, home)
    if not ring.read():
        ring.make()
    return next(iter(ring.read()))


def test_the_first_start_makes_a_private_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert MasterRing(None, home).read() == {}
    made = first(home)
    assert stat.S_IMODE((home / FILE_NAME).stat().st_mode) == 0o600
    assert first(home) == made
    assert [entry.name for entry in home.iterdir()] == [FILE_NAME], "no draft is left behind"


def test_first_starts_at_once_end_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: first(tmp_path), range(16)))
    assert len(set(names)) == 1


def test_a_key_is_added_below_the_others_and_stays_private(tmp_path: Path) -> None:
    old, ring = first(tmp_path), MasterRing(None, tmp_path)
    added = ring.add()
    assert list(ring.read()) == [old, added.key_id]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [FILE_NAME]


def test_keys_of_a_setting_stand_apart_by_spaces_commas_or_lines(tmp_path: Path) -> None:
    texts = [key_text(new_key()) for _ in range(4)]
    names = [MasterKey.from_text(text).key_id for text in texts]
    given = "{} {},{}\n{}\n".format(*texts)
    assert list(MasterRing(given, tmp_path).read()) == names
    assert list(MasterRing(lambda: given, tmp_path).read()) == names
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("given", ["", " ", "abc", f"{key_text(bytes(32))} abc"])
def test_a_setting_that_holds_no_key_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(InvalidInput):
        MasterRing(given, tmp_path).read()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    first(tmp_path)
    (tmp_path / FILE_NAME).chmod(mode)
    with pytest.raises(InvalidInput) as refused:
        MasterRing(None, tmp_path).read()
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("content", ["", "abc", "\x00\x01", "é"])
def test_a_spoiled_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE_NAME
    path.touch(0o600)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput):
        MasterRing(None, tmp_path).read()
    assert path.read_text(encoding="utf-8") == content
