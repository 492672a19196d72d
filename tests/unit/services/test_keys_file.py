"""The master key's file: whole or absent, private, never replaced."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omie_control.errors import Conflict, InvalidInput
from omie_control.services.keys import FILE_NAME, load_or_make


def test_the_first_start_makes_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "home" / FILE_NAME
    made = load_or_make(path, has_sealed_data=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make(path, has_sealed_data=False).key_id == made.key_id
    assert [entry.name for entry in path.parent.iterdir()] == [FILE_NAME], "no draft is left behind"


def test_first_starts_at_once_end_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_or_make(tmp_path / FILE_NAME, has_sealed_data=False), range(16)))
    assert len({key.key_id for key in keys}) == 1


def test_a_lost_file_is_not_replaced_while_the_database_holds_sealed_data(tmp_path: Path) -> None:
    with pytest.raises(Conflict) as refused:
        load_or_make(tmp_path / FILE_NAME, has_sealed_data=True)
    assert refused.value.code == "chave_mestra_perdida"
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / FILE_NAME
    load_or_make(path, has_sealed_data=False)
    path.chmod(mode)
    with pytest.raises(InvalidInput) as refused:
        load_or_make(path, has_sealed_data=False)
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("content", ["", "abc", "\x00\x01", "é"])
def test_a_spoiled_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE_NAME
    path.touch(0o600)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput):
        load_or_make(path, has_sealed_data=False)
    assert path.read_text(encoding="utf-8") == content
