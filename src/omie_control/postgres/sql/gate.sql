-- The gate's book: epochs, calls that count, lines, blocks, and the queue while Valkey is away. Spans come and go in
-- seconds from now on this server's clock, so that no other clock has to agree with it.

-- name: announce(egress)!
-- Make sure that an egress has its row.
insert into gate_egresses (egress) values (:egress) on conflict (egress) do nothing;

-- name: standing(egress)^
-- Whether Valkey or this database decides now for an egress, and under which epoch.
select epoch, is_fallback from gate_egresses where egress = :egress;

-- name: lock(egress)^
-- Hold an egress until the transaction ends; nobody else decides for it meanwhile.
select epoch, is_fallback, extract(epoch from clock_timestamp() - changed_at)::float8 as age,
       extract(epoch from clock_timestamp())::float8 as now
  from gate_egresses where egress = :egress for update;

-- name: change(egress, epoch, is_fallback)!
-- Give a locked egress a new epoch, and say who decides in it.
update gate_egresses
   set epoch = :epoch, is_fallback = :is_fallback, changed_at = clock_timestamp()
 where egress = :egress;

-- name: egresses()
-- The name of every egress.
select egress from gate_egresses order by egress;

-- name: book(ids, egresses, app_keys, endpoints, companies, callers, digests, running, counts, repeats, whose)
-- Write calls down as they stand, and say in the same breath who decides for the egresses named.
with written as (
    insert into gate_calls as c
           (id, egress, app_key, endpoint, company, caller, digest, entered_at, running_until, counts_until, repeats_until)
    select r.id, r.egress, r.app_key, r.endpoint, r.company, r.caller, r.digest, clock_timestamp(),
           clock_timestamp() + make_interval(secs => r.running),
           clock_timestamp() + make_interval(secs => r.counts),
           clock_timestamp() + make_interval(secs => r.repeats)
      from unnest(:ids::uuid[], :egresses::text[], :app_keys::text[], :endpoints::text[], :companies::text[],
                  :callers::text[], :digests::text[], :running::float8[], :counts::float8[], :repeats::float8[])
           as r(id, egress, app_key, endpoint, company, caller, digest, running, counts, repeats)
        on conflict (id) do update
       set running_until = excluded.running_until, counts_until = excluded.counts_until,
           repeats_until = excluded.repeats_until
)
select egress, epoch, is_fallback from gate_egresses where egress = any(:whose::text[]);

-- name: learn(egress, app_key, endpoint, company, errors, opens, patient, paused, busy_runs, lone)!
-- Write down what a verdict made of a line.
insert into gate_lines as l
       (egress, app_key, endpoint, company, errors, opens_at, patient_at, paused_until, busy_runs, lone_until)
values (:egress, :app_key, :endpoint, :company, :errors,
        clock_timestamp() + make_interval(secs => :opens), clock_timestamp() + make_interval(secs => :patient),
        clock_timestamp() + make_interval(secs => :paused), :busy_runs,
        clock_timestamp() + make_interval(secs => :lone))
    on conflict (egress, app_key, endpoint) do update
   set errors = excluded.errors, opens_at = excluded.opens_at, patient_at = excluded.patient_at,
       paused_until = excluded.paused_until, busy_runs = excluded.busy_runs, lone_until = excluded.lone_until,
       changed_at = clock_timestamp();

-- name: counting(egress)
-- The calls of an egress that still count.
select id, app_key, endpoint, company, caller, digest,
       extract(epoch from clock_timestamp() - entered_at)::float8 as age,
       extract(epoch from running_until - clock_timestamp())::float8 as running_for,
       extract(epoch from counts_until - clock_timestamp())::float8 as counts_for,
       extract(epoch from repeats_until - clock_timestamp())::float8 as repeats_for
  from gate_calls
 where egress = :egress and counts_until > clock_timestamp();

-- name: lines(egress)
-- What is remembered of the methods of an egress.
select app_key, endpoint, company, errors, busy_runs,
       coalesce(extract(epoch from opens_at - clock_timestamp()), 0)::float8 as opens_in,
       coalesce(extract(epoch from patient_at - clock_timestamp()), 0)::float8 as patient_in,
       coalesce(extract(epoch from paused_until - clock_timestamp()), 0)::float8 as paused_for,
       coalesce(extract(epoch from lone_until - clock_timestamp()), 0)::float8 as lone_for
  from gate_lines
 where egress = :egress;

-- name: measured(span)
-- The calls of the metrics that ended lately, whoever wrote them: found by the index on success and time, in the
-- months that now() tells, which clock_timestamp() would not.
select company_id::text as company, endpoint,
       extract(epoch from timestamp + make_interval(secs => coalesce(response_time_ms, 0) / 1000.0)
                          - clock_timestamp())::float8 as ended
  from omie_api_metrics
 where timestamp > now() - make_interval(secs => :span)
   and (success in (true, false) or success is null);

-- name: open_executions(span)
-- The executions that speak with Omie and have not ended; each may have a call that is in no other book.
select company_id::text as company, omie_endpoint as endpoint, count(*) as open
  from process_executions
 where status = 'running' and omie_endpoint is not null
   and started_at > clock_timestamp() - make_interval(secs => :span)
 group by company_id, omie_endpoint;

-- name: block(app_key, company, endpoint, seconds)^
-- Write down that Omie blocks an app_key; a block only ever grows longer.
insert into omie_blocks as b (app_key, company, endpoint, blocked_until)
values (:app_key, :company, :endpoint, clock_timestamp() + make_interval(secs => :seconds))
    on conflict (app_key) do update
   set blocked_until = greatest(b.blocked_until, excluded.blocked_until), company = excluded.company,
       endpoint = excluded.endpoint, noted_at = clock_timestamp()
returning extract(epoch from blocked_until - clock_timestamp())::float8 as blocked_for;

-- name: blocks()
-- The blocks that still last.
select app_key, company, endpoint, noted_at, blocked_until,
       extract(epoch from blocked_until - clock_timestamp())::float8 as blocked_for
  from omie_blocks
 where blocked_until > clock_timestamp();

-- name: waiting(egress)
-- Who waits for an egress, those that are dead left out.
select id, app_key, endpoint, writes, company, caller, is_background,
       extract(epoch from asked_at)::float8 as asked_at,
       extract(epoch from from_at - clock_timestamp())::float8 as from_in
  from gate_waiters
 where egress = :egress and expires_at > clock_timestamp();

-- name: stand(id, egress, app_key, endpoint, writes, company, caller, is_background, waited, from_in, lease)!
-- Stand in the queue, or stay in it.
insert into gate_waiters as w
       (id, egress, app_key, endpoint, writes, company, caller, is_background, asked_at, from_at, expires_at)
values (:id, :egress, :app_key, :endpoint, :writes, :company, :caller, :is_background,
        clock_timestamp() - make_interval(secs => :waited), clock_timestamp() + make_interval(secs => :from_in),
        clock_timestamp() + make_interval(secs => :lease))
    on conflict (id) do update set from_at = excluded.from_at, expires_at = excluded.expires_at;

-- name: give_up(id)!
-- Leave the queue.
delete from gate_waiters where id = :id;

-- name: abandon(id)!
-- Leave the queue for good; a call that was let through without hearing of it has sent nothing.
with gone as (delete from gate_waiters where id = :id)
update gate_calls
   set running_until = clock_timestamp(), counts_until = clock_timestamp(), repeats_until = clock_timestamp()
 where id = :id;

-- name: prune()^
-- Forget calls, waiters and blocks that no longer matter to anybody.
with calls as (delete from gate_calls where counts_until < clock_timestamp() - interval '5 minutes' returning 1),
     waiters as (delete from gate_waiters where expires_at < clock_timestamp() - interval '5 minutes' returning 1),
     blocks as (delete from omie_blocks where blocked_until < clock_timestamp() - interval '30 days' returning 1)
select (select count(*) from calls) as calls, (select count(*) from waiters) as waiters,
       (select count(*) from blocks) as blocks;

-- name: spent(companies)
-- How many calls of each method of these companies count now.
select company, endpoint, count(*)::integer as calls
  from gate_calls
 where counts_until > clock_timestamp() and company = any(:companies::text[])
 group by company, endpoint
 order by calls desc, company, endpoint;

-- name: paused(companies)
-- The methods of these companies that rest after errors in a row.
select company, endpoint, errors, extract(epoch from paused_until - clock_timestamp())::float8 as seconds_left
  from gate_lines
 where paused_until > clock_timestamp() and company = any(:companies::text[])
 order by paused_until desc;
