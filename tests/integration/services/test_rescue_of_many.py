"""A rescue ends all that the dead left, however much it is."""

from __future__ import annotations

import os
import socket
from uuid import uuid4

import asyncpg

from omie_control.postgres import instances as store
from omie_control.postgres.database import Postgres
from omie_control.services.instances import Instance, boot_id


async def test_one_start_ends_all_that_the_dead_left(conn: asyncpg.Connection, postgres: Postgres) -> None:
    # Where no worker runs, nobody comes back for the rest. No process of this machine began so early.
    gone = store.Instance(uuid4(), "worker", socket.gethostname(), boot_id(), os.getpid(), -1e9, "0.1.0")
    await store.register(conn, gone)
    await conn.execute(
        "insert into process_executions (process_type, execution_id, instance_id)"
        " select 'consultar_clientes', 'nome_' || n, $1 from generate_series(1, $2::integer) as n",
        gone.id,
        2 * store.RESCUED_AT_ONCE + 1,
    )
    here = Instance(postgres, "serve")
    await here.register()
    assert await conn.fetchval("select count(*) from process_executions where status = 'running'") == 0
    assert await here.rescue() == 0
