-- Executions without a known outcome: enrolled, looked up by one worker at a time, settled once.

-- name: enrol(first, limit)
-- Take in executions that have become uncertain, and raise the alert of those that have none yet. An execution is
-- taken in by one worker only, so it gets one alert.
with found as (
    select e.id, e.execution_id, e.process_type, e.company_id, e.actor, e.omie_endpoint, e.error_message
      from process_executions e
     where e.status = 'uncertain'
       and not exists (select from uncertain_executions u where u.execution_id = e.id)
     order by e.started_at
     limit :limit
), enrolled as (
    insert into uncertain_executions (execution_id, next_try_at)
    select id, clock_timestamp() + :first::interval from found
        on conflict do nothing
    returning execution_id
), alerted as (
    insert into integration_alerts (alert_type, severity, title, message, context_data, process_execution_id, endpoint)
    select 'execution_uncertain', 'critical', left('Escrita sem resultado conhecido: ' || f.process_type, 200),
           f.error_message,
           jsonb_build_object('execution_id', f.execution_id, 'process_type', f.process_type,
                              'company_id', f.company_id, 'actor', f.actor),
           f.id, f.omie_endpoint
      from found f
      join enrolled on enrolled.execution_id = f.id
     where not exists (select from integration_alerts a
                        where a.process_execution_id = f.id and a.alert_type = 'execution_uncertain'
                          and not a.is_resolved)
)
select f.execution_id from found f join enrolled on enrolled.execution_id = f.id;

-- name: claim(lease, limit)
-- Take the executions that are due; nobody else takes them before the lease is over.
with taken as (
    update uncertain_executions
       set next_try_at = clock_timestamp() + :lease::interval, tries = tries + 1
     where execution_id in (select u.execution_id from uncertain_executions u
                             where u.next_try_at <= clock_timestamp()
                             order by u.next_try_at limit :limit for update skip locked)
    returning execution_id, enrolled_at, misses, missed_at
)
select t.execution_id as id, e.execution_id, e.company_id, e.status::text as status, e.attempt, e.idempotency_key, t.misses,
       clock_timestamp() - t.missed_at as since_miss, clock_timestamp() - t.enrolled_at as waiting
  from taken t
  left join process_executions e on e.id = t.execution_id
 order by e.started_at;

-- name: postpone(execution_id, pause, is_miss, reason)!
-- Ask again later; a miss is counted with its instant.
update uncertain_executions
   set next_try_at = clock_timestamp() + :pause::interval, misses = misses + :is_miss::boolean::integer,
       missed_at = case when :is_miss then clock_timestamp() else missed_at end,
       last_error = :reason
 where execution_id = :execution_id;

-- name: park(execution_id, reason)!
-- Stop asking: only a person can tell. The alert stays open and says why.
with parked as (
    update uncertain_executions set next_try_at = 'infinity', last_error = :reason
     where execution_id = :execution_id
    returning execution_id
)
update integration_alerts a
   set message = coalesce(a.message || ' ', '') || :reason::text
  from parked
 where a.process_execution_id = parked.execution_id and a.alert_type = 'execution_uncertain' and not a.is_resolved;

-- name: forget(execution_id)!
-- Strike an execution off that somebody else has ended, and settle its alert.
with struck as (
    delete from uncertain_executions where execution_id = :execution_id returning execution_id
)
update integration_alerts a
   set is_resolved = true, resolved_at = clock_timestamp(), resolved_by = 'system:omie-control'
  from struck
 where a.process_execution_id = struck.execution_id and a.alert_type = 'execution_uncertain' and not a.is_resolved;

-- name: take_line(company_id, endpoint, lease)^
-- Be the one who asks a company's method. No row means that somebody else is asking, or that it has to rest.
insert into lookup_lines as l (company_id, endpoint, free_at)
values (:company_id, :endpoint, clock_timestamp() + :lease::interval)
    on conflict (company_id, endpoint) do update set free_at = excluded.free_at
 where l.free_at <= clock_timestamp()
returning misses;

-- name: line_rests(company_id, endpoint)$
-- How long a company's method still rests.
select greatest(free_at - clock_timestamp(), interval '0') from lookup_lines
 where company_id = :company_id and endpoint = :endpoint;

-- name: leave_line(company_id, endpoint, misses, pause)!
-- Let others ask, after a pause, and tell them how many misses there were in a row.
update lookup_lines set free_at = clock_timestamp() + :pause::interval, misses = :misses
 where company_id = :company_id and endpoint = :endpoint;

-- name: settle(id, attempt, status, endpoint, request, response, error_code, error_message, commitment, by, bounds)^
-- End an uncertain execution, only from the state that was seen; count it, settle its alert, strike it off. No row
-- means that somebody else was faster.
with ended as (
    update process_executions e
       set status = :status::execution_status, completed_at = clock_timestamp(), updated_at = now(),
           duration_ms = coalesce(e.duration_ms, least(greatest(extract(epoch from now() - e.started_at) * 1000, 0),
                                                       2147483647)::integer),
           omie_endpoint = coalesce(e.omie_endpoint, :endpoint),
           request_payload = coalesce(e.request_payload, :request::jsonb),
           response_data = coalesce(:response::jsonb, e.response_data),
           error_code = :error_code, error_message = :error_message, commitment = :commitment
     where e.id = :id and e.attempt = :attempt and e.status = 'uncertain'
    returning e.id, e.execution_id, e.process_type, e.status, e.completed_at, e.duration_ms, e.company_id, e.category,
              e.complexity
), counted as (
    insert into rollup_deltas
           (subject, name, minute, category, complexity, bucket, count, success_count, error_count, total_ms)
    select 'tool', process_type, date_trunc('minute', completed_at), category, complexity,
           (select count(*) from unnest(:bounds::double precision[]) as bound where bound < duration_ms), 1,
           (status = 'completed')::integer, (status <> 'completed')::integer, duration_ms
      from ended
), to_seal as (
    insert into seal_queue (kind, ids) select 1, array_agg(id) from ended having count(*) > 0
), struck as (
    delete from uncertain_executions u using ended where u.execution_id = ended.id
), resolved as (
    update integration_alerts a
       set is_resolved = true, resolved_at = clock_timestamp(), resolved_by = :by
      from ended
     where a.process_execution_id = ended.id and a.alert_type = 'execution_uncertain' and not a.is_resolved
)
select execution_id, process_type, status::text as status, completed_at as at, company_id, duration_ms from ended;

-- name: previous(id)^
-- What is known of an uncertain execution that its end has to build on.
select commitment, started_at from process_executions where id = :id;

-- name: seal(execution_id, key_id, sealed, document_hashes)!
-- Keep what settled an execution, sealed, beside its other bodies; a second settling finds it there already.
insert into execution_bodies (execution_id, part, key_id, sealed, document_hashes)
values (:execution_id, 2, :key_id, :sealed, :document_hashes)
    on conflict do nothing;
