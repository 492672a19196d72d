"""Configuration: set once, used by every process within two seconds, with its history, its audit and a way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from tests.conftest import eventually
from tests.integration.services.conftest import OWNER, STRANGER, Firm, audited

from omie_control.domain.access import Right
from omie_control.domain.companies import Secret
from omie_control.domain.configuration import BASE_URL, PATIENCE, PROXY, WRITES_ENABLED
from omie_control.errors import Forbidden, InvalidInput, NotFound
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access
from omie_control.services.configuration import HIDDEN, Configurations, Difference
from omie_control.services.keys import Keys
from omie_control.services.live_configuration import LOOK_EVERY, LiveConfiguration

CANARY = "http://ana:canario-4711@proxy.exemplo:3128"


@pytest.fixture
async def live(postgres: Postgres, keys: Keys) -> AsyncIterator[LiveConfiguration]:
    """Give the configuration of one process."""
    made = LiveConfiguration(postgres, keys)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def configurations(postgres: Postgres, keys: Keys, access: Access, live: LiveConfiguration) -> Configurations:
    """Give the verbs."""
    return Configurations(postgres, keys, access, live)


async def test_whoever_is_kept_to_some_companies_changes_nothing_that_all_share(
    configurations: Configurations, conn: asyncpg.Connection
) -> None:
    """Else an administrator of one company had the credentials of all others sent to an address of their own."""
    local = replace(OWNER, name="local", companies=frozenset({UUID(int=1)}))
    with pytest.raises(Forbidden, match="vale para todas as empresas"):
        await configurations.set(local, "omie.base_url", "https://198.51.100.7/api/v1/")
    with pytest.raises(Forbidden):
        await configurations.set(local, "writes.enabled", False)
    with pytest.raises(Forbidden):
        await configurations.unset(local, "omie.proxy")
    with pytest.raises(Forbidden):
        await configurations.roll_back(local, 0)
    assert all(setting.is_default for setting in await configurations.list(local)), "they may look"
    refused = await audited(conn, "config.manage", "refused")
    assert [row["actor"] for row in refused] == [local.label] * 4


async def test_what_is_set_is_used_here_at_once_and_elsewhere_at_the_next_look(
    configurations: Configurations, live: LiveConfiguration, postgres: Postgres, keys: Keys
) -> None:
    elsewhere = LiveConfiguration(postgres, keys)
    heard: list[object] = []
    await elsewhere.refresh()

    async def hear() -> None:
        heard.append(elsewhere.get(PATIENCE))

    elsewhere.on_change(hear)
    setting = await configurations.set(OWNER, "omie.patience_seconds", "7")
    assert (setting.value, setting.default, setting.is_default) == (7, 20, False)
    assert live.get(PATIENCE) == 7 and elsewhere.get(PATIENCE) == 20
    await elsewhere.refresh()
    await elsewhere.refresh()
    assert heard == [7]
    assert LOOK_EVERY.total_seconds() * 1.1 < 2
    assert (await configurations.unset(OWNER, "omie.patience_seconds")).is_default
    assert live.get(PATIENCE) == 20


async def test_a_running_process_looks_by_itself(live: LiveConfiguration, conn: asyncpg.Connection) -> None:
    changed = live_change(live)
    await conn.execute(
        "insert into system_configurations (config_key, config_value, config_type)"
        " values ('writes.enabled', 'false', 'feature_flag')"
    )
    await changed
    assert live.get(WRITES_ENABLED) is False


async def test_writes_that_are_off_are_off_for_all(
    configurations: Configurations, live: LiveConfiguration, postgres: Postgres, firm: Firm, conn: asyncpg.Connection
) -> None:
    access = Access(postgres, live)
    await access.require(OWNER, Right.OMIE_WRITE, firm.padaria.id)
    await configurations.set(OWNER, "writes.enabled", "não")
    with pytest.raises(Forbidden, match=r"writes\.enabled"):
        await access.require(OWNER, Right.OMIE_WRITE, firm.padaria.id)
    await access.require(OWNER, Right.OMIE_READ, firm.padaria.id)
    assert [row["company_id"] for row in await audited(conn, "omie.write", "refused")] == [firm.padaria.id]


async def test_only_who_may_reads_and_only_an_administrator_changes(
    configurations: Configurations, firm: Firm, conn: asyncpg.Connection
) -> None:
    for actor in (STRANGER, firm.helper):
        with pytest.raises(Forbidden):
            await configurations.list(actor)
        with pytest.raises(Forbidden):
            await configurations.set(actor, "cache.enabled", "false")
        with pytest.raises(Forbidden):
            await configurations.roll_back(actor, 0)
    refusals = await audited(conn, "config.manage", "refused")
    assert [row["object_id"] for row in refusals] == ["cache.enabled", None] * 2
    assert await audited(conn, "config.changed") == []


async def test_a_secret_goes_in_and_never_comes_out(
    configurations: Configurations, live: LiveConfiguration, conn: asyncpg.Connection
) -> None:
    setting = await configurations.set(OWNER, "omie.proxy", CANARY)
    assert setting.value == HIDDEN
    assert live.get(PROXY) == Secret(CANARY)
    await configurations.set(OWNER, "omie.proxy", CANARY.replace("4711", "4712"))
    changes, _ = await configurations.history(OWNER, "omie.proxy")
    assert [(change.before, change.after) for change in changes] == [(HIDDEN, HIDDEN), (None, HIDDEN)]
    assert await configurations.diff(OWNER, 0) == [Difference("omie.proxy", None, HIDDEN)]
    for table in ("system_configurations", "configuration_history", "audit_events"):
        everything = await conn.fetchval(f"select coalesce(string_agg(t::text, ' '), '') from {table} t")
        assert everything and "canario" not in everything
    await configurations.roll_back(OWNER, changes[1].revision)
    assert live.get(PROXY) == Secret(CANARY)


async def test_a_secret_moved_to_another_row_is_not_used(
    configurations: Configurations, live: LiveConfiguration, conn: asyncpg.Connection
) -> None:
    await configurations.set(OWNER, "omie.proxy", CANARY)
    await conn.execute(
        "update system_configurations set config_value = jsonb_set(config_value, '{ciphertext}', '\"AAAA\"')"
    )

    # Of the change before, too, the process may hear by itself yet.
    async def is_unused() -> bool:
        return live.get(PROXY) is None

    await eventually(is_unused)
    setting = await configurations.get(OWNER, "omie.proxy")
    assert setting.is_default and setting.problem is not None and setting.value is None


async def test_the_history_tells_who_changed_what_also_by_hand(
    configurations: Configurations, conn: asyncpg.Connection
) -> None:
    await configurations.set(OWNER, "cache.enabled", "false")
    await configurations.set(OWNER, "cache.enabled", "false")
    await conn.execute("update system_configurations set config_value = 'true' where config_key = 'cache.enabled'")
    changes, cursor = await configurations.history(OWNER)
    assert cursor is None
    assert [(change.before, change.after) for change in changes] == [(False, True), (None, False)]
    by_hand, by_verb = (change.changed_by for change in changes)
    assert by_verb == OWNER.label and by_hand == await conn.fetchval("select session_user::text")
    assert len(await audited(conn, "config.changed")) == 1
    first, following = await configurations.history(OWNER, limit=1)
    assert len(first) == 1 and following is not None
    assert [c.after for c in (await configurations.history(OWNER, before=following))[0]] == [False]


async def test_rolling_back_brings_all_keys_to_where_they_were(
    configurations: Configurations, live: LiveConfiguration, conn: asyncpg.Connection
) -> None:
    await configurations.set(OWNER, "omie.patience_seconds", "7")
    marked = (await configurations.history(OWNER))[0][0].revision
    await configurations.set(OWNER, "omie.patience_seconds", "9")
    await configurations.set(OWNER, "omie.base_url", "https://app.omie.com.br/api/v1/")
    changed = await configurations.roll_back(OWNER, marked)
    assert set(changed) == {
        Difference("omie.patience_seconds", 9, 7),
        Difference("omie.base_url", "https://app.omie.com.br/api/v1/", None),
    }
    assert (live.get(PATIENCE), live.get(BASE_URL)) == (7, None)
    assert await configurations.roll_back(OWNER, marked) == []
    assert len(await audited(conn, "config.rolled_back")) == 2
    assert [each.after for each in await configurations.roll_back(OWNER, 0, "omie.patience_seconds")] == [None]
    with pytest.raises(NotFound, match="9999"):
        await configurations.roll_back(OWNER, 9999)


async def test_an_old_value_that_its_key_no_longer_takes_is_not_put_back(
    configurations: Configurations, conn: asyncpg.Connection, live: LiveConfiguration
) -> None:
    await conn.execute(
        "insert into system_configurations (config_key, config_value, config_type)"
        " values ('omie.patience_seconds', '5000', 'threshold'), ('velha.chave', '1', 'threshold')"
    )
    await live.refresh()
    assert live.get(PATIENCE) == 20
    found = {setting.config_key: setting for setting in await configurations.list(OWNER)}
    assert "de 1 a 120" in str(found["omie.patience_seconds"].problem)
    assert "não existe" in str(found["velha.chave"].problem)
    bad = (await configurations.history(OWNER, "omie.patience_seconds"))[0][0].revision
    await configurations.set(OWNER, "omie.patience_seconds", "30")
    with pytest.raises(InvalidInput):
        await configurations.roll_back(OWNER, bad, "omie.patience_seconds")
    assert live.get(PATIENCE) == 30


async def test_the_application_cannot_rewrite_the_history(database: object, configurations: Configurations) -> None:
    await configurations.set(OWNER, "cache.enabled", "false")
    connection = await asyncpg.connect(database.app_url)  # type: ignore[attr-defined]
    try:
        for statement in (
            "update configuration_history set changed_by = 'outro'",
            "delete from configuration_history",
            "insert into configuration_history (config_key, changed_by) values ('x', 'y')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


def live_change(live: LiveConfiguration) -> asyncio.Future[None]:
    """Return what is done when the process has read a change by itself."""
    changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hear() -> None:
        if not changed.done():
            changed.set_result(None)

    live.on_change(hear)
    return changed
