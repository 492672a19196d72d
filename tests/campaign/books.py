"""Four books compared: what callers were told, what PostgreSQL holds, what the roll-ups counted, what Omie did."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg
from tests.campaign.load import Answer

from omie_control.simulator.book import Book

_SETTLE_SECONDS = 120.0
_BAD_ENDS = {"failed", "timeout", "uncertain", "cancelled"}


async def compare(owner_url: str, answers: Sequence[Answer], book: Book) -> list[str]:
    """Return every broken promise, in words; empty when all books agree."""
    deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    connection = await asyncpg.connect(owner_url)
    try:
        held, counted = await _books(connection)
        # A call that was on its way when its caller left may begin only now: it has to get its end, too.
        while _without_end(held) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.2)
            held, counted = await _books(connection)
    finally:
        await connection.close()
    return [
        *_lost(answers, held),
        *_without_end(held),
        *_miscounted(held, counted),
        *_doubled(book),
        *_untrue(answers, held, book),
    ]


async def _books(connection: asyncpg.Connection) -> tuple[dict[str, str], int]:
    """Read the executions and what the roll-ups counted, both of one moment."""
    async with connection.transaction(isolation="repeatable_read"):
        rows = await connection.fetch("select execution_id, status::text from process_executions")
        counted = await connection.fetchval(
            "select (select coalesce(sum(count), 0) from rollup_minutes where subject = 'tool')"
            "     + (select coalesce(sum(count), 0) from rollup_deltas where subject = 'tool')"
        )
    return {row["execution_id"]: row["status"] for row in rows}, counted


async def settle(owner_url: Callable[[], str], before: datetime) -> None:
    """Wait until nothing that began before an instant is still running. Fails when it takes too long."""
    deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    while True:
        try:
            connection = await asyncpg.connect(owner_url(), timeout=5)
            try:
                running = await connection.fetch(
                    "select execution_id from process_executions where status = 'running' and started_at < $1", before
                )
            finally:
                await connection.close()
            if not running:
                return
            left = [row["execution_id"] for row in running]
        # While it starts again: its file may be missing or half written, its door shut, its connections cut.
        except (
            OSError,
            LookupError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as exc:
            left = [f"PostgreSQL: {type(exc).__name__}"]
        assert asyncio.get_running_loop().time() < deadline, f"left running: {left[:5]}"
        await asyncio.sleep(0.2)


def _lost(answers: Sequence[Answer], held: dict[str, str]) -> list[str]:
    """Every acknowledged execution is there, once, with the acknowledged outcome."""
    broken = []
    for answer in answers:
        status = held.get(answer.execution_id)
        wanted = _BAD_ENDS if answer.is_error else {"completed"}
        if answer.is_open:
            wanted = _BAD_ENDS | {"completed"}
        if status not in wanted:
            broken.append(f"{answer.execution_id}: told {'error' if answer.is_error else 'success'}, held {status}")
    return broken


def _without_end(held: dict[str, str]) -> list[str]:
    return [f"{name}: still {status}" for name, status in held.items() if status in {"running", "queued"}]


def _miscounted(held: dict[str, str], counted: int) -> list[str]:
    """The roll-ups count each ended execution once."""
    ended = sum(status in {"completed", "failed", "timeout", "cancelled", "uncertain"} for status in held.values())
    uncertain = sum(status == "uncertain" for status in held.values())
    # An uncertain one is counted when it is settled, or as an error by the process that saw it end so.
    return (
        [] if ended - uncertain <= counted <= ended else [f"{ended} ended ({uncertain} uncertain), {counted} counted"]
    )


def _doubled(book: Book) -> list[str]:
    codes = Counter(_codes(book))
    return [f"{code}: {times} records in Omie" for code, times in codes.items() if times > 1]


def _untrue(answers: Sequence[Answer], held: dict[str, str], book: Book) -> list[str]:
    """No `completed` without effect in Omie, no `failed` with it."""
    done = set(_codes(book))
    broken = []
    for answer in answers:
        if answer.code is None:
            continue
        status = held.get(answer.execution_id)
        if status == "completed" and answer.code not in done:
            broken.append(f"{answer.execution_id}: completed, but Omie has no {answer.code}")
        if status == "failed" and answer.code in done:
            broken.append(f"{answer.execution_id}: failed, but Omie has {answer.code}")
    return broken


def _codes(book: Book) -> list[str]:
    effects = [effect for entry in book.entries for effect in entry.effects]
    return [effect.integration_code for effect in effects if effect.action == "create" and effect.integration_code]
