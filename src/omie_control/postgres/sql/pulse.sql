-- What the live page counts: how many executions ended in each minute, and how.

-- name: minutes(since)
-- Every minute since an instant, all companies, from the roll-up and what is not folded into it yet.
select minute as at, sum(success_count)::bigint as succeeded, sum(error_count)::bigint as failed
  from (select minute, success_count, error_count from rollup_minutes
         where subject = 'tool' and minute >= :since
        union all
        select minute, success_count, error_count from rollup_deltas
         where subject = 'tool' and minute >= :since) parts
 group by minute
 order by minute;

-- name: minutes_of(companies, since, limit)
-- The same for some companies alone, which the roll-ups do not tell apart: counted from the newest executions.
select date_trunc('minute', completed_at) as at,
       count(*) filter (where status = 'completed') as succeeded,
       count(*) filter (where status <> 'completed') as failed
  from (select completed_at, status from process_executions
         where id >= uuid7_floor(:since) and company_id = any(:companies::uuid[]) and completed_at >= :since
         order by id desc limit :limit) newest
 group by 1
 order by 1;

-- name: process_types(since, limit)
-- The names of what ran since an instant, busiest first.
select name from rollup_hours
 where subject = 'tool' and hour >= :since
 group by name
 order by sum(count) desc, name
 limit :limit;
