-- The processes of this system: announced, alive by heartbeat, and what they leave behind when they die.

-- name: register(id, kind, host, boot_id, pid, process_started, version)!
-- Announce a process, or bring back one that was pruned while it was frozen.
insert into instances (id, kind, host, boot_id, pid, process_started, version)
values (:id, :kind, :host, :boot_id, :pid, :process_started, :version)
    on conflict (id) do update set heartbeat_at = clock_timestamp(), stopped_at = null;

-- name: heartbeat(id)^
-- Say that a process lives. No row: it has stopped or was pruned, and has to register again.
update instances set heartbeat_at = clock_timestamp() where id = :id and stopped_at is null returning id;

-- name: stop(id)!
-- Note that a process left by itself.
update instances set stopped_at = clock_timestamp() where id = :id and stopped_at is null;

-- name: alive(lost_after)
-- The processes that live by their heartbeat, oldest first.
select id, kind, host, boot_id, pid, process_started, version, started_at, heartbeat_at
  from instances
 where stopped_at is null and heartbeat_at >= clock_timestamp() - :lost_after::interval
 order by started_at;

-- name: on_host(host)
-- The processes that once ran on a machine and never said goodbye; whoever runs there can see which still do.
select id, kind, host, boot_id, pid, process_started, version, started_at, heartbeat_at
  from instances
 where stopped_at is null and host = :host;

-- name: prune(older_than)!
-- Forget processes that are long gone and left nothing running.
delete from instances i
 where coalesce(i.stopped_at, i.heartbeat_at) < clock_timestamp() - :older_than::interval
   and not exists (select from process_executions e where e.status = 'running' and e.instance_id = i.id);

-- name: rescue(lost_after, gone, limit, read_message, write_message, bounds)
-- End what dead processes left running, guarded by status and attempt: a read may be asked again, a write has an
-- unknown fate and gets an alert in the same statement. A process is dead that said goodbye, that the caller
-- knows to be gone, or that was silent too long; while PostgreSQL itself was away nobody could speak. Rows that name no process are somebody else's.
with lost as (
    select e.id, e.attempt
      from process_executions e
      left join instances i on i.id = e.instance_id
     where e.status = 'running' and e.instance_id is not null
       and (i.stopped_at is not null
            or e.instance_id = any(:gone::uuid[])
            or greatest(coalesce(i.heartbeat_at, e.started_at), pg_postmaster_start_time())
               < clock_timestamp() - :lost_after::interval)
     order by e.started_at
     limit :limit
       for update of e skip locked
), ended as (
    update process_executions e
       set status = case when e.writes then 'uncertain' else 'timeout' end::execution_status,
           completed_at = now(), updated_at = now(),
           duration_ms = least(greatest(extract(epoch from now() - e.started_at) * 1000, 0), 2147483647)::integer,
           error_code = 'instance_lost',
           error_message = case when e.writes then :write_message::text else :read_message::text end
      from lost
     where e.id = lost.id and e.attempt = lost.attempt and e.status = 'running'
    returning e.id, e.execution_id, e.process_type, e.status, e.completed_at, e.duration_ms, e.company_id,
              e.category, e.complexity, e.actor, e.omie_endpoint, e.instance_id, e.error_message
), alerted as (
    insert into integration_alerts (alert_type, severity, title, message, context_data, process_execution_id, endpoint)
    select 'execution_uncertain', 'critical', left('Escrita sem resultado conhecido: ' || process_type, 200),
           error_message,
           jsonb_build_object('execution_id', execution_id, 'process_type', process_type, 'company_id', company_id,
                              'actor', actor, 'instance_id', instance_id),
           id, omie_endpoint
      from ended
     where status = 'uncertain'
), counted as (
    insert into rollup_deltas
           (subject, name, minute, category, complexity, bucket, count, success_count, error_count, total_ms)
    select 'tool', process_type, date_trunc('minute', completed_at), category, complexity,
           (select count(*) from unnest(:bounds::double precision[]) as bound where bound < duration_ms), 1, 0, 1, duration_ms
      from ended
     where status = 'timeout'
), to_seal as (
    insert into seal_queue (kind, ids) select 1, array_agg(id) from ended having count(*) > 0
)
select execution_id, process_type, status::text as status, completed_at as at, company_id, duration_ms from ended;
