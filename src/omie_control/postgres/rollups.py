"""The folder: takes the deltas that all processes have appended and adds them to the roll-ups, each exactly once.

One statement does it all, so a crash leaves either everything folded or nothing. An advisory lock keeps it to
one folder at a time; the row that every server would queue on is touched by this one alone.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

import asyncpg

from omie_control.domain.metrics import BUCKET_COUNT

_LOCK_KEY = 0x666F6C64  # "fold": one folder at a time per database
_BUCKETS = tuple(f"b{number:02}" for number in range(BUCKET_COUNT))
_COUNTS = ("count", "success_count", "error_count", "total_ms")
# What a day without a folder leaves is more than one statement can take within its time.
AT_ONCE = 50_000


async def fold(connection: asyncpg.Connection, zone: ZoneInfo) -> int:
    """Fold what waits into minutes, hours and tool usage; return how many deltas. 0 also while another one folds.

    Hours and dates are those of `zone`. Call again while `AT_ONCE` come back.
    """
    folded: int = await connection.fetchval(_statement(), _LOCK_KEY, zone.key, AT_ONCE)
    return folded


@cache
def _statement() -> str:
    # When the clocks go back, an hour comes twice: two hours of the roll-up, one row of usage. A correction counts
    # nobody: it moves an error to the successes, and may be folded without what it corrects.
    # Whoever deleted a delta before us is waited for and its row skipped, so none is counted twice even when the
    # lock changed hands after our snapshot was taken.
    buckets = ",\n       ".join(
        f"coalesce(sum(count) filter (where bucket = {number}), 0)::integer as {name}"
        for number, name in enumerate(_BUCKETS)
    )
    totals = ", ".join(f"sum({column})::bigint as {column}" for column in (*_COUNTS, *_BUCKETS))
    return f"""
with taken as (
    delete from rollup_deltas where (select pg_try_advisory_xact_lock($1::bigint))
       and ctid = any(array(select ctid from rollup_deltas limit $3::integer))
    returning subject, name, minute, category, complexity, bucket, count, success_count, error_count, total_ms
),
minutes as (
    select subject, name, minute, max(category) as category, max(complexity) as complexity,
           sum(count)::integer as count, sum(success_count)::integer as success_count,
           sum(error_count)::integer as error_count, sum(total_ms)::bigint as total_ms,
       {buckets}
      from taken group by subject, name, minute
),
hours as (
    select subject, name, date_trunc('hour', minute, $2::text) as hour,
           max(category) as category, max(complexity) as complexity, {totals}
      from minutes group by 1, 2, 3
),
kept_minutes as ({_upsert("minute", "minutes")}),
kept_hours as ({_upsert("hour", "hours")}),
used as (
    insert into tool_usage_analytics as kept
           (tool_name, category, complexity, date_key, hour_key, usage_count, total_execution_time_ms,
            success_count, error_count, avg_response_time_ms, success_rate)
    select name, max(category), max(complexity), (hour at time zone $2::text)::date as date_key,
           extract(hour from hour at time zone $2::text)::integer as hour_key, sum(count)::integer,
           sum(total_ms)::bigint, sum(success_count)::integer, sum(error_count)::integer,
           round(sum(total_ms) / nullif(sum(count), 0))::integer,
           round(sum(success_count) * 100.0 / nullif(sum(count), 0), 2)
      from hours where subject = 'tool' group by name, date_key, hour_key order by name, date_key, hour_key
    on conflict (tool_name, date_key, hour_key) do update
       set category = coalesce(excluded.category, kept.category),
           complexity = coalesce(excluded.complexity, kept.complexity),
           usage_count = kept.usage_count + excluded.usage_count,
           total_execution_time_ms = kept.total_execution_time_ms + excluded.total_execution_time_ms,
           success_count = kept.success_count + excluded.success_count,
           error_count = kept.error_count + excluded.error_count,
           avg_response_time_ms = round(
               (kept.total_execution_time_ms + excluded.total_execution_time_ms)::numeric
               / nullif(kept.usage_count + excluded.usage_count, 0))::integer,
           success_rate = round(
               (kept.success_count + excluded.success_count) * 100.0
               / nullif(kept.usage_count + excluded.usage_count, 0), 2)
)
select count(*)::integer from taken"""  # noqa: S608 - names of our own, no value


def _upsert(grain: str, source: str) -> str:
    columns = (*_COUNTS, *_BUCKETS)
    names = ", ".join(columns)
    sums = ", ".join(f"{column} = kept.{column} + excluded.{column}" for column in columns)
    return (
        f"insert into rollup_{grain}s as kept (subject, name, {grain}, {names})"  # noqa: S608 - as above
        f" select subject, name, {grain}, {names} from {source} order by subject, {grain}, name"
        f" on conflict (subject, {grain}, name) do update set {sums}"
    )
