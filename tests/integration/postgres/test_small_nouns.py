"""Alerts, configurations, schedules, partitions, bodies and the state of the server, each through its few verbs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.conftest import TIMEZONE, Database
from tests.integration.postgres.rows import add_execution

from omie_control.errors import Conflict
from omie_control.postgres import alerts, bodies, configurations, partitions, schedules, status
from omie_control.postgres.alerts import Severity
from omie_control.postgres.configurations import ConfigType
from omie_control.postgres.migrate import migrations


async def test_an_alert_is_raised_listed_and_resolved_once(conn: asyncpg.Connection) -> None:
    first = await alerts.add(conn, "api_timeout", Severity.WARNING, "Omie lento" * 50, "Espere.", context={"ç": [1]})
    second = await alerts.add(conn, "api_block", Severity.CRITICAL, "Bloqueio", "Pare.", endpoint="a/b/C")
    listed = await alerts.page(conn)
    assert [alert.id for alert in listed] == [second, first]
    assert listed[1].context_data == {"ç": [1]} and len(listed[1].title) == 200
    assert await alerts.count_unresolved(conn) == {Severity.WARNING: 1, Severity.CRITICAL: 1}
    assert await alerts.resolve(conn, first, by="user:maria")
    assert not await alerts.resolve(conn, first, by="user:joao")
    assert not await alerts.resolve(conn, 999_999, by="user:joao")
    assert [alert.id for alert in await alerts.page(conn)] == [second]
    everything = await alerts.page(conn, unresolved_only=False)
    assert [(alert.id, alert.resolved_by) for alert in everything] == [(second, None), (first, "user:maria")]
    assert [alert.id for alert in await alerts.page(conn, unresolved_only=False, before=second)] == [first]
    assert [alert.id for alert in await alerts.page(conn, severity=Severity.CRITICAL)] == [second]


async def test_a_configuration_keeps_every_change_of_it(conn: asyncpg.Connection) -> None:
    async with conn.transaction():
        await configurations.put(conn, "cache", True, ConfigType.FEATURE_FLAG, by="user:maria", description="Cache")
        await configurations.put(conn, "cache", False, ConfigType.FEATURE_FLAG, by="user:joao", description="Cache")
    (found,) = await configurations.everything(conn)
    assert (found.config_value, found.created_by) == (False, "user:maria")
    async with conn.transaction():
        assert await configurations.retire(conn, "cache", by="user:ana")
    assert not await configurations.retire(conn, "cache", by="user:ana")
    assert await configurations.everything(conn) == []
    changes = await configurations.history(conn, "cache", before=None, limit=10)
    assert [(change.changed_by, change.before, change.after) for change in changes] == [
        ("user:ana", False, None),
        ("user:joao", True, False),
        ("user:maria", None, True),
    ]
    newest, middle, first = changes
    assert await configurations.revision(conn) == newest.revision
    assert await configurations.as_of(conn, first.revision) == {"cache": True}
    assert await configurations.as_of(conn, newest.revision) == {"cache": None}
    assert await configurations.history(conn, None, before=middle.revision, limit=10) == [first]


async def test_a_configuration_keeps_its_type(conn: asyncpg.Connection) -> None:
    await configurations.put(conn, "limite", {"ms": 5}, ConfigType.THRESHOLD, by="user:maria")
    with pytest.raises(Conflict):
        await configurations.put(conn, "limite", True, ConfigType.FEATURE_FLAG, by="user:maria")
    (kept,) = await configurations.everything(conn)
    assert (kept.config_type, kept.config_value) == ("threshold", {"ms": 5})


async def test_each_due_turn_is_claimed_once_and_what_was_missed_is_not_made_up(
    conn: asyncpg.Connection, database: Database
) -> None:
    await schedules.register(conn, "fold", timedelta(minutes=60))
    await conn.execute("update schedules set next_run_at = now() - interval '1 day'")
    second = await asyncpg.connect(database.app_url)
    claims = await asyncio.gather(*(schedules.claim_due(each, ["fold"]) for each in (conn, second)))
    await second.close()
    (claimed,) = [claim for claim in claims if claim is not None]
    assert claimed.name == "fold" and claimed.next_run_at > datetime.now(UTC) + timedelta(minutes=50)
    assert await schedules.claim_due(conn, ["fold"]) is None
    await schedules.note_outcome(conn, "fold", "falhou")
    await schedules.register(conn, "fold", timedelta(seconds=5))
    (known,) = await schedules.all_schedules(conn)
    assert (known.every, known.last_error, known.runs) == (timedelta(minutes=60), "falhou", 1)
    await conn.execute("update schedules set is_active = false, next_run_at = now()")
    assert await schedules.claim_due(conn, ["fold"]) is None


async def test_months_are_made_ahead_once(conn: asyncpg.Connection) -> None:
    before = {partition.name for partition in await partitions.all_partitions(conn)}
    made = await partitions.make_ahead(conn, 8)
    after = {partition.name for partition in await partitions.all_partitions(conn)}
    assert made == len(after - before) > 0 and made % 3 == 0
    assert await partitions.make_ahead(conn, 8) == 0
    assert (await status.read(conn)).months_ahead >= 7


async def test_bodies_are_read_by_part_and_erased(conn: asyncpg.Connection) -> None:
    young, young_name = await add_execution(conn)
    old, _ = await add_execution(conn, ago=timedelta(days=20))
    key = uuid4()
    for id, part in ((young, 1), (young, 0), (old, 1)):
        await conn.execute(
            "insert into execution_bodies (execution_id, part, key_id, sealed, document_hashes) "
            "values ($1, $2, $3, $4, $5)",
            id,
            part,
            key,
            b"sealed %d" % part,
            bytes(range(32)) if part else None,
        )
    found = await bodies.parts(conn, young)
    assert [(body.part, body.sealed) for body in found] == [(0, b"sealed 0"), (1, b"sealed 1")]
    assert found[0].document_hashes == b"" and found[1].document_hashes == bytes(range(32))
    owner = await bodies.execution(conn, young_name, young)
    assert owner is not None and owner.id == young
    assert await bodies.execution(conn, "nothing", None) is None
    assert await bodies.erase(conn, [young, old]) == 3
    assert await bodies.parts(conn, young) == []


async def test_the_server_says_how_it_stands(conn: asyncpg.Connection, owner_conn: asyncpg.Connection) -> None:
    state = await status.read(conn)
    assert state.timezone == TIMEZONE and state.schema_version == migrations()[-1].name
    assert state.database_bytes > 1_000_000 and state.connections >= 2 and not state.is_replica
    assert await status.pending_migrations(conn) == []
    assert await status.audit_is_shielded(conn) and not await status.audit_is_shielded(owner_conn)
    await conn.execute("set synchronous_commit = off")
    assert "synchronous_commit" in await status.check_durability(conn)
    async with owner_conn.transaction():
        await owner_conn.execute("select 1")
        oldest = await status.oldest_transaction(owner_conn)
    assert oldest is None or oldest.seconds >= 0
