"""Answers told again: real Valkey, real keys, many callers, several processes, and bad days."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Hashable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from tests.conftest import Clock, Database, eventually
from tests.integration.services import asker_process
from tests.integration.services.asker_process import METHOD, PARAM, ROWS
from tests.integration.services.conftest import Firm
from tests.integration.valkey.conftest import OwnValkey

from omie_control.errors import OmieBusy, OmieFault
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.protocol import Payload
from omie_control.services import answer_bodies
from omie_control.services.answers import Answer, Answers
from omie_control.services.flights import LEASE_SECONDS, Landed
from omie_control.services.keys import Keys
from omie_control.valkey import cache, connect, connection
from omie_control.valkey.cache import Cache

ALTER = catalog().method("geral/clientes/", "AlterarCliente")
SETTLE = catalog().method("financas/contapagar/", "LancarPagamento")
CPF = "529.982.247-25"
# How long life waits for Valkey; and so many callers that, one after the other, they would wait for minutes.
PATIENCE_SECONDS = cache.TIMEOUT_SECONDS
CALLERS = 300


class Omie:
    """What Omie would answer, how often it was asked, and a door that can be held shut."""

    def __init__(self) -> None:
        self.asked = 0
        self.flyer: asyncio.Task[Any] | None = None
        self.door = asyncio.Event()
        self.door.set()
        self.errors: list[Exception] = []
        self.payload = Payload(ROWS, 200)

    async def fetch(self) -> Payload:
        self.asked += 1
        self.flyer = asyncio.current_task()
        await self.door.wait()
        if self.errors:
            raise self.errors.pop(0)
        return self.payload


@pytest.fixture
def own_valkey() -> Iterator[OwnValkey]:
    folder = Path(tempfile.mkdtemp(prefix="octl-an-"))
    server = OwnValkey(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hasty_valkey(patient_valkey: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take Valkey for away as soon as life does: for a test of what comes of that."""
    monkeypatch.setattr(cache, "TIMEOUT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(connection, "TIMEOUT_SECONDS", 2 * PATIENCE_SECONDS)


@pytest.fixture
async def client(own_valkey: OwnValkey) -> AsyncIterator[redis.asyncio.Redis]:
    made = connect(own_valkey.url)
    yield made
    await made.aclose()


@pytest.fixture
async def answers(client: redis.asyncio.Redis, keys: Keys, clock: Clock) -> AsyncIterator[Answers]:
    made = Answers(Cache(client), keys, clock=clock)
    yield made
    await made.close()


@pytest.fixture
def omie() -> Omie:
    return Omie()


def followers(answers: Answers) -> list[Hashable]:
    """Return a list that grows by one with each caller who follows the flight of another."""
    found: list[Hashable] = []
    join = answers._flights.join

    async def noted(id: Hashable) -> Landed | None:
        found.append(id)
        return await join(id)

    answers._flights.join = noted  # type: ignore[method-assign]
    return found


async def ask(answers: Answers, firm: Firm, omie: Omie, *, param: Any = PARAM, fresh: bool = False) -> Answer:
    return await answers.read(firm.padaria, METHOD, param, omie.fetch, fresh=fresh)


async def test_the_second_question_is_answered_from_the_cache_with_its_age(
    answers: Answers, firm: Firm, omie: Omie, clock: Clock
) -> None:
    first = await ask(answers, firm, omie)
    clock.advance(seconds=42)
    second = await ask(answers, firm, omie)
    assert (first.source, first.age_seconds) == ("omie", 0.0)
    assert (second.source, second.age_seconds, second.stored_at) == ("cache", 42.0, first.stored_at)
    assert second.payload == first.payload
    assert omie.asked == 1


async def test_another_question_and_another_company_are_asked_for_themselves(
    answers: Answers, firm: Firm, omie: Omie
) -> None:
    await ask(answers, firm, omie)
    assert (await ask(answers, firm, omie, param={"pagina": 2})).source == "omie"
    assert (await answers.read(firm.oficina, METHOD, PARAM, omie.fetch)).source == "omie"
    assert omie.asked == 3


async def test_a_write_to_the_entity_makes_it_old_and_one_elsewhere_does_not(
    answers: Answers, firm: Firm, omie: Omie
) -> None:
    await ask(answers, firm, omie)
    await answers.written(firm.oficina, ALTER)
    await answers.written(firm.padaria, SETTLE)
    assert (await ask(answers, firm, omie)).source == "cache"
    await answers.written(firm.padaria, ALTER)
    assert (await ask(answers, firm, omie)).source == "omie"


async def test_an_answer_that_a_write_overtook_is_given_but_not_kept(answers: Answers, firm: Firm, omie: Omie) -> None:
    omie.door.clear()
    slow = asyncio.create_task(ask(answers, firm, omie))
    await eventually(lambda: _true(omie.asked == 1))
    await answers.written(firm.padaria, ALTER)
    later = asyncio.create_task(ask(answers, firm, omie))
    await eventually(lambda: _true(omie.asked == 2))
    omie.door.set()
    assert {(await slow).source, (await later).source} == {"omie"}
    assert (await ask(answers, firm, omie)).source == "cache"


async def test_fresh_takes_nothing_older_than_omie_lets_us_ask_again(
    answers: Answers, firm: Firm, omie: Omie, clock: Clock
) -> None:
    await ask(answers, firm, omie)
    clock.advance(seconds=59)
    assert (await ask(answers, firm, omie, fresh=True)).source == "cache"
    clock.advance(seconds=2)
    assert (await ask(answers, firm, omie)).source == "cache"
    assert (await ask(answers, firm, omie, fresh=True)).source == "omie"
    assert (await ask(answers, firm, omie)).age_seconds == 0.0
    await answers.written(firm.padaria, ALTER)
    assert (await ask(answers, firm, omie, fresh=True)).source == "omie"


async def test_fifty_callers_make_one_call_and_get_an_answer_of_their_own(
    answers: Answers, firm: Firm, omie: Omie
) -> None:
    omie.door.clear()
    following = followers(answers)
    callers = [asyncio.create_task(ask(answers, firm, omie)) for _ in range(50)]
    await eventually(lambda: _true((omie.asked, len(following)) == (1, 49)))
    omie.door.set()
    got = await asyncio.gather(*callers)
    assert omie.asked == 1
    assert len({id(answer.payload.data) for answer in got}) == 50
    assert sorted({answer.source for answer in got}) == ["omie", "voo"]


async def test_a_refusal_that_holds_for_all_is_shared_and_never_kept(answers: Answers, firm: Firm, omie: Omie) -> None:
    omie.errors = [OmieFault("Cliente não cadastrado.")]
    omie.door.clear()
    following = followers(answers)
    callers = [asyncio.create_task(ask(answers, firm, omie)) for _ in range(5)]
    await eventually(lambda: _true((omie.asked, len(following)) == (1, 4)))
    omie.door.set()
    got = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(each) for each in got] == [OmieFault] * 5
    assert len({id(each) for each in got}) == 5
    assert omie.asked == 1
    assert (await ask(answers, firm, omie)).source == "omie"


async def test_when_the_flyer_fails_alone_the_others_try_in_turn(answers: Answers, firm: Firm, omie: Omie) -> None:
    omie.door.clear()
    following = followers(answers)
    callers = [asyncio.create_task(ask(answers, firm, omie)) for _ in range(5)]
    await eventually(lambda: _true((omie.asked, len(following)) == (1, 4)))
    # Whoever found the cache empty first flies, and that need not be the first who asked.
    flyer = omie.flyer
    assert flyer in callers
    flyer.cancel()
    await eventually(lambda: _true(omie.asked == 2))
    omie.door.set()
    got = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(each) for each, caller in zip(got, callers, strict=True) if caller is flyer] == [
        asyncio.CancelledError
    ]
    assert all(isinstance(each, Answer) for each, caller in zip(got, callers, strict=True) if caller is not flyer)
    assert omie.asked == 2


async def test_two_processes_with_fifty_callers_make_one_call(
    database: Database, own_valkey: OwnValkey, client: redis.asyncio.Redis, keys: Keys, tmp_path: Path, firm: Firm
) -> None:
    arguments = (database.app_url, own_valkey.url, tmp_path, firm.padaria.id, 25)
    processes = [await _asker(*arguments), await _asker(*arguments)]
    ended = [await process.communicate() for process in processes]
    assert [out.split() for out, _ in ended] == [[b"25"], [b"25"]], ended
    assert await client.get("asked") == b"1"


async def test_a_leader_that_was_killed_is_followed_within_its_lease(
    answers: Answers,
    database: Database,
    own_valkey: OwnValkey,
    client: redis.asyncio.Redis,
    tmp_path: Path,
    firm: Firm,
    omie: Omie,
) -> None:
    leader = await _asker(database.app_url, own_valkey.url, tmp_path, firm.padaria.id, 0)
    assert leader.stdout is not None
    assert await leader.stdout.readline() == b"leading\n"
    waiting = asyncio.create_task(ask(answers, firm, omie))
    await asyncio.wait([waiting], timeout=0.2)
    assert omie.asked == 0
    leader.kill()
    await leader.wait()
    (lease,) = [key async for key in client.scan_iter(match="*:flight:*")]
    assert 0 < await client.pttl(lease) <= LEASE_SECONDS * 1000
    begun = time.monotonic()
    assert (await waiting).source == "omie"
    # Some more for a busy machine to notice; whoever never looked again would wait for ever.
    assert time.monotonic() - begun < LEASE_SECONDS + 30
    assert omie.asked == 1


@pytest.mark.usefixtures("hasty_valkey")
@pytest.mark.parametrize("how", ["freeze", "kill"])
async def test_without_valkey_every_question_is_still_answered_once(
    answers: Answers, firm: Firm, omie: Omie, own_valkey: OwnValkey, how: str
) -> None:
    await ask(answers, firm, omie)
    getattr(own_valkey, how)()
    try:
        omie.door.clear()
        following = followers(answers)
        begun = time.monotonic()
        callers = [asyncio.create_task(ask(answers, firm, omie)) for _ in range(CALLERS)]
        await eventually(lambda: _true((omie.asked, len(following)) == (2, CALLERS - 1)), within=60)
        omie.door.set()
        await asyncio.gather(*callers)
        assert omie.asked == 2
        # Nobody waits for Valkey behind the others: that would be half a second each.
        assert time.monotonic() - begun < CALLERS * PATIENCE_SECONDS
    finally:
        if how == "freeze":
            own_valkey.thaw()


@pytest.mark.usefixtures("hasty_valkey")
async def test_a_write_that_valkey_did_not_hear_of_is_told_when_it_is_back(
    answers: Answers, firm: Firm, omie: Omie, own_valkey: OwnValkey, keys: Keys
) -> None:
    await ask(answers, firm, omie)
    own_valkey.freeze()
    try:
        await answers.written(firm.padaria, ALTER)
        assert (await ask(answers, firm, omie)).source == "omie"
    finally:
        own_valkey.thaw()
    other_client = connect(own_valkey.url)
    other = Answers(Cache(other_client), keys)
    await eventually(lambda: _true(not answers._invalidations.is_owed(str(firm.padaria.id), ["geral/clientes"])))
    assert (await other.read(firm.padaria, METHOD, PARAM, omie.fetch)).source == "omie"
    await other_client.aclose()


async def test_nothing_personal_lies_in_clear_and_every_key_expires(
    answers: Answers, firm: Firm, omie: Omie, client: redis.asyncio.Redis
) -> None:
    await ask(answers, firm, omie, param={"clientesFiltro": {"cnpj_cpf": CPF, "razao_social": "Padaria do João"}})
    await answers.written(firm.padaria, SETTLE)
    canaries = [text.encode() for text in (CPF, "52998224725", "Padaria", "João", "razao_social", "cnpj_cpf")]
    seen = 0
    async for key in client.scan_iter():
        raw = key + await client.get(key)
        assert not [canary for canary in canaries if canary in raw]
        assert await client.ttl(key) > 0
        seen += 1
    assert seen > 1


async def test_a_value_moved_to_another_question_does_not_open(
    answers: Answers, firm: Firm, omie: Omie, client: redis.asyncio.Redis
) -> None:
    await ask(answers, firm, omie)
    await ask(answers, firm, omie, param={"pagina": 2})
    first, second = [key async for key in client.scan_iter(match="*:answer:*")]
    await client.copy(first, second, replace=True)
    sources = [(await ask(answers, firm, omie, param=param)).source for param in (PARAM, {"pagina": 2})]
    assert sorted(sources) == ["cache", "omie"]


@pytest.mark.parametrize("rows", [1, 500], ids=["plain", "packed"])
async def test_short_and_long_answers_are_kept_each_in_its_form_and_open_in_no_other(
    answers: Answers, firm: Firm, omie: Omie, client: redis.asyncio.Redis, rows: int
) -> None:
    omie.payload = Payload({"clientes_cadastro": [{"razao_social": "Padaria do João"}] * rows}, 200)
    await ask(answers, firm, omie)
    again = await ask(answers, firm, omie)
    assert (again.source, again.payload) == ("cache", omie.payload)
    (key,) = [key async for key in client.scan_iter(match="*:answer:*")]
    kept = await client.get(key)
    # Generation, stamp and data key come before it.
    at = 8 + 8 + 16
    assert kept[at] == (0 if rows == 1 else 1)
    assert len(kept) < 600
    for form in (1 - kept[at], 2):
        await client.set(key, kept[:at] + bytes((form,)) + kept[at + 1 :], keepttl=True)
        assert (await ask(answers, firm, omie)).source == "omie"
    for cut in (at - 16, at - 1, at, at + 1, len(kept) - 1):
        await client.set(key, kept[:cut], ex=60)
        assert (await ask(answers, firm, omie)).source == "omie"


async def test_a_huge_page_is_told_but_not_kept(
    answers: Answers, firm: Firm, omie: Omie, client: redis.asyncio.Redis
) -> None:
    omie.payload = Payload({"clientes_cadastro": ["x" * 1_000] * 5_000}, 200)
    assert len((await ask(answers, firm, omie)).payload.data["clientes_cadastro"]) == 5_000
    assert [key async for key in client.scan_iter(match="*:answer:*")] == []


async def test_every_fact_of_an_answer_survives(answers: Answers, firm: Firm, omie: Omie) -> None:
    data = json.loads('{"b": 1.10, "a": 123456789012345678901234567890, "texto": "\\ud800 ç"}')
    omie.payload = Payload(data, 500, is_empty_page=True, is_past_end=True, fault_code="SOAP-ENV:Client-5113")
    await ask(answers, firm, omie)
    again = await ask(answers, firm, omie)
    assert again.source == "cache"
    assert again.payload == omie.payload
    assert answer_bodies.read(answer_bodies.write(omie.payload)) == omie.payload


async def test_the_small_tables_are_warm_afterwards_and_a_refusal_stops_nothing(answers: Answers, firm: Firm) -> None:
    asked: list[str] = []

    async def fetch(method: Method, param: Any) -> Payload:
        asked.append(f"{method.call} {param.get('pagina', '')}")
        if method.call == "ListarParcelas":
            raise OmieBusy("Espere.")
        return Payload({"total_de_paginas": 2 if method.call == "ListarCategorias" else 1}, 200)

    warm = await answers.warm(firm.padaria, catalog(), fetch)
    assert asked[:2] == ["ListarCategorias 1", "ListarCategorias 2"]
    assert warm == len(asked) - 1
    asked.clear()
    await answers.warm(firm.padaria, catalog(), fetch)
    assert [call.split()[0] for call in asked] == ["ListarParcelas"]


async def _asker(*arguments: object) -> Process:
    root = Path(asker_process.__file__).parents[3]
    path = os.pathsep.join((str(root / "src"), str(root)))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        asker_process.__file__,
        *map(str, arguments),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


async def _true(value: bool) -> bool:
    return value
