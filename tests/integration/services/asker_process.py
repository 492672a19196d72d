"""Another process that reads through the cache.

Run as `python asker_process.py <database url> <valkey url> <home> <company id> <callers>`; `callers` 0 leads for ever.
Each fetch adds one to `asked` in Valkey. Prints `leading` when it has the lead, else how many it answered.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from omie_control.omie.catalog import catalog
from omie_control.omie.protocol import Payload
from omie_control.postgres import companies
from omie_control.postgres.database import Postgres
from omie_control.services.answers import Answers
from omie_control.services.keys import Keys
from omie_control.valkey import cache, connection
from omie_control.valkey.cache import Cache
from omie_control.valkey.connection import connect

METHOD = catalog().method("geral/clientes/", "ListarClientes")
PARAM = {"pagina": 1, "registros_por_pagina": 50}
ROWS = {"clientes_cadastro": [{"razao_social": "Padaria do João", "cnpj_cpf": "529.982.247-25"}]}


async def main(database_url: str, valkey_url: str, home: str, company_id: str, callers: int) -> None:
    # On a busy machine a slow answer must not look like a Valkey that is away.
    cache.TIMEOUT_SECONDS = connection.TIMEOUT_SECONDS = 30.0
    postgres = Postgres(database_url, timezone="America/Sao_Paulo", pool_size=1)
    await postgres.open()
    redis = connect(valkey_url)
    keys = Keys(postgres, None, Path(home))
    await keys.open()
    answers = Answers(Cache(redis), keys)
    async with postgres.transaction() as tx:
        stored = await companies.everything(tx)
    company = next(each.company for each in stored if each.company.id == UUID(company_id))

    async def fetch() -> Payload:
        await redis.incr("asked")
        if not callers:
            print("leading", flush=True)
            await asyncio.Event().wait()
        # As long as a slow answer of Omie, so that all who ask meet in it.
        await asyncio.sleep(1.0)
        return Payload(ROWS, 200)

    read = [answers.read(company, METHOD, PARAM, fetch) for _ in range(max(callers, 1))]
    got = await asyncio.gather(*read)
    assert all(answer.payload.data == ROWS for answer in got)
    print(len(got), flush=True)
    await answers.close()
    await redis.aclose()
    await postgres.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], callers=int(sys.argv[5])))
