"""Keys over a real database: one data key per company and month, and never a second master key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from omie_control.domain.sealing import key_text, new_key
from omie_control.errors import Conflict, InvalidInput
from omie_control.postgres.database import Postgres
from omie_control.services.keys import FILE_NAME, Keys

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMPANY = UUID(int=7)


async def test_a_data_key_is_made_once_and_then_found_in_memory(keys: Keys) -> None:
    assert keys.data_key(COMPANY, NOW) is None
    made = await keys.ensure(COMPANY, NOW)
    assert keys.data_key(COMPANY, NOW) is made
    assert (await keys.ensure(COMPANY, NOW + timedelta(days=40))).key != made.key
    assert (await keys.ensure(None, NOW)).key != made.key


async def test_many_processes_at_once_share_one_key(postgres: Postgres, keys: Keys, tmp_path: Path) -> None:
    others = [Keys(postgres, None, tmp_path) for _ in range(6)]
    for other in others:
        await other.open()
    made = await asyncio.gather(*(each.ensure(COMPANY, NOW) for each in others for _ in range(3)))
    assert len({(key.id, key.key) for key in made}) == 1


async def test_a_key_is_found_by_its_id_after_a_restart(postgres: Postgres, keys: Keys, tmp_path: Path) -> None:
    made = await keys.ensure(COMPANY, NOW)
    later = Keys(postgres, None, tmp_path)
    await later.open()
    assert (await later.by_id(made.id)).key == made.key
    with pytest.raises(Conflict) as lost:
        await later.by_id(UUID(int=1))
    assert lost.value.code == "chave_perdida"


async def test_nothing_is_stored_in_the_clear(postgres: Postgres, keys: Keys) -> None:
    made = await keys.ensure(COMPANY, NOW)
    rows = await postgres.pool.fetch("select wrapped from data_keys")
    assert all(made.key not in row["wrapped"] for row in rows)
    assert repr(made.key) not in repr(made)


async def test_another_master_key_stops_the_start_and_changes_nothing(
    postgres: Postgres, keys: Keys, tmp_path: Path
) -> None:
    count = await postgres.pool.fetchval("select count(*) from data_keys")
    with pytest.raises(Conflict) as refused:
        await Keys(postgres, key_text(new_key()), tmp_path).open()
    assert refused.value.code == "chave_mestra_errada"
    # Also in a month that has no key yet.
    await postgres.pool.execute("update data_keys set month = month - interval '1 year'")
    with pytest.raises(Conflict):
        await Keys(postgres, key_text(new_key()), tmp_path).open()
    assert await postgres.pool.fetchval("select count(*) from data_keys") == count


async def test_a_lost_file_stops_the_start_and_makes_no_new_key(postgres: Postgres, keys: Keys, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other"
    with pytest.raises(Conflict) as refused:
        await Keys(postgres, None, elsewhere).open()
    assert refused.value.code == "chave_mestra_perdida"
    assert not (elsewhere / FILE_NAME).exists()


async def test_the_key_may_come_from_a_setting(postgres: Postgres, tmp_path: Path) -> None:
    text = key_text(new_key())
    given = Keys(postgres, text, tmp_path)
    await given.open()
    assert not (tmp_path / FILE_NAME).exists()
    with pytest.raises(InvalidInput) as refused:
        await Keys(postgres, "curta", tmp_path).open()
    assert text not in refused.value.for_people()


async def test_two_homes_on_one_empty_database_collide_at_once(postgres: Postgres, tmp_path: Path) -> None:
    homes = [Keys(postgres, None, tmp_path / name) for name in ("a", "b")]
    results = await asyncio.gather(*(home.open() for home in homes), return_exceptions=True)
    assert len([result for result in results if result is None]) == 1
    assert any(isinstance(result, Conflict) for result in results)
