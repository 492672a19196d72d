"""What a hit of the response cache costs beside a bare GET of the same answer plus reading its JSON.

    python -m benchmarks.cache [--rounds 600]

Both through the same client to the same Valkey, in turns. A hit also checks the generations, opens the seal (zstd,
AES-256-GCM) and builds the answer. Prints markdown.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
import uvloop
from benchmarks.servers import servers

from omie_control.app import open_app
from omie_control.domain.actors import SYSTEM
from omie_control.omie.catalog import catalog
from omie_control.omie.protocol import Payload
from omie_control.services.answers import FROM_CACHE
from omie_control.settings import Settings

GOAL = 2.0
ROWS = (1, 10, 50)
_TURNS = 10
_ROW = {
    "codigo_cliente_omie": 5_500_000_001,
    "codigo_cliente_integracao": "ERP-000317",
    "razao_social": "Padaria Sol Nascente Comércio de Alimentos Ltda",
    "nome_fantasia": "Padaria Sol Nascente",
    "cnpj_cpf": "11.222.333/0001-81",
    "email": "contato@exemplo.com.br",
    "telefone1_ddd": "11",
    "telefone1_numero": "98888-7777",
    "endereco": "Rua das Acácias",
    "endereco_numero": "317",
    "bairro": "Centro",
    "cidade": "São Paulo (SP)",
    "estado": "SP",
    "cep": "01310-100",
    "tags": [{"tag": "Cliente"}, {"tag": "Atacado"}],
    "info": {"dInc": "03/02/2026", "hInc": "09:15:00", "uInc": "WEBSERVICE", "cImpAPI": "S"},
}


async def measure(settings: Settings, rows: int, rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of one GET and of one hit, a value a round."""
    method = catalog().method("geral/clientes/", "ListarClientes")
    data = {"clientes_cadastro": [_ROW | {"codigo_cliente_omie": number} for number in range(rows)]}
    param = {"pagina": 1, "registros_por_pagina": rows}

    async def fetch() -> Payload:
        return Payload(data, 200)

    async with open_app(settings, kind="library") as app:
        known = {company.slug: company for company in await app.companies.list(SYSTEM)}
        company = known.get("banca") or await app.companies.add(SYSTEM, "banca", "Banca", "1234567890", "0" * 32)
        answers, redis = app.services.answers, app.db.redis
        await redis.set("bare", orjson.dumps(data), ex=3600)

        async def bare() -> None:
            orjson.loads(await redis.get("bare"))

        async def hit() -> None:
            answer = await answers.read(company, method, param, fetch)
            if answer.source != FROM_CACHE and times:
                raise RuntimeError("that was no hit")

        times: dict[str, list[float]] = {}
        await hit()
        for number in range(rounds):
            contestants: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (("bare", bare), ("hit", hit))
            for name, run in contestants if number % 2 == 0 else contestants[::-1]:
                began = perf_counter()
                for _ in range(_TURNS):
                    await run()
                times.setdefault(name, []).append((perf_counter() - began) / _TURNS * 1e6)
        return times


def report(results: Mapping[int, Mapping[str, list[float]]], rounds: int) -> str:
    """Write the section."""
    lines = [
        "## A hit of the response cache",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, by `python -m benchmarks.cache`: {rounds} interleaved rounds of "
        f"{_TURNS}, medians (min-max); `bare` is a GET of the same answer in clear plus reading its JSON, by the same "
        "client.",
        "",
        "| customers in the answer | bare µs | hit µs | hit / bare | goal |",
        "| --- | --- | --- | --- | --- |",
    ]
    for rows, times in results.items():
        ratio = statistics.median(times["hit"]) / statistics.median(times["bare"])
        lines.append(f"| {rows} | {_spread(times['bare'])} | {_spread(times['hit'])} | **{ratio:.2f}** | ≤ {GOAL:g} |")
    return "\n".join([*lines, ""])


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})"


async def bench(rounds: int) -> dict[int, dict[str, list[float]]]:
    """Measure every size."""
    async with servers() as given:
        url = await given.database("cache")
        with tempfile.TemporaryDirectory(prefix="octl-cb-") as folder:
            facts: dict[str, Any] = {"database_url": url, "valkey_url": given.valkey_url, "home": Path(folder)}
            settings = Settings(**facts)
            return {rows: await measure(settings, rows, rounds) for rows in ROWS}


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=600)
    given = parser.parse_args()
    sys.stdout.write(report(uvloop.run(bench(given.rounds)), given.rounds))


if __name__ == "__main__":
    main()
