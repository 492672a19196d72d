"""Roles in every kind of server: a superuser's, a plain owner's, one where the owner is the application itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from tests.conftest import TIMEZONE, at_database, run_on

from omie_control.postgres.migrate import migrate, migrations
from omie_control.postgres.roles import scram_verifier
from omie_control.telemetry import Event, subscribe


@dataclass(frozen=True, slots=True)
class Plain:
    """A database whose owner is no superuser, as a hosted PostgreSQL gives it."""

    owner: str
    owner_url: str
    name: str


@pytest.fixture
async def plain(postgres_server: str) -> AsyncIterator[Plain]:
    owner, password = f"octl_owner_{secrets.token_hex(4)}", secrets.token_urlsafe(9)
    name = f"{owner}_db"
    await run_on(
        postgres_server, f"create role {owner} login password '{password}'", f"create database {name} owner {owner}"
    )
    yield Plain(owner, at_database(postgres_server, name, user=owner, password=password), name)
    await run_on(postgres_server, f"drop database {name} with (force)", f"drop role {owner}")


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    end = subscribe(lambda event, facts: heard.append(facts) if event is Event.MIGRATION_LIMITED else None)
    yield heard
    end()


async def test_a_plain_owner_migrates_and_is_its_own_application(plain: Plain, told: list[dict[str, Any]]) -> None:
    password = plain.owner_url.split(":")[2].split("@")[0]
    applied = await migrate(plain.owner_url, timezone=TIMEZONE, logins={plain.owner: password})
    assert applied == [migration.name for migration in migrations()]
    connection = await asyncpg.connect(plain.owner_url)
    await connection.execute("insert into process_executions (process_type, execution_id) values ('t', 'e')")
    assert await connection.fetchval("select make_partitions('2033-01-01', 1)") == 3
    assert await connection.fetchval("show timezone") == TIMEZONE
    await connection.close()
    assert await migrate(plain.owner_url, timezone=TIMEZONE) == []


async def test_what_a_plain_owner_may_not_do_is_told_and_left_to_the_administrator(
    plain: Plain, postgres_server: str, told: list[dict[str, Any]]
) -> None:
    login = f"octl_app_{secrets.token_hex(4)}"
    await migrate(plain.owner_url, timezone=TIMEZONE, logins={login: "hunter2"})
    assert [facts["role"] for facts in told if facts["step"] == "role"] == [login]
    assert "hunter2" not in str(told)
    # The administrator makes the login; its rights were given with the group's.
    await run_on(postgres_server, f"create role {login} login password 'hunter2' in role omie_control_app")
    connection = await asyncpg.connect(at_database(postgres_server, plain.name, user=login, password="hunter2"))
    await connection.execute("insert into audit_events (actor, action) values ('a', 'b.c')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("delete from audit_events")
    await connection.close()
    await run_on(postgres_server, f"drop role {login}")


async def test_a_login_gets_the_password_it_is_given_again(empty_database: str, postgres_server: str) -> None:
    login = f"octl_app_{secrets.token_hex(4)}"
    for password in ("first ç'\"", "second"):
        await migrate(empty_database, timezone=TIMEZONE, logins={login: password})
        connection = await asyncpg.connect(empty_database, user=login, password=password)
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(empty_database, user=login, password="first")
    await run_on(empty_database, f"drop owned by {login}")
    await run_on(postgres_server, f"drop role {login}")


async def test_two_databases_of_one_server_may_be_migrated_at_once(postgres_server: str) -> None:
    names = [f"octl_twin_{secrets.token_hex(4)}" for _ in range(3)]
    login = f"octl_app_{secrets.token_hex(4)}"
    for name in names:
        await run_on(postgres_server, f"create database {name}")
    try:
        await asyncio.gather(
            *(migrate(at_database(postgres_server, n), timezone=TIMEZONE, logins={login: "x"}) for n in names)
        )
    finally:
        await run_on(postgres_server, *(f"drop database {name} with (force)" for name in names), f"drop role {login}")


def test_a_verifier_never_holds_the_password_and_is_never_the_same() -> None:
    one, two = scram_verifier("hunter2"), scram_verifier("hunter2")
    assert one.startswith("SCRAM-SHA-256$4096:") and one != two and "hunter2" not in one
