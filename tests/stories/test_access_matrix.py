"""Every route, tool, resource and command asks for its rights; one without an entry in `access_table.py` fails here.

Each entry is proved by real calls: whoever holds exactly its rights passes, whoever lacks one of them is refused
with the standard status, and an audit row names the right that was missing.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
import typer
from fastapi.routing import APIRoute
from fastmcp import Client
from fastmcp.exceptions import FastMCPError, ToolError
from mcp_types import TextResourceContents
from starlette.routing import Mount
from tests.conftest import Database
from tests.mcp_serving import serving, settings_for
from tests.stories.access_table import (
    API,
    ASKED,
    COMMANDS,
    ENVELOPES,
    NO_EXECUTION,
    OWN,
    RESOURCES,
    ROUTES,
    TEMPLATES,
    TOOLS,
    Rights,
)

from omie_control.app import App, open_app
from omie_control.cli.main import main as cli
from omie_control.domain.access import READING, RIGHTS, Right
from omie_control.domain.actors import SYSTEM, Actor, ActorKind, AnyRole, Role
from omie_control.domain.executions import Category, Complexity, Origin
from omie_control.domain.roles import OwnRole
from omie_control.mcp.control import Control
from omie_control.mcp.server import build_server
from omie_control.mcp.traits import Traits, traits_of
from omie_control.web import build_web
from omie_control.web.auth import SESSION_COOKIE

# A thousand calls.
pytestmark = pytest.mark.timeout(900)

RUN = Right.EXECUTION_RUN
# Callers of this machine may read the metrics; these are told from them.
FROM_AFAR = {"X-Forwarded-For": "203.0.113.1"}
# Answers that come behind the question of rights.
PASSED = frozenset({200, 303, 404, 409})


@pytest.fixture
async def app(database: Database, valkey_url: str, tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as opened:
        await opened.companies.add(SYSTEM, "padaria", "Padaria", "1234567890", "a" * 32, base_url="http://127.0.0.1:9/")
        yield opened


@dataclass(frozen=True)
class Attempt:
    """One call by an actor of its own; `missing` is the right that it has to be refused for, None for none."""

    name: str
    role: AnyRole
    missing: Right | None
    needed: Rights


def attempts(name: str, needed: Rights) -> Iterator[Attempt]:
    """Whoever holds exactly what is needed, whoever lacks one of it, and every built-in role."""
    yield Attempt(name, own(needed), None, needed)
    for right in needed:
        yield Attempt(name, own(needed - {right} or {Right.KEY_MANAGE}), right, needed)
    for role in Role:
        # Whoever lacks more than one is told of the right to change first: verbs ask in this order.
        lacking = sorted(needed - RIGHTS[role], key=READING.__contains__)
        yield Attempt(name, role, next(iter(lacking), None), needed)


def own(rights: Rights | set[Right]) -> OwnRole:
    return OwnRole(uuid4(), f"papel-{uuid4().hex[:12]}", frozenset(rights))


def rights_of_tool(name: str, traits: Traits, arguments: Mapping[str, Any]) -> Rights:
    """A tool of Omie's resolves a company, reads or writes there, and is an execution; others are in the table."""
    if traits.calls_omie:
        return frozenset({RUN, Right.COMPANY_READ, traits.of(arguments).right})
    return frozenset({RUN}) | TOOLS[name][0]


def served(routes: Iterable[object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield from ((method, prefix + route.path_format) for method in route.methods or ())
        elif isinstance(route, Mount):
            yield "GET", prefix + route.path
        else:
            # A router within: FastAPI unfolds it at the first request only.
            router, context = getattr(route, "original_router", None), getattr(route, "include_context", None)
            assert router is not None, f"what kind of route is {route!r}?"
            assert context is not None
            yield from served(router.routes, prefix + context.prefix)


def test_every_route_is_in_the_table(database: Database, valkey_url: str, tmp_path: Path) -> None:
    async def routes() -> set[tuple[str, str]]:
        async with open_app(settings_for(database, valkey_url, tmp_path), kind="serve") as app:
            return set(served(build_web(app).routes))

    assert asyncio.run(routes()) == set(ROUTES)


def test_every_command_is_in_the_table() -> None:
    def walk(command: object, path: tuple[str, ...]) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(path)
        for name, each in dict(inner or {}).items():
            yield from walk(each, (*path, name))

    assert set(walk(typer.main.get_command(cli), ())) == set(COMMANDS)


async def test_every_tool_and_resource_asks_exactly_for_its_rights(app: App, conn: asyncpg.Connection) -> None:
    server = build_server(app, lists_all=True)
    control = next(each for each in server.middleware if isinstance(each, Control))
    tools = {tool.name: traits_of(tool, None) for tool in await server.list_tools(run_middleware=False)}
    assert {name for name, traits in tools.items() if not traits.calls_omie} == set(TOOLS) | ENVELOPES
    assert {str(each.uri) for each in await server.list_resources()} == set(RESOURCES) - set(TEMPLATES.values())
    assert {each.uri_template for each in await server.list_resource_templates()} == set(TEMPLATES)
    # An argument that no tool has: it ends the call behind the check and before Omie.
    nothing = {"empresa": "padaria", "argumento_que_nao_existe": 1}
    expected: dict[str, Attempt] = {}

    def enter(attempt: Attempt) -> None:
        actor = Actor(ActorKind.TOKEN, f"{len(expected)}", attempt.role, UUID(int=len(expected)))
        expected[actor.label] = attempt
        control._actor = actor

    async with Client(server) as client:
        for name, traits in tools.items():
            arguments = TOOLS[name][1] if name in TOOLS else nothing
            for attempt in attempts(name, rights_of_tool(name, traits, arguments)) if name not in ENVELOPES else ():
                enter(attempt)
                with suppress(ToolError):
                    await client.call_tool(name, arguments)
        for uri, rights in RESOURCES.items():
            for attempt in attempts(uri, rights | {RUN}):
                enter(attempt)
                with suppress(FastMCPError, Exception):
                    assert isinstance((await client.read_resource(uri))[0], TextResourceContents)
    ended = await conn.fetch("select actor, array_agg(error_code) as codes from process_executions group by actor")
    audited = await conn.fetch(
        "select actor, array_agg(action) as actions from audit_events where outcome = 'refused' group by actor"
    )
    codes = {row["actor"]: row["codes"] for row in ended}
    refused = {row["actor"]: row["actions"] for row in audited}
    wrong = [
        f"{attempt.name} as {attempt.role}: {codes.get(label)} {refused.get(label)}, expected {attempt.missing}"
        for label, attempt in expected.items()
        if ("sem_permissao" in codes.get(label, ())) != (attempt.missing is not None)
        or not set(refused.get(label, ())) <= {right.value for right in attempt.needed - _held(attempt.role)}
        or bool(refused.get(label)) != (attempt.missing is not None)
    ]
    assert len(expected) > 1_000
    assert wrong == [], "\n".join(wrong)


async def test_limits_of_a_role_hold_for_every_tool(app: App, conn: asyncpg.Connection) -> None:
    server = build_server(app, lists_all=True)
    control = next(each for each in server.middleware if isinstance(each, Control))
    tools = {tool.name: traits_of(tool, None) for tool in await server.list_tools(run_middleware=False)}
    everything = frozenset(Right)
    payer = OwnRole(uuid4(), "pagador", everything, frozenset({Category.FINANCEIRO}), frozenset(Complexity))
    reader = OwnRole(uuid4(), "leitor", everything, is_read_only=True)
    beginner = OwnRole(uuid4(), "iniciante", everything, None, frozenset({Complexity.BASICA}))
    expected: dict[str, bool] = {}
    async with Client(server) as client:
        for name, traits in tools.items():
            if name in ENVELOPES:
                continue
            arguments = TOOLS[name][1] if name in TOOLS else {"empresa": "padaria", "argumento_que_nao_existe": 1}
            needed = rights_of_tool(name, traits, arguments)
            for role, is_refused in (
                (payer, traits.category is not Category.FINANCEIRO),
                (reader, not needed <= READING),
                (beginner, traits.complexity is not Complexity.BASICA),
            ):
                actor = Actor(ActorKind.TOKEN, f"{role}-{name}", role)
                expected[actor.label] = is_refused
                control._actor = actor
                with suppress(ToolError):
                    await client.call_tool(name, arguments)
    rows = await conn.fetch("select actor, array_agg(error_code) as codes from process_executions group by actor")
    refused = {row["actor"]: "sem_permissao" in row["codes"] for row in rows}
    assert {label: refused.get(label) for label in expected} == expected
    assert len(set(expected.values())) == 2


async def test_every_route_asks_exactly_for_its_right(app: App, conn: asyncpg.Connection) -> None:
    expected: Counter[str] = Counter()
    async with (
        serving(build_web(app)) as url,
        httpx2.AsyncClient(base_url=url, headers=FROM_AFAR, timeout=60) as stranger,
    ):
        for (method, path), right in ROUTES.items():
            name = f"{method} {path}"
            answer = await stranger.request(method, _address(path), **ASKED.get(name, {}))
            assert (answer.status_code == 401) is (bool(_rights(right)) or str(right).startswith(OWN)), (name, answer)
            for attempt in attempts(name, _rights(right)) if _rights(right) else ():
                status = await _visit(app, url, method, path, attempt)
                assert status in PASSED if attempt.missing is None else status == 403, (attempt, status)
                if attempt.missing is not None:
                    expected[attempt.missing.value] += 1
    # Whoever lacks two is refused for the one that is asked first.
    kept = await conn.fetch("select action from audit_events where outcome = 'refused' and action not like '%.refused'")
    assert len(kept) == expected.total()
    assert {row["action"] for row in kept} == set(expected)


async def _visit(app: App, url: str, method: str, path: str, attempt: Attempt) -> int:
    """Ask as a person (where the route takes a token: by one) of a role, and give the status."""
    role = attempt.role
    if isinstance(role, OwnRole):
        async with app.db.postgres.transaction() as tx:
            await tx.execute(
                "insert into roles (id, name, rights, created_by) values ($1, $2, $3, 'test')",
                role.id,
                role.name,
                sorted(role.rights),
            )
    asked = dict(ASKED.get(attempt.name, {}))
    if path == "/metrics" or path.startswith(API):
        _, text = await app.tokens.create(SYSTEM, "programa", role)
        headers = {"Authorization": f"Bearer {text}", **FROM_AFAR}
    else:
        user, _ = await app.services.invitations.invite(SYSTEM, f"u{uuid4().hex}", role)
        secret = await app.logins.open(user, Origin("web"))
        headers = {"Cookie": f"{SESSION_COOKIE}={secret}"}
        if method == "POST":
            login = await app.logins.verify(secret)
            assert login is not None
            asked["data"] = {**asked.get("data", {}), "csrf_token": login.csrf_token}
    async with (
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
        client.stream(method, _address(path), **asked) as answer,
    ):
        return answer.status_code


def _rights(entry: Right | Rights | str) -> Rights:
    if isinstance(entry, Right):
        return frozenset({entry})
    return frozenset() if isinstance(entry, str) else entry


def _address(path: str) -> str:
    known = {
        "execution_id": NO_EXECUTION["execution_id"],
        "session_id": str(UUID(int=1)),
        "key": "login.hours",
        "revision": "0",
    }
    return re.sub(r"\{([a-z_]+)\}", lambda name: known.get(name[1], "nenhum"), path)


def _held(role: AnyRole) -> Rights:
    return role.rights if isinstance(role, OwnRole) else RIGHTS[role]
