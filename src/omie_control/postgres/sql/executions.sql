-- Reading executions, and the few transitions that are not the recorder's. Starts and ends are written in batches
-- by recorder.py. Every reading by time or page bounds the id, so that whole months are left out.

-- name: by_id(id)^
-- One execution with its bodies, by its key.
select e.id, e.process_type, e.execution_id, e.status::text as status, e.started_at, e.completed_at, e.duration_ms,
       e.input_parameters, e.omie_endpoint, e.request_payload, e.response_status_code, e.response_data,
       e.error_message, e.error_code, e.user_agent, e.ip_address, e.fastmcp_session_id as session_id, e.company_id,
       c.slug as company, e.actor, e.parent_id, e.writes, e.attempt, e.instance_id, e.is_cleaned,
       e.content_hash is not null as is_slimmed, e.category::text as category, e.complexity::text as complexity,
       (select p.execution_id from process_executions p where p.id = e.parent_id) as parent,
       exists (select from execution_bodies b where b.execution_id = e.id) as is_sealed
  from process_executions e
  left join companies c on c.id = e.company_id
 where e.id = :id;

-- name: key_of(execution_id)^
-- The key behind an execution_id of another form than ours, by the index of each month.
select id from process_executions where execution_id = :execution_id order by id desc limit 1;

-- name: lock(id)^
-- One execution without its bodies, held until the transaction ends.
select e.id, e.process_type, e.execution_id, e.status::text as status, e.started_at, e.completed_at, e.duration_ms,
       e.company_id, e.actor, e.parent_id, e.writes, e.attempt, e.instance_id, e.omie_endpoint,
       e.category::text as category, e.complexity::text as complexity
  from process_executions e
 where e.id = :id
   for update;

-- name: page(before, since, status, process_type, company, companies, asker, session, actor, limit)
-- Executions without their bodies, newest first, older than the cursor. A null filter lets everything pass;
-- `companies` is a scope; of what ran for no company it also sees what its own `asker` ran.
select e.id, e.process_type, e.execution_id, e.status::text as status, e.started_at, e.completed_at, e.duration_ms,
       e.omie_endpoint, e.response_status_code, e.error_message, e.error_code, e.user_agent, e.ip_address,
       e.fastmcp_session_id as session_id, e.company_id, c.slug as company, e.actor, e.parent_id, e.writes,
       e.attempt, e.instance_id, e.is_cleaned, e.category::text as category, e.complexity::text as complexity
  from process_executions e
  left join companies c on c.id = e.company_id
 where (:before::uuid is null or e.id < :before)
   and (:since::timestamptz is null or e.id >= uuid7_floor(:since))
   and (:status::execution_status is null or e.status = :status)
   and (:process_type::text is null or e.process_type = :process_type)
   and (:company::uuid is null or e.company_id = :company)
   and (:companies::uuid[] is null or e.company_id = any(:companies)
        or (e.company_id is null and e.actor = :asker::text))
   and (:session::text is null or e.fastmcp_session_id = :session)
   and (:actor::text is null or e.actor = :actor)
 order by e.id desc
 limit :limit;

-- name: running(companies, asker, limit)
-- What runs now, the longest first, within a scope as above.
select e.id, e.process_type, e.execution_id, e.status::text as status, e.started_at, e.completed_at, e.duration_ms,
       e.omie_endpoint, e.user_agent, e.ip_address, e.fastmcp_session_id as session_id, e.company_id,
       c.slug as company, e.actor, e.parent_id, e.writes, e.attempt, e.instance_id, e.is_cleaned,
       e.category::text as category, e.complexity::text as complexity
  from process_executions e
  left join companies c on c.id = e.company_id
 where e.status = 'running'
   and (:companies::uuid[] is null or e.company_id = any(:companies)
        or (e.company_id is null and e.actor = :asker::text))
 order by e.started_at
 limit :limit;

-- name: children(id)
-- The names of what an execution started itself, oldest first; a child is never older than its parent.
select execution_id from process_executions where parent_id = :id and id > :id order by id limit 1000;

-- name: calls(id, since)
-- The HTTP attempts of an execution, in order; `since` is when it began and leaves out older months.
select endpoint, method, timestamp as at, response_time_ms, status_code, success, request_size_bytes,
       response_size_bytes, fault_code, rate_limit_remaining, rate_limit_reset_at
  from omie_api_metrics
 where process_execution_id = :id and timestamp >= :since
 order by timestamp, id;

-- name: cancel(id, attempt, seen, message, bounds)^
-- End an execution that has not begun, only from the state we judged. No row: it began meanwhile.
with ended as (
    update process_executions
       set status = 'cancelled', completed_at = now(), updated_at = now(),
           duration_ms = least(greatest(extract(epoch from now() - started_at) * 1000, 0), 2147483647)::integer,
           error_code = 'cancelada', error_message = :message
     where id = :id and attempt = :attempt and status = :seen::execution_status
    returning id, execution_id, process_type, status, completed_at, duration_ms, company_id, category, complexity
), counted as (
    insert into rollup_deltas
           (subject, name, minute, category, complexity, bucket, count, success_count, error_count, total_ms)
    select 'tool', process_type, date_trunc('minute', completed_at), category, complexity,
           (select count(*) from unnest(:bounds::double precision[]) as bound where bound < duration_ms), 1, 0, 1, duration_ms
      from ended
), to_seal as (
    insert into seal_queue (kind, ids) select 1, array_agg(id) from ended having count(*) > 0
)
select execution_id, process_type, status::text as status, completed_at as at, company_id, duration_ms from ended;

-- name: ask_to_stop(id, attempt, reason)
-- Leave word for the process that runs this execution; it looks every second.
update process_executions
   set cancel_reason = :reason, updated_at = now()
 where id = :id and attempt = :attempt and status = 'running'
returning id;

-- name: asked_to_stop(ids)
-- Those of these executions that somebody asked to stop.
select id, cancel_reason
  from process_executions
 where id = any(:ids::uuid[]) and status = 'running' and cancel_reason is not null;

-- name: summary(since)
-- How each process type fared since an instant (to the minute), whole hours from their roll-up, the edge from the
-- minutes, and what is not folded yet from the deltas.
with edge as (
    select date_trunc('minute', :since::timestamptz) as first_minute,
           date_trunc('hour', :since::timestamptz) + interval '1 hour' as first_hour
), parts as (
    select name, count, success_count, error_count, total_ms from rollup_hours, edge
     where subject = 'tool' and hour >= first_hour
    union all
    select name, count, success_count, error_count, total_ms from rollup_minutes, edge
     where subject = 'tool' and minute >= first_minute and minute < first_hour
    union all
    select name, count, success_count, error_count, total_ms from rollup_deltas, edge
     where subject = 'tool' and minute >= first_minute
)
select name as process_type, sum(count)::bigint as total, sum(success_count)::bigint as succeeded,
       sum(error_count)::bigint as failed, sum(total_ms)::bigint as total_ms
  from parts
 group by name
 order by total desc, name;

-- name: correct_lost(id, attempt, status, completed_at, duration_ms, omie_endpoint, request_payload, response_status_code, response_data, error_message, error_code, is_cleaned, commitment, key_id, sealed, document_hashes)^
-- The end of an execution whose process was taken for dead and was not: nobody else has claimed it, so its own word
-- counts. The rescue has counted it as an error in its own minute; a success is moved over there.
with rescued as (
    select id as rescued_id, date_trunc('minute', completed_at) as minute
      from process_executions
     where id = :id and attempt = :attempt and status = 'timeout' and error_code = 'instance_lost'
       for update
), ended as (
    update process_executions
       set status = :status::execution_status, completed_at = :completed_at, updated_at = now(),
           duration_ms = :duration_ms, omie_endpoint = coalesce(:omie_endpoint, omie_endpoint),
           request_payload = :request_payload::jsonb, response_status_code = :response_status_code,
           response_data = :response_data::jsonb, error_message = :error_message, error_code = :error_code,
           is_cleaned = is_cleaned or :is_cleaned, commitment = :commitment, content_hash = null
      from rescued
     where id = rescued_id
    returning id, process_type, category, complexity, minute, status
), body as (
    insert into execution_bodies (execution_id, part, key_id, sealed, document_hashes)
    select id, 1, :key_id, :sealed, :document_hashes from ended where :key_id::uuid is not null
), counted as (
    insert into rollup_deltas
           (subject, name, minute, category, complexity, bucket, count, success_count, error_count, total_ms)
    select 'tool', process_type, minute, category, complexity, 0, 0, 1, -1, 0
      from ended
     where status = 'completed'
), to_seal as (
    insert into seal_queue (kind, ids) select 1, array_agg(id) from ended having count(*) > 0
)
select id from ended;
