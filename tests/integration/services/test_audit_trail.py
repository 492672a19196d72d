"""The audit in the hands of people: read by right, verified by itself, slimmed, retired, taken along as a file."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import orjson
import pytest
from tests.conftest import Database
from tests.sealing import AUDITOR, OWNER, Books, books, ended, started, told

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.audit_file import FileCheck
from omie_control.domain.executions import Status, uuid7
from omie_control.domain.sealing import canonical
from omie_control.domain.seals import FIRST_PREVIOUS, SigningKey, make_seal, new_signing_key
from omie_control.errors import Forbidden, InvalidInput, NotFound, StorageDown
from omie_control.postgres import bodies as store
from omie_control.services.access import Access
from omie_control.services.audit_export import AuditExport
from omie_control.services.bodies import Bodies
from omie_control.services.seals_checkpoints import Checkpoint, Checkpoints

VIEWER = Actor(ActorKind.USER, "visita", Role.VIEWER)
LONG = orjson.dumps({"clientes": [{"codigo": n, "nome": f"Cliente {n}"} for n in range(30)]}).decode()


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Books]:
    async with books(database, tmp_path / "home", tmp_path / "segunda") as opened:
        yield opened


def export(house: Books) -> AuditExport:
    return AuditExport(house.postgres, house.seal_keys, Access(house.postgres))


async def written(house: Books, path: Path) -> list[bytes]:
    now = datetime.now(UTC)
    await export(house).write(AUDITOR, now - timedelta(hours=1), now + timedelta(hours=1), path)
    return path.read_bytes().splitlines(keepends=True)


async def test_events_are_read_by_right_and_by_filter(house: Books) -> None:
    await house.happen("company.added")
    # Ids of one millisecond have no order.
    await asyncio.sleep(0.002)
    await house.happen("token.created", AUDITOR)
    assert [event.action for event in await house.trail.list(AUDITOR, limit=2)] == ["token.created", "company.added"]
    (event,) = await house.trail.list(OWNER, by="user:audit*", action="token.*", object_id="1")
    assert (event.actor, event.after) == ("user:auditora", {"n": 1})
    assert await house.trail.list(OWNER, by="%", since=datetime.now(UTC) - timedelta(hours=1)) == []
    first, *_ = await house.trail.list(OWNER, before=event.id)
    assert (await house.trail.show(OWNER, first.id)).action == "company.added"
    with pytest.raises(NotFound):
        await house.trail.show(OWNER, uuid7(0, bytes(10)))
    with pytest.raises(InvalidInput):
        await house.trail.list(OWNER, outcome="x")
    for verb in (
        house.trail.list(VIEWER),
        house.trail.verify(VIEWER, lambda _: None),
        house.trail.show(VIEWER, event.id),
    ):
        with pytest.raises(Forbidden):
            await verb


async def test_a_person_sees_only_events_of_companies_in_scope(house: Books, owner_conn: asyncpg.Connection) -> None:
    mine, other = uuid7(1, os.urandom(10)), uuid7(2, os.urandom(10))
    for company in (mine, other):
        await owner_conn.execute(
            "insert into audit_events (actor, action, company_id) values ('a', 'x.' || $1::uuid, $1)", company
        )
    scoped = Actor(ActorKind.USER, "fiscal", Role.AUDITOR, companies=frozenset({mine}))
    (seen,) = await house.trail.list(scoped, action="x.*")
    assert seen.company_id == mine
    (hidden,) = await house.trail.list(OWNER, action=f"x.{other}")
    with pytest.raises(NotFound):
        await house.trail.show(scoped, hidden.id)


async def test_a_verification_in_the_background_raises_one_alert(
    house: Books, conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    end = await house.run()
    await house.seals.turn()
    done = await house.trail.keep_verified(full_every=timedelta(days=1))
    assert done is not None and (done.findings, done.last) == (0, 1)
    await owner_conn.execute("update process_executions set duration_ms = 1 where id = $1", end.id)
    again = await house.trail.keep_verified(full_every=timedelta(days=1))
    assert again is not None and (again.seals, again.findings) == (0, 0), "only what is new, within the day"
    for _ in range(2):
        full = await house.trail.keep_verified(full_every=timedelta(0))
        assert full is not None and full.findings == 1
    (alert,) = await conn.fetch("select * from integration_alerts where alert_type = 'audit_tampered'")
    assert alert["severity"] == "critical" and str(end.id) in alert["context_data"]
    state = await house.trail.state()
    assert state.verification is not None and state.verification.findings == 1 and state.last_seal == 1


async def test_a_slimmed_month_still_verifies_and_what_is_left_is_guarded(
    house: Books, conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    today = datetime.now(UTC)
    middle = (today.replace(day=1) - timedelta(days=15)).replace(hour=12)
    ends = [await house.run(ago=today - middle, response_data=LONG) for _ in range(4)]
    await house.run(ago=today - middle, status=Status.UNCERTAIN)
    await house.seals.turn()
    assert await house.seals.slim(middle.date().replace(day=1)) == 5
    kept = await conn.fetchval("select response_data from process_executions where id = $1", ends[0].id)
    assert "_resumido" in kept
    assert await house.verify() == []
    await owner_conn.execute("update process_executions set response_data = '{}' where id = $1", ends[0].id)
    await owner_conn.execute("update process_executions set actor = 'x' where id = $1", ends[1].id)
    await owner_conn.execute(
        "update process_executions set content_hash = sha256('x'), response_data = '{}' where id = $1", ends[2].id
    )
    assert sorted(told(await house.verify())) == sorted(
        [
            ("content_changed", "execution", str(ends[0].id)),
            ("changed", "execution", str(ends[1].id)),
            ("changed", "execution", str(ends[2].id)),
            ("content_changed", "execution", str(ends[2].id)),
        ]
    )


async def test_a_row_whose_sealed_body_is_kept_stays_whole_until_the_body_goes(house: Books) -> None:
    today = datetime.now(UTC)
    at = (today.replace(day=1) - timedelta(days=15)).replace(hour=12)
    month = at.date().replace(day=1)
    bodies = Bodies(house.postgres, house.keys, Access(house.postgres))
    await house.run(ago=today - at, response_data=LONG)
    start = started(ago=today - at)
    await house.recorder.start(start)
    end = ended(start, response_data=LONG)
    columns = [canonical(orjson.loads(text)) for text in (start.input_parameters, end.request_payload, LONG) if text]
    clear = {"salt": "00", "response": {"clientes": [{"codigo": 1, "cnpj_cpf": "529.982.247-25"}]}}
    await bodies.prepare(None, at)
    body = bodies.seal(None, at, end.id, 1, canonical(clear), [], columns)
    assert await house.recorder.finish(end._replace(body=body))
    await house.seals.turn()

    async def is_small() -> list[bool]:
        async with house.postgres.reading() as connection:
            rows = await connection.fetch("select response_data from process_executions order by id = $1", end.id)
        return ["_resumido" in row["response_data"] for row in rows]

    assert await house.seals.slim(month) == 2
    assert await is_small() == [True, False]
    assert (await bodies.reveal(OWNER, end.execution_id))["response"] == clear["response"]
    assert await house.verify() == []
    assert await house.seals.slim(month) == 0, "nothing new can be made small"

    async with house.postgres.transaction() as tx:
        assert await store.erase(tx, [end.id]) == 1
    assert await house.seals.slim(month) == 2
    assert await is_small() == [True, True]
    assert await house.verify() == []
    async with house.postgres.reading() as connection:
        assert await connection.fetchval("select sum(contents) from seals") == 2, "each made small once"
    assert await house.seals.slim(month) == 0


async def test_a_body_erased_leaves_the_chain_as_it_is(house: Books, conn: asyncpg.Connection) -> None:
    await house.run()
    await house.seals.turn()
    await conn.execute("delete from execution_bodies")
    assert await house.verify() == []


async def test_what_retention_takes_by_right_is_not_missed(house: Books, owner_conn: asyncpg.Connection) -> None:
    old = await house.run(ago=timedelta(hours=5))
    older = await house.run(ago=timedelta(hours=6))
    young = await house.run()
    await house.seals.turn()
    low, high = UUID(int=0), uuid7(int((datetime.now(UTC) - timedelta(hours=4)).timestamp() * 1000), bytes(10))
    await house.seals.say(OWNER, {"retired": "process_executions", "from": str(low), "to": str(high)})
    await owner_conn.execute("delete from process_executions where id < $1", high)
    await house.seals.turn()
    assert await house.verify() == []
    # Said by somebody without the key, it takes nothing away.
    await owner_conn.execute("delete from process_executions where id = $1", young.id)
    await owner_conn.execute(
        "update seals set notes = replace(notes, $1, $2) where notes is not null", str(high), "f" * 8 + str(high)[8:]
    )
    found = told(await house.verify())
    assert ("removed", "execution", str(young.id)) in found and ("removed", "execution", str(old.id)) in found
    assert ("removed", "execution", str(older.id)) in found


async def test_a_key_of_somebody_elses_signs_nothing(house: Books, owner_conn: asyncpg.Connection) -> None:
    await house.run()
    await house.seals.turn()
    forged = SigningKey(new_signing_key())
    await owner_conn.execute(
        "insert into seal_keys (id, public_key, wrapped, master_key_id)"
        " select $1, $2, wrapped, master_key_id from seal_keys",
        forged.id,
        forged.public,
    )
    await owner_conn.execute("update seals set key_id = $1", forged.id)
    found = told(await house.verify())
    assert ("key_forged", "key", forged.id) in found
    assert ("seal_changed", "seal", "1") in found


async def test_checkpoints_lie_in_both_folders_and_are_guarded(house: Books, tmp_path: Path) -> None:
    for _ in range(3):
        await house.run()
        await house.seals.turn()
    first, second = (folder / "checkpoints.jsonl" for folder in house.checkpoints.folders)
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    lines = first.read_bytes().splitlines(keepends=True)
    assert [orjson.loads(line)["sequence"] for line in lines] == [1, 2, 3]
    first.write_bytes(lines[0] + lines[2].replace(b'"sequence":3', b'"sequence":2') + lines[2] + b"{}\n")
    assert {damage for damage, _, _ in told(await house.verify())} == {"checkpoint_changed"}
    # A line torn by a power cut is nobody's fault, and makes room for the next.
    first.write_bytes(lines[0] + lines[1][:50])
    assert await house.verify() == []
    await house.run()
    await house.seals.turn()
    assert [orjson.loads(line)["sequence"] for line in first.read_bytes().splitlines()] == [1, 4]
    assert await house.verify() == []


async def test_a_second_folder_that_is_away_stops_only_the_verification(house: Books, tmp_path: Path) -> None:
    """A share that is away answers with errors of its own, which are none of PostgreSQL's."""
    (tmp_path / "segunda").write_text("no folder")
    first, second = house.checkpoints.folders
    for sequence in (1, 2):
        await house.run()
        assert await house.seals.turn()
        assert (first / "checkpoints.jsonl").read_bytes().count(b"\n") == sequence
    assert house.postgres.is_up
    with pytest.raises(StorageDown, match=str(second)) as refused:
        await house.verify()
    assert refused.value.code == "checkpoints_ilegiveis"
    assert house.postgres.is_up
    second.unlink()
    assert await house.verify() == []


async def test_a_full_file_is_put_aside(house: Books, tmp_path: Path) -> None:
    small = Checkpoints(tmp_path / "pequena", full_bytes=500)
    key = await house.seal_keys.signing()
    previous = FIRST_PREVIOUS
    for sequence in range(1, 9):
        seal = make_seal(key, sequence, sequence, previous, [])
        small.append(seal, key)
        small.append(seal, key)
        previous = seal.hash
    (folder,) = small.folders
    assert len(list(folder.glob("checkpoints-*.jsonl"))) >= 2
    assert [point.sequence for point in small.read(folder) if isinstance(point, Checkpoint)] == list(range(1, 9))
    last = small.last()
    assert last is not None and (last.sequence, last.hash) == (8, previous)


async def test_a_file_verifies_without_the_database(house: Books, tmp_path: Path) -> None:
    ends = [await house.run() for _ in range(3)]
    unsure = await house.run(Status.UNCERTAIN)
    await house.seals.turn()
    assert await house.recorder.finish(unsure._replace(status=Status.FAILED))
    await house.happen()
    await house.seals.turn()
    path = tmp_path / "auditoria.jsonl"
    lines = await written(house, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    _, key = await export(house).public_key(AUDITOR)
    check = FileCheck(lines, [bytes.fromhex(key)])
    assert list(check.findings()) == []
    read = check.reckoning
    assert (read.seals, read.superseded, read.is_complete) == (2, 1, True)
    assert {str(end.id) for end in ends} <= {
        orjson.loads(line)["execution"]["id"] for line in lines if b'{"execution"' in line[:13]
    }
    assert told(list(FileCheck(lines, [bytes(32)]).findings()))[0][0] == "seal_forged"
    with pytest.raises(InvalidInput):
        await written(house, path)
    with pytest.raises(InvalidInput):
        list(FileCheck([b"nada\n"]).findings())
    with pytest.raises(NotFound):
        await export(house).write(
            AUDITOR, datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC), tmp_path / "x"
        )


async def test_whatever_is_done_to_a_file_is_found(house: Books, tmp_path: Path) -> None:
    await house.run()
    await house.happen()
    await house.seals.turn()
    await house.run()
    await house.seals.turn()
    lines = await written(house, tmp_path / "auditoria.jsonl")
    trusted = [bytes.fromhex((await export(house).public_key(AUDITOR))[1])]
    for number in range(1, len(lines)):
        without = [*lines[:number], *lines[number + 1 :]]
        assert list(FileCheck(without, trusted).findings()), f"line {number} left out"
    for number, line in enumerate(lines[1:], 1):
        for place in range(0, len(line) - 2, max(1, len(line) // 40)):
            flipped = line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :]
            changed = [*lines[:number], flipped, *lines[number + 1 :]]
            assert list(FileCheck(changed, trusted).findings()), f"line {number}, letter {place}"
    assert list(FileCheck([*lines, b"{}\n"], trusted).findings())


async def test_a_running_execution_is_in_no_file(house: Books, tmp_path: Path) -> None:
    start = started()
    await house.recorder.start(start)
    await house.run()
    await house.seals.turn()
    assert str(start.id).encode() not in b"".join(await written(house, tmp_path / "a.jsonl"))
    assert await house.recorder.finish(ended(start))
