"""The memory of answers, handled by its tools: seen, filled, and thrown away by whoever may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from fastmcp import Client
from tests.stories.tools.conftest import Running
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.freshness import WARM
from omie_control.mcp.server import build_server
from omie_control.simulator.faults import read_plan

OPERATOR = Actor(ActorKind.STDIO, "operacao", Role.OPERATOR)
UNKNOWN = {"empresa": "nao-ha"}
PAGE = {"registros_por_pagina": 100}


@pytest_asyncio.fixture(loop_scope="session")
async def operators(house: House, running: Running) -> AsyncIterator[House]:
    """Give the same house to somebody who runs things."""
    async with Client(build_server(running.app, stdio_actor=OPERATOR)) as client:
        yield replace(house, client=client)


async def audited(running: Running, house: House, action: str) -> list[str]:
    """Return who did it, as the audit says."""
    async with running.app.db.postgres.reading() as connection:
        found = await connection.fetch(
            "select actor from audit_events where action = $1 and object_id = $2", action, house.slug
        )
    return [row["actor"] for row in found]


def everything_is_at_hand(house: House, answer: Told) -> None:
    asked = [entry["endpoint"] for entry in house.asked]
    assert dict.fromkeys(asked) == dict.fromkeys(path + call for path, call in WARM)
    assert answer.data["paginas"] == answer.data["paginas_lidas_do_omie"] == len(asked) >= len(WARM)
    assert "recusadas" not in answer.data


async def all_of_it_at_hand(house: House) -> dict[str, object]:
    await house.call("cache_preload")
    return {}


STORIES = (
    Story(
        "cache_preload",
        good=Case(then=everything_is_at_hand),
        empty=Case(all_of_it_at_hand, has={"paginas_lidas_do_omie": 0}),
        wrong=Case(UNKNOWN, says="não existe"),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_what_was_preloaded_is_not_asked_again(house: House, running: Running) -> None:
    await house.call("cache_preload")
    before = len(house.asked)
    told_again = await house.call("consultar_departamentos", **PAGE)
    assert told_again.data["fonte"] == "cache"
    assert told_again.data["registros"] == len(house.table("departamentos"))
    assert len(house.asked) == before
    assert await audited(running, house, "cache.preloaded") == ["stdio:historias"]


async def test_a_table_that_omie_refuses_is_named_and_the_others_are_kept(house: House) -> None:
    plan = {"match": {"app_key": house.app_key, "call": "ListarBancos"}, "move": "500", "times": None}
    house.omie.simulator.faults.add([read_plan(plan)])
    done = await house.call("cache_preload")
    assert list(done.data["recusadas"]) == ["geral/bancos/ListarBancos"]
    assert done.data["paginas"] >= len(WARM) - 1
    assert "O Omie recusou:" in done.text


async def test_the_state_names_what_is_at_hand(house: House) -> None:
    before = await house.call("cache_status")
    assert {row["guardada"] for row in before.data["tabelas"]} == {False}
    assert (before.data["ligado"], house.asked) == (True, [])
    await house.call("cache_preload")
    asked = len(house.asked)
    after = await house.call("cache_status")
    assert [row["metodo"] for row in after.data["tabelas"]] == [path + call for path, call in WARM]
    assert {row["guardada"] for row in after.data["tabelas"]} == {True}
    assert all(0 <= row["idade_segundos"] < row["vale_por_segundos"] for row in after.data["tabelas"])
    assert after.data["validade_segundos"]["saldos_e_estoque"] == 60
    assert len(house.asked) == asked


async def test_the_state_of_a_company_that_is_not_there_is_refused(house: House) -> None:
    refused = await house.call("cache_status", **UNKNOWN)
    assert refused.is_error
    assert "não existe" in refused.text


async def test_an_operator_throws_the_answers_away_and_the_audit_says_so(
    house: House, operators: House, running: Running
) -> None:
    await house.call("cache_preload")
    cleared = await operators.call("cache_clear")
    assert (cleared.data["descartado"], cleared.data["empresa"]) == (True, house.slug)
    state = await house.call("cache_status")
    assert {row["guardada"] for row in state.data["tabelas"]} == {False}
    # The old answer is not told again; Omie itself takes the same question only after a minute.
    again = await house.call("consultar_departamentos", **PAGE)
    assert again.is_error
    assert "depois de um minuto" in again.text
    assert await audited(running, house, "cache.cleared") == ["stdio:operacao"]


async def test_an_agent_may_not_throw_answers_away(house: House, running: Running) -> None:
    await house.call("cache_preload")
    refused = await house.call("cache_clear")
    assert refused.is_error
    assert "não permite descartar as respostas guardadas do Omie" in refused.text
    assert {row["guardada"] for row in (await house.call("cache_status")).data["tabelas"]} == {True}
    assert await audited(running, house, "cache.cleared") == []
    assert await audited(running, house, "cache.clear") == ["stdio:historias"]


async def test_clearing_twice_or_with_nothing_kept_is_fine(operators: House) -> None:
    for _ in range(2):
        assert (await operators.call("cache_clear")).data["descartado"] is True
    assert operators.asked == []


async def test_clearing_a_company_that_is_not_there_is_refused(operators: House) -> None:
    refused = await operators.call("cache_clear", **UNKNOWN)
    assert refused.is_error
    assert "não existe" in refused.text
