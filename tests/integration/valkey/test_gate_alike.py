"""The script in Valkey and the rules in Python judge the same histories alike."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest
import redis.asyncio
from tests.fixtures_gate import WRITE, ask

from omie_control.domain.gate import (
    Admitted,
    Ask,
    Limits,
    Line,
    Memory,
    Passage,
    TurnedAway,
    Verdict,
    Wait,
    Why,
    entering,
    leaving,
)
from omie_control.domain.gate_rules import Board, Waiter, learnt
from omie_control.valkey.connection import connect
from omie_control.valkey.gate import ValkeyGate

pytestmark = pytest.mark.usefixtures("patient")

# Few of everything, so that every rule is met; spans long enough that none ends during the test.
LIMITS = replace(
    Limits().scaled(0.01),
    per_egress=14,
    per_method=7,
    reads_at_once=2,
    errors_open=3,
    errors_most=5,
    most_waiters=6,
    waiter_seconds=6_000,
)
# What rounding to milliseconds may make of a span.
SLACK = 0.05
NOT_BEFORE = {Why.REDUNDANT, Why.PAUSE, Why.BREAKER}
VERDICTS = [Verdict.DONE] * 8 + [each for each in Verdict if each is not Verdict.BLOCKED] + [Verdict.FAULT] * 3


class Model:
    """What Valkey should hold, in plain Python; no time passes in it but the order of things."""

    def __init__(self) -> None:
        self.passages: dict[str, Passage] = {}
        self.lines: dict[str, Line] = {}
        self.waiters: dict[str, Waiter] = {}
        self.served: dict[tuple[str, ...], float] = {}
        self.tick = 0

    def board(self) -> Board:
        return Board(LIMITS, list(self.passages.values()), self.lines, 0.0, list(self.waiters.values()), self.served)

    def enter(self, id: str, asked: Ask, patience: float, waited: float) -> Admitted | Wait | TurnedAway:
        me = Waiter(id, asked.line, asked.writes, asked.company, asked.caller, asked.is_background, -waited)
        answer = self.board().decide(id, asked, me, patience)
        if isinstance(answer, Wait):
            from_in = answer.seconds if answer.why in NOT_BEFORE else 0.0
            self.waiters[id] = replace(me, from_in=from_in)
            return answer
        self.waiters.pop(id, None)
        if isinstance(answer, Admitted):
            self.passages[id] = entering(id, asked, LIMITS)
            self.tick += 1
            self.served[asked.company,] = self.served[asked.company, asked.caller] = self.tick
        return answer

    def leave(self, passage: Passage, asked: Ask, verdict: Verdict) -> None:
        self.passages[passage.id] = passage
        if verdict in {Verdict.NOT_SENT, Verdict.REFUSED_BUSY, Verdict.REFUSED_RATE}:
            # The script keeps one instant a digest, the book one a call: a proof frees both.
            for each in list(self.passages.values()):
                if each.digest == passage.digest and f"{each.app_key}:{each.endpoint}" == asked.line:
                    self.passages[each.id] = replace(each, repeats_for=0.0)
        line = self.lines.get(asked.line, Line(asked.app_key, asked.endpoint, asked.company))
        after = learnt(line, verdict, 0.0, LIMITS)
        if after is not None:
            self.lines[asked.line] = after


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    client = connect(valkey_url)
    yield client
    await client.aclose()


@pytest.mark.parametrize("seed", range(12))
async def test_both_judge_alike(client: redis.asyncio.Redis, seed: int) -> None:
    random, model, gate = Random(seed), Model(), ValkeyGate(client, LIMITS)
    assert await gate.seed("default", "1", await gate.seen_epoch("default"), Memory())
    running: dict[str, Ask] = {}
    waiting: dict[str, tuple[Ask, float]] = {}
    kinds: set[str] = set()
    began = time.monotonic()
    for step in range(120):
        if running and random.random() < 0.45:
            id = random.choice(list(running))
            asked, verdict = running.pop(id), random.choice(VERDICTS)
            passage = leaving(id, asked, verdict, None, LIMITS)
            await gate.leave("1", asked, passage, verdict, 0.0)
            model.leave(passage, asked, verdict)
            continue
        if waiting and random.random() < 0.5:
            id = random.choice(list(waiting))
            asked, waited = waiting[id]
        else:
            id, asked, waited = str(UUID(int=random.getrandbits(128))), some_ask(random), 10_000.0 - step
        patience = random.choice([0.0, 1e6])
        real = await gate.enter("1", id, asked, patience=patience, waited=waited)
        expected = model.enter(id, asked, patience, waited)
        said = f"step {step}: {real} against {expected} for {asked}"
        assert shape(real) == shape(expected), said
        # In the model no time passes; in Valkey as much as the test has taken, at most.
        assert 0 <= seconds_of(expected) - seconds_of(real) + SLACK <= time.monotonic() - began + 2 * SLACK, said
        kinds.add(str(shape(real)))
        waiting.pop(id, None)
        if isinstance(real, Admitted):
            running[id] = asked
        elif isinstance(real, Wait):
            waiting[id] = (asked, waited)
    assert len(kinds) >= 3


def some_ask(random: Random) -> Ask:
    writes = random.random() < 0.3
    return ask(
        random.randrange(30),
        endpoint=WRITE if writes else random.choice([ask().endpoint, "geral/produtos/ListarProdutos"]),
        writes=writes,
        company=random.choice("ab"),
        caller=random.choice("xyz"),
        app_key=random.choice(["k1", "k2"]),
        is_background=random.random() < 0.3,
        is_known_good=random.random() < 0.3,
    )


def shape(answer: Admitted | Wait | TurnedAway) -> tuple[object, ...]:
    if isinstance(answer, Admitted):
        return "go", answer.remaining
    # Of two reasons that last as long, the time that the test takes chooses one.
    why = "not before" if answer.why in NOT_BEFORE else answer.why
    return type(answer).__name__, why


def seconds_of(answer: Admitted | Wait | TurnedAway) -> float:
    return 0.0 if isinstance(answer, Admitted) else answer.seconds
