"""The work that every way of recording is given: real-looking answers of Omie, closed-loop callers, latencies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

PROCESS_TYPE = "consultar_clientes"
ENDPOINT = "geral/clientes/ListarClientes"
INPUT = {"empresa": "demo", "pagina": 1, "registros_por_pagina": 20}
_CUSTOMERS = 20
_ANSWERS = 256


def answers() -> list[dict[str, Any]]:
    """Make answers of about 2 kB, each of 20 customers with their CPF or CNPJ; the same ones in every run."""
    chance = random.Random(20261123)
    return [_answer(chance) for _ in range(_ANSWERS)]


def _answer(chance: random.Random) -> dict[str, Any]:
    return {
        "pagina": 1,
        "total_de_paginas": 9,
        "registros": _CUSTOMERS,
        "clientes": [_customer(chance) for _ in range(_CUSTOMERS)],
    }


def _customer(chance: random.Random) -> dict[str, Any]:
    is_person = chance.random() < 0.5
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    return {
        "codigo_cliente_omie": chance.randrange(10**9, 10**10),
        "razao_social": f"{first} {last}" if is_person else f"{last} {first} Ltda",
        "cnpj_cpf": _cpf(chance) if is_person else _cnpj(chance),
    }


_FIRST = ("Ana", "Bruno", "Carla", "Davi", "Elisa", "Fábio", "Gabriela", "Hugo", "Inês", "João", "Lívia", "Márcio")
_LAST = ("Silva", "Souza", "Oliveira", "Pereira", "Conceição", "Araújo", "Moura", "Teixeira", "Brandão", "Peixoto")


def _check_digit(digits: list[int], weights: list[int]) -> int:
    rest = sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return 0 if rest < 2 else 11 - rest


def _cpf(chance: random.Random) -> str:
    digits = [chance.randrange(10) for _ in range(9)]
    digits.append(_check_digit(digits, list(range(10, 1, -1))))
    digits.append(_check_digit(digits, list(range(11, 1, -1))))
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def _cnpj(chance: random.Random) -> str:
    digits = [chance.randrange(10) for _ in range(8)] + [0, 0, 0, 1]
    weights = [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
    digits.append(_check_digit(digits, weights))
    digits.append(_check_digit(digits, [6, *weights]))
    text = "".join(map(str, digits))
    return f"{text[:2]}.{text[2:5]}.{text[5:8]}/{text[8:12]}-{text[12:]}"


@dataclass(frozen=True, slots=True)
class Sample:
    """What one stretch of load measured: executions per second, latencies of a whole execution in ms."""

    rate: float
    p50: float
    p99: float
    count: int


async def under_load(run: Callable[[int], Awaitable[None]], callers: int, seconds: float) -> Sample:
    """Let so many callers run executions one after the other for so long."""
    latencies: list[float] = []
    begun = perf_counter()
    deadline = begun + seconds

    async def caller(number: int) -> None:
        turn = number
        while (before := perf_counter()) < deadline:
            await run(turn)
            latencies.append(perf_counter() - before)
            turn += callers

    await asyncio.gather(*(caller(number) for number in range(callers)))
    took = perf_counter() - begun
    ordered = sorted(latencies)
    at = len(ordered)
    return Sample(at / took, ordered[at // 2] * 1000, ordered[min(at - 1, int(at * 0.99))] * 1000, at)


async def exactly(run: Callable[[int], Awaitable[None]], callers: int, turns: range) -> None:
    """Let so many callers run these executions, each once."""
    left = iter(turns)

    async def caller() -> None:
        for turn in left:
            await run(turn)

    await asyncio.gather(*(caller() for _ in range(callers)))
