"""The gate as the way to Omie uses it: real Valkey, real PostgreSQL, and the simulator as the judge."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.conftest import Database, eventually
from tests.fixtures_gate import WRITE, House, ask, open_gate, pass_through, read_pages, send
from tests.fixtures_omie import OmieServer, start_omie
from tests.integration.valkey.conftest import OwnValkey

from omie_control.domain.gate import Limits, Verdict
from omie_control.errors import OmieBusy, StorageDown
from omie_control.omie.client import OmieClient
from omie_control.services.gate import Pace
from omie_control.simulator import rules
from omie_control.telemetry import Event, subscribe

SCALE = 60.0
# The book is written down within milliseconds; a busy disk may take longer without anybody being turned away.
PACE = Pace(confirm=0.2, lag=0.1, fallback=0.3, probe=0.1, patience=30.0)
# Where who decides changes among calls under way: what they wrote down is read after the disk has had its time.
SLOW_PACE = replace(PACE, lag=0.25)
FEW = 40


def scaled(scale: float = SCALE, *, few: int = FEW, lease_seconds: float = 60.0) -> Limits:
    """Omie's minute in a second, but leases that a slow machine does not outlive."""
    limits = replace(Limits(), per_method=few).scaled(scale)
    return replace(limits, lease_seconds=lease_seconds, waiter_seconds=1.0, margin_seconds=0.01)


@asynccontextmanager
async def judge(scale: float = SCALE, *, few: int = FEW) -> AsyncIterator[tuple[OmieServer, OmieClient]]:
    """Run a simulator on the same scaled limits."""
    limits = replace(rules.Limits(), per_method=few)
    async with start_omie(time_scale=scale, limits=limits, latency_ms=(100.0, 300.0)) as server:
        client = OmieClient(server.base_url, timeout_seconds=60.0)
        await client.open()
        yield server, client
        await client.close()


@pytest.fixture
async def house(database: Database, valkey_url: str) -> AsyncIterator[House]:
    async with open_gate(database.app_url, valkey_url, pace=PACE) as opened:
        yield opened


@pytest.fixture
def own_valkey() -> Iterator[OwnValkey]:
    folder = Path(tempfile.mkdtemp(prefix="octl-gk-"))
    server = OwnValkey(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def told() -> Iterator[list[Event]]:
    heard: list[Event] = []
    end = subscribe(lambda event, facts: heard.append(event))
    yield heard
    end()


def violations(server: OmieServer) -> list[str]:
    return [f"{each.rule} {each.detail}" for each in server.simulator.book.violations]


async def test_many_readers_use_what_omie_allows_and_break_nothing(database: Database, valkey_url: str) -> None:
    # A minute of three seconds, so that also a slow machine has ten calls done in it.
    scale, few = 20.0, 10
    async with (
        judge(scale, few=few) as (server, client),
        open_gate(database.app_url, valkey_url, scaled(scale, few=few), PACE) as house,
    ):
        began = asyncio.get_running_loop().time()
        seen = await read_pages(house.gate, server, client, range(1, 3 * few), 12)
        minutes = (asyncio.get_running_loop().time() - began) * scale / 60
        assert violations(server) == []
        assert set(seen) == {Verdict.DONE}
        assert len(seen) >= 0.7 * few * minutes


async def test_the_judge_would_see_a_gate_that_lets_too_many_through(database: Database, valkey_url: str) -> None:
    # A minute of twelve seconds: nobody has to be quick to break the limit.
    async with (
        judge(5.0, few=10) as (server, client),
        open_gate(database.app_url, valkey_url, scaled(5.0, few=20), PACE) as house,
    ):
        try:
            await read_pages(house.gate, server, client, range(1, 20), 8)
        except* OmieBusy:
            pass
        assert violations(server)


async def test_writes_go_one_by_one_while_reads_go_beside_them(database: Database, valkey_url: str) -> None:
    async with judge() as (server, client), open_gate(database.app_url, valkey_url, scaled(), PACE) as house:

        async def write(number: int) -> Verdict:
            param = {
                "codigo_cliente_integracao": f"G{number}",
                "razao_social": f"Cliente {number}",
                "nome_fantasia": f"Cliente {number}",
            }
            return await send(house.gate, server, client, ask(number, endpoint=WRITE, writes=True), param)

        async with asyncio.TaskGroup() as group:
            writing = [group.create_task(write(number)) for number in range(8)]
            group.create_task(read_pages(house.gate, server, client, range(1, 20), 4))
        assert violations(server) == []
        assert len({task.result() for task in writing}) == 1


async def test_the_first_ticket_says_what_is_left(house: House) -> None:
    began = datetime.now(UTC)
    ticket = await house.gate.enter(ask(1))
    assert ticket.remaining == 239
    assert ticket.waited_seconds <= (datetime.now(UTC) - began).total_seconds() + 0.1
    _lasts(ticket.resets_at, 60, began)
    await house.gate.leave(ticket, Verdict.DONE)


async def test_an_impatient_caller_is_told_at_once_how_long_and_why(house: House) -> None:
    began = datetime.now(UTC)
    await pass_through(house.gate, ask(1))
    passed = datetime.now(UTC)
    with pytest.raises(OmieBusy, match=r"outra igual depois de um minuto. Tente de novo em \d\d? segundos") as refused:
        await house.gate.enter(ask(1))
    assert refused.value.code == "gate_redundant"
    _lasts(refused.value.until, 60, began, passed)


@pytest.fixture
async def sleepy_house(database: Database, valkey_url: str) -> AsyncIterator[House]:
    """Give a gate whose waiters look again by themselves only when the call ahead must have died."""
    sleepy = replace(Limits(), waiter_seconds=600.0, lease_seconds=200.0)
    async with open_gate(database.app_url, valkey_url, sleepy, PACE) as opened:
        yield opened


async def test_a_caller_that_gives_up_or_is_cancelled_leaves_its_place(sleepy_house: House) -> None:
    house = sleepy_house
    first = await house.gate.enter(ask(1, endpoint=WRITE, writes=True))
    with pytest.raises(OmieBusy):
        await house.gate.enter(ask(2, endpoint=WRITE, writes=True, patience_seconds=0.05))
    waiting = asyncio.create_task(house.gate.enter(ask(3, endpoint=WRITE, writes=True)))
    await eventually(lambda: _waits(house, 1))
    waiting.cancel()
    await eventually(lambda: _waits(house, 0))
    last = asyncio.create_task(house.gate.enter(ask(4, endpoint=WRITE, writes=True, patience_seconds=500)))
    await eventually(lambda: _waits(house, 1))
    # Who stands in the queue does not listen for its turn in the same moment.
    await eventually(lambda: _listens(house))
    began = asyncio.get_running_loop().time()
    await house.gate.leave(first, Verdict.DONE)
    await house.gate.leave(await last, Verdict.DONE)
    assert asyncio.get_running_loop().time() - began < 60, "woken, not found by looking again"


async def _waits(house: House, number: int) -> bool:
    return bool(await house.redis.hlen("gate:{default}:waiters") == number)


async def _listens(house: House) -> bool:
    ((_, listeners),) = await house.redis.pubsub_numsub("gate:{default}:wake")
    return bool(listeners)


async def test_omies_block_shuts_every_process_to_the_second_and_survives_everything(
    database: Database, valkey_url: str, told: list[Event]
) -> None:
    async with judge() as (server, client), open_gate(database.app_url, valkey_url, pace=PACE) as here:
        server.plan("425", call="ListarClientes")
        began = datetime.now(UTC)
        assert await send(here.gate, server, client, ask(1), {"pagina": 1}) is Verdict.BLOCKED
        heard = datetime.now(UTC)
        async with open_gate(database.app_url, valkey_url, pace=PACE) as there:
            for other in (here, there):
                with pytest.raises(OmieBusy, match="bloqueou") as refused:
                    await other.gate.enter(ask(2, endpoint=WRITE, writes=True, patience_seconds=10_000))
                _lasts(refused.value.until, 1800, began, heard)
            await here.redis.flushdb()
            with pytest.raises(OmieBusy, match="bloqueou") as refused:
                await there.gate.enter(ask(3))
            _lasts(refused.value.until, 1800, began, heard)
        async with open_gate(database.app_url, valkey_url, pace=PACE) as restarted:
            with pytest.raises(OmieBusy, match="bloqueou"):
                await restarted.gate.enter(ask(4))
            block = (await restarted.gate.blocks())[0]
            assert block.company == "acme" and 0 < block.blocked_for <= 1800
            _lasts(block.blocked_until, 1800, began, heard)
        assert violations(server) == []
        assert Event.GATE_BLOCKED in told


async def test_omies_block_is_written_down_as_soon_as_postgresql_takes_it(
    house: House, conn: asyncpg.Connection, owner_conn: asyncpg.Connection
) -> None:
    ticket = await house.gate.enter(ask(1))
    await owner_conn.execute("revoke insert, update on omie_blocks from omie_control_app")
    began = datetime.now(UTC)
    await house.gate.leave(ticket, Verdict.BLOCKED, 1800)
    heard = datetime.now(UTC)
    await house.redis.flushdb()
    # Neither of the two knows of it now; whoever heard it from Omie does.
    with pytest.raises(OmieBusy, match="bloqueou") as refused:
        await house.gate.enter(ask(2))
    _lasts(refused.value.until, 1800, began, heard)
    await owner_conn.execute("grant insert, update on omie_blocks to omie_control_app")
    await eventually(lambda: conn.fetchval("select true from omie_blocks"))
    with pytest.raises(OmieBusy, match="bloqueou") as refused:
        await house.gate.enter(ask(3))
    _lasts(refused.value.until, 1800, began, heard)


def _lasts(until: datetime | None, seconds: float, began: datetime, ended: datetime | None = None) -> None:
    """Say to the second that what happened between two instants (the second: now) lasts for so long."""
    assert until is not None
    spare = timedelta(seconds=1)
    lasts = timedelta(seconds=seconds)
    assert began + lasts - spare < until < (ended or datetime.now(UTC)) + lasts + spare


async def test_a_flush_forgets_no_call_no_lesson_and_no_queue(house: House, told: list[Event]) -> None:
    for number in range(5):
        await pass_through(house.gate, ask(number), Verdict.FAULT)
    running = await house.gate.enter(ask("running"))
    await house.redis.flushdb()
    with pytest.raises(OmieBusy, match="outra igual"):
        await house.gate.enter(ask(1))
    after = await house.gate.enter(ask(100))
    assert after.remaining == 240 - 7
    await house.gate.leave(after, Verdict.FAULT)
    with pytest.raises(OmieBusy, match="falhou várias vezes"):
        await house.gate.enter(ask(101))
    await house.gate.leave(running, Verdict.DONE)
    assert Event.GATE_REBUILT in told


async def test_calls_that_only_the_metrics_know_count_after_a_flush(
    house: House, database: Database, conn: asyncpg.Connection
) -> None:
    company = await conn.fetchval("select uuid7()")
    await pass_through(house.gate, ask(1, company=str(company)))
    await conn.execute("select make_partitions(current_date, 1)")
    await conn.execute(
        "insert into omie_api_metrics (endpoint, response_time_ms, company_id, timestamp)"
        " select $1, 100, $2, now() - make_interval(secs => n + n % 2 * 300) from generate_series(0, 9) n",
        ask().endpoint,
        company,
    )
    await house.redis.flushdb()
    ticket = await house.gate.enter(ask(2, company=str(company)))
    # Five of the ten ended within the last minute; the one that was booked is taken for one of them.
    assert ticket.remaining == 240 - 5 - 1


async def test_a_flush_every_second_breaks_no_limit(database: Database, valkey_url: str) -> None:
    async with (
        judge(20.0) as (server, client),
        open_gate(database.app_url, valkey_url, scaled(20.0), SLOW_PACE) as house,
    ):

        async def flush() -> None:
            while True:
                held = len(server.simulator.book.entries)
                await asyncio.sleep(1.0)
                # A slow machine is not kept from ever coming to anything.
                await eventually(lambda held=held: _book_holds(server, held + 1), within=600)  # type: ignore[misc]
                await house.redis.flushdb()

        flushing = asyncio.create_task(flush())
        seen = await read_pages(house.gate, server, client, range(1, 2 * FEW + 10), 8, patience_seconds=120)
        flushing.cancel()
        assert violations(server) == []
        assert set(seen) == {Verdict.DONE}


async def test_without_valkey_postgresql_keeps_every_rule_and_gives_the_turn_back(
    database: Database, own_valkey: OwnValkey, told: list[Event]
) -> None:
    async with (
        judge(20.0) as (server, client),
        open_gate(database.app_url, own_valkey.url, scaled(20.0), SLOW_PACE) as house,
    ):
        reading = asyncio.create_task(
            read_pages(house.gate, server, client, range(1, 2 * FEW + 10), 8, patience_seconds=120)
        )
        await eventually(lambda: _book_holds(server, FEW // 2))
        own_valkey.kill()
        await eventually(lambda: _book_holds(server, FEW + 10), within=60)
        assert Event.GATE_FALLBACK in told
        told.clear()
        own_valkey.start()
        seen = await reading
        await eventually(lambda: _is_in(told, Event.GATE_REBUILT))
        assert violations(server) == []
        assert set(seen) == {Verdict.DONE}


async def _is_in(told: list[Event], event: Event) -> bool:
    return event in told


async def _book_holds(server: OmieServer, number: int) -> bool:
    return len(server.simulator.book.entries) >= number


async def test_one_process_cut_off_from_valkey_takes_the_others_along(
    database: Database, valkey_url: str, own_valkey: OwnValkey
) -> None:
    limits = scaled(20.0)
    async with (
        judge(20.0) as (server, client),
        open_gate(database.app_url, valkey_url, limits, SLOW_PACE) as well,
        open_gate(database.app_url, own_valkey.url, limits, SLOW_PACE) as cut,
    ):
        own_valkey.kill()
        async with asyncio.TaskGroup() as group:
            group.create_task(read_pages(well.gate, server, client, range(1, FEW), 4, patience_seconds=120))
            group.create_task(read_pages(cut.gate, server, client, range(1000, 1020), 4, patience_seconds=120))
        assert violations(server) == []


async def test_the_fallback_knows_redundancy_breaker_writes_and_block(
    database: Database, own_valkey: OwnValkey
) -> None:
    async with open_gate(database.app_url, own_valkey.url, pace=PACE) as house:
        own_valkey.kill()
        gate = house.gate
        await pass_through(gate, ask(1))
        with pytest.raises(OmieBusy, match="outra igual"):
            await gate.enter(ask(1))
        first = await gate.enter(ask(2, endpoint=WRITE, writes=True))
        with pytest.raises(OmieBusy, match="ao mesmo tempo"):
            await gate.enter(ask(3, endpoint=WRITE, writes=True, patience_seconds=0.1))
        await gate.leave(first, Verdict.DONE)
        for number in range(10, 16):
            await pass_through(gate, ask(number), Verdict.FAULT)
        with pytest.raises(OmieBusy, match="falhou várias vezes"):
            await gate.enter(ask(20))
        ticket = await gate.enter(ask(4, endpoint=WRITE, writes=True))
        began = datetime.now(UTC)
        await gate.leave(ticket, Verdict.BLOCKED, 1322)
        heard = datetime.now(UTC)
        with pytest.raises(OmieBusy, match="bloqueou") as refused:
            await gate.enter(ask(5, endpoint=WRITE, writes=True))
        _lasts(refused.value.until, 1322, began, heard)


async def test_without_postgresql_nothing_leaves(database: Database, valkey_url: str) -> None:
    async with open_gate(database.app_url, valkey_url, pace=replace(PACE, patience=1.0)) as house:
        ticket = await house.gate.enter(ask(1))
        await house.postgres.close()
        await house.gate.leave(ticket, Verdict.DONE)
        with pytest.raises(StorageDown):
            await asyncio.wait_for(_enter_until_refused(house), 60)


async def _enter_until_refused(house: House) -> None:
    for number in range(10, 10_000):
        await pass_through(house.gate, ask(number))
        # A quick machine would otherwise spend the whole minute's calls before the book is late.
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_there", [True, False], ids=["valkey", "postgresql"])
async def test_an_egress_is_one_budget_for_all_processes_and_another_egress_is_another(
    database: Database, own_valkey: OwnValkey, is_there: bool
) -> None:
    few = replace(Limits(), per_method=3, per_egress=5)
    async with (
        open_gate(database.app_url, own_valkey.url, few, PACE) as here,
        open_gate(database.app_url, own_valkey.url, few, PACE) as there,
    ):
        if not is_there:
            own_valkey.kill()
        for egress in ("matriz", "filial"):
            at = {"egress": egress}
            for number, house in enumerate((here, there, here)):
                ticket = await house.gate.enter(ask(number, **at))
                assert ticket.remaining == 2 - number
                await house.gate.leave(ticket, Verdict.DONE)
            for house in (here, there):
                with pytest.raises(OmieBusy, match="por minuto"):
                    await house.gate.enter(ask(9, **at))
            for number, house in enumerate((there, here)):
                await pass_through(house.gate, ask(number, app_key=f"other{number}", company=f"other{number}", **at))
            for house in (here, there):
                with pytest.raises(OmieBusy, match="por minuto"):
                    await house.gate.enter(ask(9, app_key="third", company="third", **at))
        standing = await here.postgres.pool.fetch("select egress, is_fallback from gate_egresses order by egress")
        assert [(row["egress"], row["is_fallback"]) for row in standing] == [
            ("filial", not is_there),
            ("matriz", not is_there),
        ]


CHILD = """
import asyncio, sys
sys.path.insert(0, "src"); sys.path.insert(0, ".")
from dataclasses import replace
from tests.fixtures_gate import open_gate, read_pages
from tests.fixtures_omie import OmieServer
from tests.integration.services.test_gate import SLOW_PACE, scaled
from omie_control.omie.client import OmieClient

async def main(app_url, valkey_url, url, first, count):
    server = OmieServer(url, None)
    client = OmieClient(server.base_url, timeout_seconds=60.0)
    async with open_gate(app_url, valkey_url, scaled(20.0, lease_seconds=5.0), SLOW_PACE) as house:
        numbers = range(int(first), int(first) + int(count))
        seen = await read_pages(house.gate, server, client, numbers, 6, patience_seconds=120)
        print(sorted(set(seen)))
    await client.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def _child(database: Database, valkey_url: str, server: OmieServer, first: int, count: int) -> Any:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CHILD,
        database.app_url,
        valkey_url,
        server.url,
        str(first),
        str(count),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )


async def test_processes_share_one_egress_and_a_killed_one_takes_nothing_with_it(
    database: Database, valkey_url: str
) -> None:
    async with judge(20.0) as (server, _):
        children = [await _child(database, valkey_url, server, 1000 * n, FEW) for n in (1, 2)]
        doomed = await _child(database, valkey_url, server, 9000, 50 * FEW)
        await eventually(lambda: _book_holds(server, FEW), within=60)
        os.kill(doomed.pid, signal.SIGKILL)
        await doomed.wait()
        for child in children:
            out, _ = await asyncio.wait_for(child.communicate(), 150)
            assert out.decode().strip() == "[<Verdict.DONE: 'done'>]"
        assert violations(server) == []
