"""`python -m tests.campaign.tampering --records 1000`: a superuser tampers, the verification must find and name it.

Real processes fill a database with executions and audit events and seal them; then, tampering by tampering, the
database is changed, verified and put back. A saboteur, a verifier that leaves out one of its checks, must be caught.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from tests.campaign import tampering_records as records_of
from tests.campaign import tampering_seals as seals_of
from tests.campaign.tampering_records import Kinds, Tampering
from tests.conftest import TIMEZONE, Database, at_database, run_on
from tests.sealing import Books, books

from omie_control.domain.damages import Finding
from omie_control.embedded import EmbeddedServers
from omie_control.postgres.migrate import migrate
from omie_control.services.seals_verifier import Verifier

PASSWORD = "campaign"
KINDS: tuple[Kinds, ...] = (
    records_of.change_an_execution,
    records_of.change_an_event,
    records_of.delete_an_execution,
    seals_of.chain_again_without_the_key,
    records_of.swap_two_executions,
    records_of.forge_an_execution,
    records_of.flip_a_bit_of_a_text,
    seals_of.cut_the_end_of_the_seals,
    records_of.change_a_number_in_a_body,
    records_of.delete_an_event,
    seals_of.flip_a_bit_of_a_seal,
    seals_of.chain_again_with_another_key,
    records_of.swap_two_events,
    records_of.forge_an_event,
    seals_of.change_the_head_of_a_seal,
    records_of.exchange_ids,
    records_of.replace_one_by_another,
    records_of.wake_an_ended_execution,
    records_of.settle_without_a_seal,
    records_of.truncate_the_newest_records,
    seals_of.cut_the_end_with_its_records,
    seals_of.remove_a_seal,
    seals_of.swap_two_seals,
    seals_of.reorder_the_leaves,
    seals_of.drop_a_leaf,
    seals_of.rewrite_a_record_and_its_leaf,
    seals_of.chain_again_without_a_record,
    seals_of.append_a_forged_seal,
    records_of.queue_a_changed_execution_again,
    records_of.empty_a_table,
    seals_of.change_a_key,
    seals_of.change_a_checkpoint,
)
_WRITERS = 3
_SEAL_SECONDS = 0.2
_LEAST_SEALS = 3
_TABLES = ("seal_keys", "seals", "seal_queue", "process_executions", "audit_events")
Verify = Callable[[Books], AsyncIterator[Finding]]


@dataclass(slots=True)
class Report:
    """What came of it: how many of each kind, and what was not found or not named."""

    seed: int
    tamperings: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def note(self, kind: str, done: Tampering, found: list[Finding]) -> None:
        """Keep what one tampering came to."""
        self.tamperings[kind] += 1
        what = f"{kind}: {done.what}"
        if not found:
            self.missed.append(what)
        elif not _is_named(done, found):
            self.unnamed.append(f"{what}; found {[(f.damage.value, f.subject, f.id) for f in found[:5]]}")

    def __str__(self) -> str:
        total = sum(self.tamperings.values())
        lines = [f"{total} tamperings in {self.seconds:.0f} s (seed {self.seed})"]
        lines += [f"  {count:>4} {kind}" for kind, count in sorted(self.tamperings.items())]
        lines.append(f"found: {total - len(self.missed)}, named: {total - len(self.missed) - len(self.unnamed)}")
        return "\n".join(
            [*lines, *(f"MISSED {each}" for each in self.missed), *(f"NOT NAMED {each}" for each in self.unnamed)]
        )


async def verify(house: Books) -> AsyncIterator[Finding]:
    """The verification as it ships."""
    verifier = Verifier(house.postgres, house.seal_keys, house.checkpoints)
    async for finding in verifier.findings():
        yield finding


async def fill(database: Database, home: Path, records: int, seed: int) -> None:
    """Have several processes record all kinds of ends and events, while this one seals."""
    async with books(database, home) as house:
        writers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.campaign.tampering_writer"),
                *(database.app_url, str(home), str(records // _WRITERS), str(seed + number)),
            )
            for number in range(_WRITERS)
        ]
        while any(writer.returncode is None for writer in writers):
            await house.seals.turn()
            await asyncio.sleep(_SEAL_SECONDS)
        assert [writer.returncode for writer in writers] == [0] * _WRITERS
        await house.seals.turn()
        # However few turns a busy machine left us, there are seals to swap and to cut, of several records each.
        for _ in range(_LEAST_SEALS):
            await house.run()
            await house.happen()
            await house.seals.turn()
        found = [finding async for finding in verify(house)]
        assert found == [], found[:5]


class Original:
    """The untouched state of a database and of the files outside, to go back to after each tampering."""

    def __init__(self, superuser: asyncpg.Connection, house: Books) -> None:
        self._superuser = superuser
        self._files = [(path, path.read_bytes()) for folder in house.checkpoints.folders for path in folder.iterdir()]

    async def keep(self) -> None:
        """Take copies of the tables."""
        for table in _TABLES:
            await self._superuser.execute(f"create table kept.{table} as select * from {table}")

    async def restore(self) -> None:
        """Put everything back."""
        async with self._superuser.transaction():
            await self._superuser.execute(f"truncate {', '.join(_TABLES)}")
            for table in _TABLES:
                await self._superuser.execute(f"insert into {table} select * from kept.{table}")
        for path, content in self._files:
            path.write_bytes(content)


@asynccontextmanager
async def original(database: Database, home: Path) -> AsyncIterator[tuple[Books, asyncpg.Connection, Original]]:
    """Give the house, its superuser and the way back."""
    superuser = await asyncpg.connect(database.owner_url)
    try:
        async with books(database, home) as house:
            way_back = Original(superuser, house)
            await superuser.execute("drop schema if exists kept cascade; create schema kept")
            await way_back.keep()
            yield house, superuser, way_back
    finally:
        await superuser.close()


async def run(
    database: Database,
    home: Path,
    *,
    records: int,
    seed: int,
    looks: Verify = verify,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Tamper `records` times, look each time, and put everything back."""
    report = Report(seed)
    dice = random.Random(seed)
    began = time.monotonic()
    async with original(database, home) as (house, superuser, way_back):
        for number in range(records):
            kind = KINDS[number % len(KINDS)]
            done = await kind(superuser, random.Random(dice.random()), home)
            found = [finding async for finding in looks(house)]
            report.note(kind.__name__, done, found)
            await way_back.restore()
            if number % 100 == 99:
                tell(f"{number + 1}: {len(report.missed)} missed, {len(report.unnamed)} not named")
        assert [finding async for finding in verify(house)] == []
    report.seconds = time.monotonic() - began
    return report


def _is_named(done: Tampering, found: list[Finding]) -> bool:
    """Whether each record that was tampered with is among what was found; a seal stands for records that are gone."""
    named = {(finding.subject, finding.id) for finding in found}
    return all(any(one in named for one in each) for each in done.names)


class Careless(Verifier):
    """The saboteur: never asks whether there are records that no seal knows."""

    async def _end(self, tx: object) -> AsyncIterator[Finding]:
        return
        yield


async def careless(house: Books) -> AsyncIterator[Finding]:
    """Verify as the saboteur does."""
    async for finding in Careless(house.postgres, house.seal_keys, house.checkpoints).findings():
        yield finding


@asynccontextmanager
async def installation() -> AsyncIterator[tuple[Database, Path]]:
    """Start a PostgreSQL of the campaign's own, with a migrated database and a home."""
    folder = Path(tempfile.mkdtemp(prefix="octl-t-"))
    servers = EmbeddedServers(folder / "s", timezone=TIMEZONE, postgres=True, valkey=False)
    try:
        (folder / "s").mkdir(mode=0o700)
        endpoints = await servers.start()
        yield await prepared(endpoints.owner_url, "tampering"), folder / "home"
    finally:
        await servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def prepared(server: str, name: str) -> Database:
    """Make and migrate a database on a server."""
    await run_on(server, f"create database {name}")
    made = Database(
        name=name,
        owner_url=at_database(server, name),
        app_url=at_database(server, name, user=f"{name}_app", password=PASSWORD),
        reader_url=at_database(server, name, user=f"{name}_reader", password=PASSWORD),
    )
    logins = {f"{name}_app": PASSWORD, f"{name}_reader": PASSWORD}
    await migrate(made.owner_url, timezone=TIMEZONE, logins=logins, readers={f"{name}_reader"})
    return made


def _beside(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


async def _campaign(records: int, seed: int) -> int:
    async with installation() as (database, home):
        await fill(database, home, max(records, 300), seed)
        report = await run(database, home, records=records, seed=seed, tell=_tell)
        _tell(str(report))
        sabotage = await run(database, home, records=len(KINDS), seed=seed, looks=careless)
        _tell(
            f"saboteur (never looks for inserted records): {len(sabotage.missed)} missed by it"
            f" — {'caught' if sabotage.missed else 'NOT CAUGHT'}"
        )
        return 0 if not report.missed and not report.unnamed and sabotage.missed else 1


def main() -> int:
    """Run the campaign; 0 when everything was found and named and the saboteur was caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    choices = parser.parse_args()
    return asyncio.run(_campaign(choices.records, choices.seed))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
