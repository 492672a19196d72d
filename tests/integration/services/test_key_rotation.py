"""Rotation: another master key while everything runs, nothing lost, and nothing readable by the wrong one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from tests.integration.services.conftest import APP_SECRET, OWNER, STRANGER, Firm, audited

from omie_control.domain.actors import Actor
from omie_control.domain.companies import Secret
from omie_control.domain.configuration import PROXY
from omie_control.domain.sealing import MasterKey, key_text, new_key
from omie_control.errors import Conflict, Forbidden, InvalidInput
from omie_control.postgres import keys as store
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access
from omie_control.services.companies import Companies
from omie_control.services.configuration import Configurations
from omie_control.services.key_rotation import KeyRotation
from omie_control.services.keys import FILE_NAME, Keys
from omie_control.services.live_configuration import LiveConfiguration
from omie_control.services.seals_keys import SealKeys

NOW = datetime.now(UTC)
CANARY = "http://ana:canario-4711@proxy.exemplo:3128"


@pytest.fixture
def rotation(postgres: Postgres, keys: Keys, access: Access) -> KeyRotation:
    """Give the verbs; other processes learn at once."""
    return KeyRotation(postgres, keys, access, learnt_seconds=0.01)


async def test_everything_is_sealed_anew_and_reads_as_before(
    rotation: KeyRotation, postgres: Postgres, keys: Keys, access: Access, firm: Firm, tmp_path: Path
) -> None:
    live = LiveConfiguration(postgres, keys)
    await live.refresh()
    await Configurations(postgres, keys, access, live).set(OWNER, "omie.proxy", CANARY)
    data_key = await keys.ensure(firm.padaria.id, NOW)
    signing = await SealKeys(postgres, keys).signing()
    hashed, old = keys.hasher.document_hashes(["52998224725"]), keys.master.key_id

    done = await rotation.rotate(OWNER)
    assert (done.before, done.after, done.rows) == (old, keys.master.key_id, 7)
    current, before = sorted(await rotation.list(OWNER), key=lambda use: not use.is_current)
    assert (before.data_keys, before.companies, before.seal_keys, before.configurations) == (0, 0, 0, 0)
    assert (current.data_keys, current.companies, current.seal_keys, current.configurations) == (2, 2, 1, 1)

    restarted = Keys(postgres, None, tmp_path)
    await restarted.open()
    assert restarted.master.key_id == done.after
    assert (await restarted.by_id(data_key.id)).key == data_key.key
    door = await Companies(postgres, restarted, access).door(firm.padaria.id)
    assert door.credentials.app_secret == Secret(APP_SECRET)
    assert (await SealKeys(postgres, restarted).signing()).public == signing.public
    assert restarted.hasher.document_hashes(["52998224725"]) == hashed
    again = LiveConfiguration(postgres, restarted)
    await again.refresh()
    assert again.get(PROXY) == Secret(CANARY)


async def test_a_process_that_does_not_know_yet_goes_on_and_learns(
    rotation: KeyRotation, postgres: Postgres, access: Access, firm: Firm, tmp_path: Path
) -> None:
    other = Keys(postgres, None, tmp_path)
    await other.open()
    done = await rotation.rotate(OWNER)
    # Opened with the new key, which it reads now; sealed with the old one, which is still good.
    assert (await Companies(postgres, other, access).door(firm.oficina.id)).credentials
    assert other.master.key_id == done.before
    await other.refresh()
    assert other.master.key_id == done.after


async def test_what_a_late_process_sealed_under_the_old_key_is_swept_up(
    rotation: KeyRotation,
    postgres: Postgres,
    keys: Keys,
    firm: Firm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late, old, sweep = Keys(postgres, None, tmp_path), keys.master.key_id, rotation._sweep
    await late.open()

    async def sweep_after_it(actor: Actor, fresh: MasterKey) -> int:
        await late.ensure(firm.oficina.id, NOW)
        async with postgres.reading() as connection:
            assert set(await store.masters(connection)) == {old, fresh.key_id}
        return await sweep(actor, fresh)

    # No time that is short enough for a test is surely enough for a process to be late in.
    monkeypatch.setattr(rotation, "_sweep", sweep_after_it)
    await rotation.rotate(OWNER)
    async with postgres.reading() as connection:
        assert await store.masters(connection) == [keys.master.key_id]


async def test_no_execution_fails_while_the_key_changes(
    rotation: KeyRotation, postgres: Postgres, keys: Keys, access: Access, firm: Firm
) -> None:
    companies = Companies(postgres, keys, access)
    stopped = asyncio.Event()
    done = 0

    async def works(number: int) -> None:
        nonlocal done
        while not stopped.is_set():
            month = NOW.replace(year=NOW.year - number - 1, day=1, month=done % 12 + 1)
            made = await keys.ensure(firm.padaria.id, month)
            assert (await keys.by_id(made.id)).key == made.key
            assert (await companies.door(firm.padaria.id)).credentials.app_secret == Secret(APP_SECRET)
            done += 1
            await asyncio.sleep(0.005)

    workers = [asyncio.create_task(works(number)) for number in range(4)]
    names: list[str] = []
    # As often as it takes until enough was done meanwhile.
    while len(names) < 3 or done <= 12:
        names.append((await rotation.rotate(OWNER)).after)
    stopped.set()
    await asyncio.gather(*workers)
    assert len(set(names)) == len(names)
    async with postgres.reading() as connection:
        assert set(await store.masters(connection)) <= {*names}


async def test_without_the_new_key_the_start_stops_and_with_both_it_goes(
    rotation: KeyRotation, postgres: Postgres, firm: Firm, tmp_path: Path
) -> None:
    old = (tmp_path / FILE_NAME).read_text(encoding="ascii").split()
    await rotation.rotate(OWNER)
    both = (tmp_path / FILE_NAME).read_text(encoding="ascii").split()
    assert both[:1] == old and len(both) == 2
    with pytest.raises(Conflict) as refused:
        await Keys(postgres, old[0], tmp_path).open()
    assert refused.value.code == "chave_mestra_errada"
    await Keys(postgres, both[1], tmp_path).open()
    await Keys(postgres, lambda: " ".join(both), tmp_path).open()


async def test_keys_of_a_setting_go_to_the_one_that_is_named(
    postgres: Postgres, access: Access, tmp_path: Path
) -> None:
    given = [key_text(new_key())]
    keys = Keys(postgres, lambda: ",".join(given), tmp_path)
    await keys.open()
    rotation = KeyRotation(postgres, keys, access, learnt_seconds=0.01)
    with pytest.raises(InvalidInput, match="Não há outra"):
        await rotation.rotate(OWNER)
    given += [key_text(new_key()), key_text(new_key())]
    with pytest.raises(InvalidInput, match="qual chave"):
        await rotation.rotate(OWNER)
    named = MasterKey.from_text(given[2]).key_id
    assert (await rotation.rotate(OWNER, named)).after == named
    assert not (tmp_path / FILE_NAME).exists()


async def test_only_an_administrator_rotates_and_it_is_on_record(
    rotation: KeyRotation, keys: Keys, conn: asyncpg.Connection
) -> None:
    before = keys.master.key_id
    with pytest.raises(Forbidden):
        await rotation.rotate(STRANGER)
    assert keys.master.key_id == before
    done = await rotation.rotate(OWNER)
    (row,) = await audited(conn, "master_key.rotated")
    assert row["object_id"] == done.after
    assert len(await audited(conn, "key.manage", "refused")) == 1


async def test_a_key_that_was_made_and_never_put_in_force_does_no_harm(
    rotation: KeyRotation, postgres: Postgres, keys: Keys, tmp_path: Path
) -> None:
    # As after a crash between the file and the database.
    keys.ring.add()
    restarted = Keys(postgres, None, tmp_path)
    await restarted.open()
    assert restarted.master.key_id == keys.master.key_id
    assert (await rotation.rotate(OWNER)).after == list(keys.ring.read())[2]
